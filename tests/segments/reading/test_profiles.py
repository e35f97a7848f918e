"""How full columns are and which values repeat, on every engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured
from segments.models import DataModel, Segment, Source
from segments.reading.profiles import ColumnProfile, Doubled, profile
from segments.reading.read import selection
from segments.sources.discovery import refresh_columns
from tests.segments.places import make

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
COLUMNS = {"id": "integer", "domain": "text", "mrr": "number", "seen_at": "timestamp"}
SEEN = datetime.fromisoformat("2026-03-31 13:00")
ROWS: list[dict[str, Any]] = [
    {"id": 1, "domain": "a.com", "mrr": 12.5, "seen_at": SEEN},
    {"id": 2, "domain": "a.com", "mrr": None, "seen_at": SEEN},
    {"id": 3, "domain": "b.com", "mrr": 12.5, "seen_at": None},
    {"id": 4, "domain": "b.com", "mrr": 3.0, "seen_at": SEEN},
    {"id": 5, "domain": "b.com", "mrr": 4.0, "seen_at": SEEN},
    {"id": 6, "domain": None, "mrr": 5.0, "seen_at": SEEN},
    {"id": 7, "domain": "  ", "mrr": 6.0, "seen_at": SEEN},
    {"id": 8, "domain": "c.com", "mrr": 7.0, "seen_at": SEEN},
]


@pytest.fixture
def model(slug: str, files: Path) -> DataModel:
    place = make(slug, files, "profiled", COLUMNS, ROWS)
    secrets = {"password": place.settings["password"]} if "password" in place.settings else {}
    config = {name: value for name, value in place.settings.items() if name not in secrets}
    source = Source.objects.create(name="Shop", engine=slug, config=config, secrets=secrets)
    model = DataModel.objects.create(name="Companies", source=source, table=place.table, primary_key="id")
    refresh_columns(model)
    return model


def test_columns_are_measured_and_repeated_match_values_are_found(model: DataModel) -> None:
    found = profile(selection(model), ["mrr", "seen_at"], now=NOW, match="domain", samples=3)
    assert (found.rows, found.is_partial) == (8, False)
    assert found.columns == {
        "mrr": ColumnProfile(rows=8, filled=7, distinct=6),
        "seen_at": ColumnProfile(rows=8, filled=7, distinct=None),
        "domain": ColumnProfile(rows=8, filled=6, distinct=3),
    }
    assert found.doubled == Doubled(rows=5, values=2, examples=[("b.com", 3), ("a.com", 2)])
    assert [sorted(row) for row in found.samples] == [["domain", "mrr", "seen_at"]] * 3
    assert found.columns["mrr"].empty_percent == 12.5


def test_only_the_rows_of_the_segment_count(model: DataModel) -> None:
    where = {"all": [{"field": "mrr", "is": "at_least", "value": 4}]}
    segment = Segment(name="Big", model=model, where=where)
    found = profile(selection(segment), ["domain"], now=NOW, match="domain")
    assert (found.rows, found.columns["domain"].filled) == (6, 4)
    assert found.doubled == Doubled(rows=2, values=1, examples=[("b.com", 2)])
    segment.limit = {"rows": 3, "order_by": "mrr"}
    assert profile(selection(segment), ["domain"], now=NOW).columns["domain"] == ColumnProfile(3, 1, 1)


def test_no_more_rows_than_allowed_are_read(model: DataModel) -> None:
    found = profile(selection(model), ["id"], now=NOW, most=5)
    assert (found.rows, found.is_partial, found.doubled) == (5, True, None)


def test_a_missing_column_is_named(model: DataModel) -> None:
    with pytest.raises(Misconfigured, match="has no column “gone”"):
        profile(selection(model), ["gone"], now=NOW)


def test_a_person_who_leaves_ends_the_query(model: DataModel) -> None:
    class Left(Exception):
        pass

    def leave() -> None:
        raise Left

    with pytest.raises(Left):
        profile(selection(model), ["id"], now=NOW, check=leave)
