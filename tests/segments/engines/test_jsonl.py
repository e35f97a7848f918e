"""JSON Lines files: types, broken lines, and fields that only some objects have."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.files import json_file, refusal, skipped, types, values
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
        (['{"a": 1}', '{"a": secret}'], "Line 2 of the file “file.jsonl” is not JSON (at character 7)"),
        (['{"a": 1}', "[1]"], "Line 2 of the file “file.jsonl” is not an object"),
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


def test_keys_that_differ_only_in_case_are_one_column(files: Path) -> None:
    place = json_file(files, '{"id": 1, "Name": "A"}', '{"name": "B", "id": 2}', '{"ID": 3, "NAME": null}')
    assert types(place) == {"id": "integer", "Name": "text"}
    assert values(place) == [{"id": 1, "Name": "A"}, {"id": 2, "Name": "B"}, {"id": 3, "Name": None}]
    assert values(place, 'select "Name" from file where id = 2') == [{"Name": "B"}]


def test_spelling_that_a_model_knows_is_kept(files: Path) -> None:
    place = json_file(files, '{"id": 1, "name": "A"}', '{"id": 2, "Name": "B"}')
    with place.open() as reader:
        assert list(reader.natives(table=place.table, expected=["id", "Name"])) == ["id", "Name"]
        infos = {name: ColumnInfo(name, ColumnType.TEXT, "VARCHAR") for name in ("id", "Name")}
        source = statements.relation(list(infos.values()), engines["jsonl"].dialect, table=place.table)
        rows = reader.rows(statements.select(source, infos, ["Name"]), 2)
    assert rows == [{"Name": "A"}, {"Name": "B"}]


def test_different_spelling_after_the_inspected_objects_is_not_lost(files: Path) -> None:
    place = json_file(files, *['{"id": 1, "Name": "A"}'] * 30_000, '{"id": 2, "name": "B", "more": 1}')
    with place.open() as reader:
        assert list(reader.natives(table=place.table, expected=["id", "Name"])) == ["id", "Name"]
        infos = {name: ColumnInfo(name, ColumnType.TEXT, "VARCHAR") for name in ("id", "Name")}
        source = statements.relation(list(infos.values()), engines["jsonl"].dialect, table=place.table)
        last = [batch.to_pylist()[-1] for batch in reader.batches(statements.select(source, infos, ["id", "Name"]))][-1]
    assert last == {"id": "2", "Name": "B"}


@pytest.mark.parametrize(
    ("line", "excerpt"),
    [
        ('{"Name": "A", "id": 2, "name": "secret"}', "has the keys “Name” and “name”, which differ only in case"),
        ('{"name": "secret", "name": "B"}', "has the key “name” twice"),
        ('{"id": 2, "id": 2}', "has the key “id” twice"),
        ("[1]", "is not an object"),
        ("null", "is not an object"),
        ('{"id": 1} {"id": 2}', "is not JSON (at character 11)"),
        ('{"id": secret}', "is not JSON (at character 8)"),
    ],
)
def test_bad_line_is_named_with_its_keys_and_can_be_skipped(line: str, excerpt: str, files: Path) -> None:
    lines = ['{"id": 1, "name": "A"}', "", line, '{"id": 3, "name": "C"}']
    problem = refusal(json_file(files, *lines))
    assert problem.code == "source_file_broken"
    assert f"Line 3 of the file “file.jsonl” {excerpt}" in problem.message
    assert "secret" not in problem.message
    place = json_file(files, *lines, bad_lines="skip")
    assert values(place) == [{"id": 1, "name": "A"}, {"id": 3, "name": "C"}]
    assert [message.startswith(f"Line 3 of the file “file.jsonl” {excerpt}") for message in skipped(place)] == [True]


def test_key_without_a_name_hides_no_column(files: Path) -> None:
    assert values(json_file(files, '{"id": 1, "name": "A", "": "empty"}')) == [{"id": 1, "name": "A"}]
    assert values(json_file(files, '{"id": 1}', '{"": 2}')) == [{"id": 1}, {"id": None}]


def test_keys_may_contain_any_characters(files: Path) -> None:
    names = ["a.b", "a/b", "a~b", 'q"t', "s'q", "$", "0", "größe", "{x}", "株", " "]
    assert values(json_file(files, json.dumps({name: name for name in names}))) == [{name: name for name in names}]


def test_half_of_an_escaped_character_is_replaced(files: Path) -> None:
    place = json_file(
        files,
        r'{"id": 1, "name": "bad \ud83d end"}',
        r'{"id": 2, "name": "ok \ud83e\udd84"}',
        r'{"id": 3, "name": "\udd84\ud83e \\ud83d"}',
        r'{"id": 4, "name": "nul \u0000 x"}',
    )
    assert [row["name"] for row in values(place)] == ["bad � end", "ok 🦄", "�� \\ud83d", "nul \0 x"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_encodings_of_unicode_are_detected(encoding: str, files: Path) -> None:
    assert values(json_file(files, '{"id": 1, "name": "é🦄"}', encoding=encoding)) == [{"id": 1, "name": "é🦄"}]


def test_encoding_is_named_or_chosen(files: Path) -> None:
    lines = ['{"id": 1, "name": "A"}', '{"id": 2, "name": "Café"}']
    problem = refusal(json_file(files, *lines, encoding="latin-1"))
    assert "Line 2 of the file “file.jsonl” is not in UTF-8. It is probably Windows-1252" in problem.message
    assert values(Place("jsonl", "file", {"path": "file.jsonl", "encoding": "latin-1"}))[1]["name"] == "Café"


def test_declared_types_of_fields(files: Path) -> None:
    place = json_file(
        files,
        '{"id": 1, "at": 1704164645, "ms": 1704164645500, "zip": 75001, "day": "2024-01-02"}',
        '{"id": 2, "at": 1704164645.25, "ms": "x", "zip": "01000", "day": ""}',
        columns={"at": "epoch_seconds", "ms": "epoch_milliseconds", "zip": "text"},
    )
    assert types(place) == {"id": "integer", "at": "timestamp", "ms": "timestamp", "zip": "text", "day": "date"}
    first, second = values(place)
    assert first["at"] == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first["ms"] == datetime(2024, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC)
    assert second["at"] == datetime(2024, 1, 2, 3, 4, 5, 250_000, tzinfo=UTC)
    assert (second["ms"], second["zip"], second["day"]) == ("x", "01000", "")


def test_empty_text_among_times_leaves_the_column_a_time(files: Path) -> None:
    place = json_file(files, '{"id": 1, "t": "2024-07-01 12:00:00"}', '{"id": 2, "t": ""}')
    assert types(place)["t"] == "timestamp"


FIELD = st.text(st.sampled_from("aAbB1é_"), min_size=1, max_size=2)
VALUE = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=5) | st.floats(-1e6, 1e6)


@given(
    rows=st.lists(st.dictionaries(FIELD, VALUE, min_size=1, max_size=4), min_size=1, max_size=5), skips=st.booleans()
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_objects_are_what_the_json_module_reads_or_refused(
    rows: list[dict[str, Any]], skips: bool, files: Path
) -> None:
    lines = [json.dumps(row) for row in rows]
    names = {name.lower() for row in rows for name in row}
    clashing = [number for number, row in enumerate(rows) if len({name.lower() for name in row}) < len(row)]
    place = json_file(files, *lines, bad_lines="skip" if skips else "refuse")
    if clashing and not skips:
        assert f"Line {clashing[0] + 1} " in refusal(place).message
        return
    good = [row for number, row in enumerate(rows) if number not in clashing]
    if not good:
        assert "no objects" in refusal(place).message
        return
    found = values(place)
    assert len(found) == len(good)
    for row, expected in zip(found, good, strict=True):
        read = {name.lower(): value for name, value in row.items() if value is not None}
        wanted = {name.lower(): value for name, value in expected.items() if value is not None}
        assert read.keys() == wanted.keys() <= names
        assert all(read[name] in (value, _text_of(value)) for name, value in wanted.items())


def _text_of(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)
