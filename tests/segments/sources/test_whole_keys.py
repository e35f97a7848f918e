"""A key that is a whole number is its digits, on every engine and wherever keys are compared as text."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from segments.models import Column, DataModel, Relation, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from segments.sources.key_check import key_share
from tests.segments.places import make

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def test_text_refers_to_a_key_that_is_a_floating_point_number(slug: str, files: Path) -> None:
    companies = make(
        slug,
        files,
        "key_companies",
        {"id": "number", "name": "text"},
        [{"id": n, "name": "x"} for n in (1.0, 2.5, 3.0)],
    )
    orders = make(
        slug,
        files,
        "key_orders",
        {"company": "text", "n": "integer"},
        [{"company": company, "n": 1} for company in ("1", "3", "3", "2.5", "x")],
    )
    source = Source.objects.create(name="Shop", engine=slug, config=companies.settings)
    if orders.settings != companies.settings:
        pytest.skip("files of different tables are different sources")
    models = []
    for name, place, key in (("Companies", companies, "id"), ("Orders", orders, "company")):
        models.append(DataModel.objects.create(name=name, source=source, table=place.table, primary_key=key))
        refresh_columns(models[-1])
    Relation.objects.create(from_model=models[1], from_column="company", to_model=models[0], to_column="id")
    where = {"all": [{"related": "Orders", "has": "at_least", "count": 1}]}
    rows = read.preview(read.Selection(models[0], where), now=NOW)
    assert sorted(row["id"] for row in rows) == [1, 2.5, 3]


@pytest.mark.parametrize(("column_type", "distinct"), [("number", 3), ("integer", 3), ("text", 4)])
def test_key_check_counts_keys_as_a_run_tells_them_apart(files: Path, column_type: str, distinct: int) -> None:
    (files / "spelled.csv").write_text("id,name\n1,a\n1.0,b\n2,c\n10,d\n")
    source = Source.objects.create(name="File", engine="csv", config={"path": "spelled.csv"})
    model = DataModel.objects.create(name="Rows", source=source, table="spelled", primary_key="id")
    for name in ("id", "name"):
        Column.objects.create(model=model, name=name, type=column_type if name == "id" else "text", native="VARCHAR")
    assert (key_share(model).filled, key_share(model).distinct) == (4, distinct)
