"""One row live: its values, whether it is in a segment, and which conditions it does not meet."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from segments.models import DataModel, Relation, Segment, Source
from segments.reading import one_row
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 29, 14, 5, tzinfo=UTC)


@pytest.fixture
def companies(tmp_path: Path, settings: Any, db: None) -> DataModel:
    settings.SOURCE_FILES_ROOT = tmp_path
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.executescript(
            """create table companies (id integer primary key, name text, country text, mrr real);
            insert into companies values (1, 'Acme', 'FR', 10.0), (2, 'Bolt', 'DE', 0.0), (3, 'Crux', null, 5.0);
            create table orders (id integer primary key, company_id integer);
            insert into orders values (1, 1), (2, 1), (3, 2);"""
        )
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    orders, model = (
        DataModel.objects.create(name=name, source=source, table=name.lower(), primary_key="id")
        for name in ("Orders", "Companies")
    )
    refresh_columns(orders)
    refresh_columns(model)
    Relation.objects.create(from_model=orders, from_column="company_id", to_model=model, to_column="id")
    return model


def segment(model: DataModel, where: dict[str, Any], name: str = "Some", **more: Any) -> Segment:
    return Segment.objects.create(name=name, model=model, where=where, **more)


def unmet(model: DataModel, where: dict[str, Any], key: str) -> list[tuple[str, dict[str, Any], str]]:
    some = segment(model, where)
    found = one_row.look_up(model, key, [some], now=NOW).segments[some.pk]
    assert found.is_member == (not found.unmet)
    return [(one.words, dict(one.values), one.segment) for one in found.unmet]


PAYING = {"field": "mrr", "is": "greater_than", "value": 0}
FRENCH = {"field": "country", "is": "equals", "value": "FR"}


def test_row_has_its_present_values(companies: DataModel) -> None:
    assert one_row.look_up(companies, "2", [], now=NOW).values == {"id": 2, "name": "Bolt", "country": "DE", "mrr": 0.0}


def test_missing_row_has_no_values(companies: DataModel) -> None:
    assert one_row.look_up(companies, "9", [segment(companies, {})], now=NOW) == one_row.Row(None, {})


@pytest.mark.parametrize(
    ("where", "key", "expected"),
    [
        ({}, "1", []),
        ({"all": [PAYING, FRENCH]}, "1", []),
        ({"all": [PAYING, FRENCH]}, "3", [("country is FR", {"country": None}, "")]),
        (
            {"all": [PAYING, FRENCH]},
            "2",
            [("mrr is greater than 0", {"mrr": 0.0}, ""), ("country is FR", {"country": "DE"}, "")],
        ),
        (
            {"any": [PAYING, FRENCH]},
            "2",
            [("mrr is greater than 0 or country is FR", {"mrr": 0.0, "country": "DE"}, "")],
        ),
        ({"any": [PAYING, FRENCH]}, "3", []),
        ({"all": [{"related": "Orders", "has": "at_least", "count": 2}]}, "1", []),
        (
            {"all": [{"related": "Orders", "has": "at_least", "count": 2}, FRENCH]},
            "3",
            [("has at least 2 Orders", {}, ""), ("country is FR", {"country": None}, "")],
        ),
    ],
)
def test_conditions_that_a_row_does_not_meet_are_named_with_its_values(
    companies: DataModel, where: dict[str, Any], key: str, expected: list[Any]
) -> None:
    assert unmet(companies, where, key) == expected


def test_conditions_of_a_segment_inside_are_named_with_it(companies: DataModel) -> None:
    segment(companies, {"all": [FRENCH]}, name="France")
    where = {"all": [PAYING, {"segment": "France", "is": "member"}]}
    assert unmet(companies, where, "3") == [("country is FR", {"country": None}, "France")]


def test_row_beyond_a_size_limit_is_not_a_member(companies: DataModel) -> None:
    largest = segment(companies, {"all": [PAYING]}, limit={"rows": 1, "order_by": "mrr", "descending": True})
    found = {key: one_row.look_up(companies, key, [largest], now=NOW).segments[largest.pk] for key in ("1", "2", "3")}
    assert found["1"] == one_row.Membership(is_member=True)
    assert found["3"] == one_row.Membership(is_member=False, beyond_limit=True)
    assert [one.words for one in found["2"].unmet] == ["mrr is greater than 0"]


@pytest.mark.parametrize(("text", "ids"), [("rux", [3]), ("2", [2]), ("O", [2]), ("nobody", []), ("%", [])])
def test_rows_are_found_by_a_part_of_a_text_or_by_their_key(companies: DataModel, text: str, ids: list[int]) -> None:
    assert [row["id"] for row in one_row.find(companies, text, ["name"], now=NOW)] == ids
