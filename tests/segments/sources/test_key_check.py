"""The check whether a primary key is unique."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured
from segments.models import DataModel, Source
from segments.sources.key_check import KeyShare, check_primary_key, key_share, verdict
from tests.segments.places import make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("share", "level", "message"),
    [
        (KeyShare(1000, 1000, 1000), "fine", "is unique in all 1,000 rows"),
        (KeyShare(0, 0, 0), "fine", "no rows yet"),
        (KeyShare(1000, 999, 999), "warning", "1 has no “id” (0.1%)"),
        (KeyShare(1000, 1000, 951), "warning", "Of 1,000 rows, 49 repeat the “id” of another row (4.9%)."),
        (KeyShare(1000, 1000, 950), "refused", "50 repeat the “id” of another row (5%)"),
        (KeyShare(4, 2, 1), "refused", "2 have no “id” and 1 repeats the “id” of another row (75%)"),
    ],
)
def test_under_five_percent_is_a_warning(share: KeyShare, level: str, message: str) -> None:
    result = verdict(share, "id")
    assert result.level == level
    assert message in result.message


@pytest.mark.django_db
def test_null_blank_and_duplicate_keys_are_counted_in_the_source(slug: str, files: Path) -> None:
    rows = [{"key": key, "id": place} for place, key in enumerate(["a", "A", "b", "b", "b", "", None, None])]
    place = make(slug, files, "keys", {"key": "text", "id": "integer"}, rows)
    source = Source.objects.create(name="Keys", engine=slug, config=place.settings)
    model = DataModel.objects.create(name="Keys", source=source, table=place.table, primary_key="key")
    assert key_share(model) == KeyShare(rows=8, filled=5, distinct=3)
    with pytest.raises(Misconfigured, match="Of 8 rows, 3 have no “key” and 2 repeat") as refused:
        check_primary_key(model)
    assert refused.value.code == "primary_key_unusable"
    model.primary_key = "id"
    assert check_primary_key(model).level == "fine"
    model.primary_key = "nope"
    with pytest.raises(Misconfigured, match="Choose one of: key, id"):
        check_primary_key(model)
