"""JSON Lines files: types, broken lines, and fields that only some objects have."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.files import json_file, refusal, types, values
from tests.segments.places import Place

if TYPE_CHECKING:
    from pathlib import Path

TYPES = {
    "id": "integer",
    "zip": "text",
    "price": "number",
    "flag": "boolean",
    "day": "date",
    "at": "timestamp",
    "zoned": "timestamp",
    "tags": "list",
    "place": "object",
    "mixed": "text",
    "none": "text",
    "huge": "number",
    "both": "timestamp",
    "late": "number",
}


def test_json_fields_have_the_types_that_fit_all_values(files: Path) -> None:
    early = (
        '{"id": 1, "zip": "75001", "price": 1.50, "flag": true, "day": "2026-01-31", "at": "2026-01-31T09:30:00", '
        '"zoned": "2026-01-31T09:30:00+01:00", "tags": ["a", null], "place": {"city": "Zürich"}, "mixed": "x", '
        '"none": null, "huge": 1, "both": "2026-01-31T09:30:00"}'
    )
    middle = '{"id": 2, "zip": "01000", "price": 2, "place": {"city": "Köln", "more": [1]}, "tags": []}'
    late = '{"id": 3, "late": 1.5, "mixed": 5, "huge": 12345678901234567890123, "both": "2026-01-31"}'
    place = json_file(files, early, middle, late)
    assert types(place) == TYPES
    first, second, third = values(place)
    assert first == {
        "id": 1,
        "zip": "75001",
        "price": 1.5,
        "flag": True,
        "day": date(2026, 1, 31),
        "at": datetime(2026, 1, 31, 9, 30, tzinfo=ZoneInfo("UTC")),
        "zoned": datetime(2026, 1, 31, 8, 30, tzinfo=UTC),
        "tags": ["a", None],
        "place": {"city": "Zürich"},
        "mixed": "x",
        "none": None,
        "huge": 1,
        "both": datetime(2026, 1, 31, 9, 30, tzinfo=ZoneInfo("UTC")),
        "late": None,
    }
    assert (second["tags"], second["place"], second["price"]) == ([], {"city": "Köln", "more": [1]}, 2)
    assert (third["late"], third["mixed"], third["huge"]) == (1.5, "5", 12345678901234567890123)
    typed = "select sum(price) as total, max(day) as last, list(tags) as all_tags from file where flag or id > 1"
    assert values(place, typed)[0]["total"] == 3.5


@pytest.mark.parametrize(
    ("lines", "excerpt"),
    [
        (['{"a": 1}', '{"a": secret}'], "a line that is not JSON"),
        (['{"a": 1}', "[1]"], "no objects"),
        (["5"], "no objects"),
        ([""], "no objects"),
    ],
)
def test_lines_that_are_not_objects_are_refused(lines: list[str], excerpt: str, files: Path) -> None:
    problem = refusal(json_file(files, *lines))
    assert problem.code == "source_file_broken"
    assert excerpt in problem.message
    assert "secret" not in problem.message


def test_many_json_files_are_one_table(files: Path) -> None:
    json_file(files, '{"a": 1}', name="j-1.jsonl")
    json_file(files, '{"b": "x"}', name="j-2.jsonl")
    assert values(Place("jsonl", "j", {"path": "j-*.jsonl"})) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_expected_fields_are_found_without_reading_the_whole_file(files: Path) -> None:
    lines = [json.dumps({"a": number, "b": "x"}) for number in range(50_000)]
    place = json_file(files, *lines, "this is not an object")
    assert refusal(place).code == "source_file_broken"
    with place.open() as reader:
        assert list(reader.natives(table=place.table, expected=["a", "b"])) == ["a", "b"]
        infos = {name: ColumnInfo(name, ColumnType.TEXT, "VARCHAR") for name in ("a", "b")}
        source = statements.relation(list(infos.values()), engines["jsonl"].dialect, table=place.table)
        assert reader.rows(statements.select(source, infos, ["b", "a"]), 2) == [
            {"b": "x", "a": "0"},
            {"b": "x", "a": "1"},
        ]


def test_expected_field_of_a_late_object_is_found(files: Path) -> None:
    place = json_file(files, *['{"a": 1}'] * 50_000, '{"a": 2, "late": true}')
    with place.open() as reader:
        assert list(reader.natives(table=place.table, expected=["a"])) == ["a"]
        assert list(reader.natives(table=place.table, expected=["a", "late"])) == ["a", "late"]
        assert list(reader.natives(table=place.table)) == ["a", "late"]
    assert values(place, "select late from file where a = 2") == [{"late": True}]
