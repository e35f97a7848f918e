"""Files: which may be read, what a CSV file may look like, and what is out of its reach."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet
import pytest

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, ColumnType
from segments.engines.duckdb.database import USED, DatabaseReader
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import Place, make


def csv_file(files: Path, text: str | bytes, name: str = "file.csv") -> Place:
    (files / name).write_bytes(text.encode() if isinstance(text, str) else text)
    return Place("csv", Path(name).stem, {"path": name})


def types(place: Place) -> dict[str, str]:
    return {name: str(info.type) for name, info in place.columns().items()}


def values(place: Place, query: str = "") -> list[dict[str, Any]]:
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(**({"sql": query} if query else {"table": place.table}))}
        source = statements.relation(
            list(infos.values()), engines[place.slug].dialect, table="" if query else place.table, sql=query
        )
        rows = reader.rows(statements.select(source, infos, list(infos)), 1000)
    return [{name: natural(value, infos[name].type, ZoneInfo("UTC")) for name, value in row.items()} for row in rows]


def refusal(place: Place) -> Misconfigured:
    with pytest.raises(Misconfigured) as refused:
        values(place)
    return refused.value


@pytest.mark.parametrize("slug", ["csv", "parquet", "jsonl", "duckdb", "sqlite"])
@pytest.mark.parametrize(
    "path", ["../secret.csv", "/etc/passwd", "sub/../../secret.csv", "link.csv", "linked/secret.csv"]
)
def test_no_file_outside_the_directory_is_read(slug: str, path: str, files: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for name, target in (("link.csv", tmp_path / "secret.csv"), ("linked", tmp_path)):
        (files / name).unlink(missing_ok=True)
        (files / name).symlink_to(target)
    found = refusal(Place(slug, "secret", {"path": path}))
    assert found.code == "source_file_outside"
    assert "SOURCE_FILES_ROOT" in found.message


@pytest.mark.parametrize("slug", ["csv", "parquet", "jsonl", "duckdb", "sqlite"])
def test_a_missing_file_is_named(slug: str, files: Path) -> None:
    found = refusal(Place(slug, "nope", {"path": "nope.csv"}))
    assert (found.code, found.where) == ("source_file_missing", "path")
    assert "'nope.csv'" in found.message


def test_an_absolute_path_inside_the_directory_is_read(files: Path) -> None:
    csv_file(files, "a\n1\n")
    assert values(Place("csv", "file", {"path": str(files / "file.csv")})) == [{"a": 1}]


@pytest.mark.parametrize("slug", ["parquet", "sqlite", "duckdb", "jsonl"])
def test_a_file_of_another_kind_is_refused_in_words(slug: str, files: Path) -> None:
    csv_file(files, "a,b\n" + "1,2\n" * 1000)
    assert refusal(Place(slug, "file", {"path": "file.csv"})).code == (
        "source_file_broken" if slug == "jsonl" else "source_file_unreadable"
    )


@pytest.mark.parametrize(
    "query",
    [
        "select * from read_csv('{other}')",
        "select * from read_text('{other}')",
        "select * from '{other}'",
        "select * from glob('{folder}/*')",
        "select * from (from read_csv_auto('/etc/passwd'))",
        "attach '{other}' as other",
        "copy file to '{folder}/out.csv'",
        "set memory_limit = '100GB'",
        "set enable_external_access = true",
        "install httpfs",
        "load httpfs",
        "select * from postgres_scan('', '', '')",
    ],
)
def test_sql_over_a_file_reaches_no_other_file(query: str, files: Path) -> None:
    place = csv_file(files, "a\n1\n")
    csv_file(files, "secret\n42\n", "other.csv")
    with pytest.raises(Misconfigured):
        values(place, query.format(other=files / "other.csv", folder=files))
    assert not (files / "out.csv").exists()


def test_a_query_that_needs_too_much_memory_is_refused_in_words(files: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        values(csv_file(files, "a\n1\n"), "select list(range) as everything from range(200000000)")
    assert refused.value.code == "source_too_large"


def test_types_are_those_that_all_values_show(files: Path) -> None:
    place = csv_file(
        files,
        "id,zip,price,mixed,flag,day,local,zoned,both,none,year,long\n"
        "1,01000,1,1,true,2026-01-31,2026-01-31 09:30,2026-01-31T09:30:00Z,2026-01-31T09:30:00Z,,2026,1234567890123456789\n"
        "-2,75001,9.50,n/a,False,2026-02-01,2026-02-01,2026-01-31 09:30:00+0100,2026-01-31 09:30,,1999,1\n"
        ",,,,,,,,,,,\n",
    )
    assert types(place) == {
        "id": "integer",
        "zip": "text",
        "price": "number",
        "mixed": "text",
        "flag": "boolean",
        "day": "date",
        "local": "timestamp",
        "zoned": "timestamp",
        "both": "text",
        "none": "text",
        "year": "integer",
        "long": "text",
    }
    assert values(place)[0]["zip"] == "01000"


def test_types_follow_a_file_that_is_replaced(files: Path) -> None:
    assert types(csv_file(files, "a\n1\n", "changing.csv")) == {"a": "integer"}
    assert types(csv_file(files, "a\nabc\n", "changing.csv")) == {"a": "text"}


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,y\n",
        "\ufeffa,b\r\n1,x\r\n2,y\r\n",
        "a;b\n1;x\n2;y",
        "a\tb\n1\tx\n2\ty\n",
        "a|b\n1|x\n2|y\n",
        '"a","b"\n"1","x"\n"2","y"\n',
    ],
)
def test_the_usual_kinds_of_csv_are_read(text: str, files: Path) -> None:
    assert values(csv_file(files, text)) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_quotation_marks_keep_separators_line_breaks_and_emptiness(files: Path) -> None:
    place = csv_file(files, 'a,b,c\n"x,""y""","two\nlines",\n"",z,"1"\n')
    assert values(place) == [{"a": 'x,"y"', "b": "two\nlines", "c": None}, {"a": "", "b": "z", "c": 1}]


def test_a_column_without_a_name_gets_one(files: Path) -> None:
    assert values(csv_file(files, ",a\n7,1\n")) == [{"column_1": 7, "a": 1}]


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", "source_file_broken", "is empty"),
        ("\n\n", "source_file_broken", "is empty"),
        ("a,A\n1,2\n", "column_twice", "'A'"),
        (b"a\xff,b\n1,2\n", "source_file_broken", "UTF-8"),
        (b"a,b\n1,caf\xe9\n", "source_file_broken", "Line 2 of the file 'file.csv' is not in UTF-8"),
        (
            "a,b\n1,2\n1,2,secret\n",
            "source_file_broken",
            "Line 3 of the file 'file.csv' has 3 values, but the first line names 2 columns",
        ),
        (
            "a,b\n1,2\nsecret\n",
            "source_file_broken",
            "Line 3 of the file 'file.csv' has 1 values, but the first line names 2 columns",
        ),
    ],
)
def test_a_broken_file_is_refused_in_words_that_show_no_value(
    text: str | bytes, code: str, words: str, files: Path
) -> None:
    found = refusal(csv_file(files, text))
    assert found.code == code
    assert words in found.message
    assert "secret" not in found.message


def test_a_file_that_breaks_off_in_the_middle_ends_the_stream_with_a_problem(files: Path) -> None:
    place = csv_file(files, "a,b\n" + "1,2\n" * 200_000 + "1,2,3\n")
    with place.open() as reader, pytest.raises(Misconfigured) as refused:
        info = ColumnInfo("a", ColumnType.TEXT, "VARCHAR")
        source = statements.relation([info], engines["csv"].dialect, table="file")
        for _ in reader.batches(statements.select(source, {"a": info}, ["a"])):
            pass
    assert "Line 200002" in refused.value.message


def test_an_odd_value_in_a_column_of_numbers_is_that_one_rows_trouble(files: Path) -> None:
    place = csv_file(files, "id,mrr\n1,10\n2,n/a\n3,NaN\n4,007\n5,\n")
    rows = {row["id"]: row["mrr"] for row in values(place)}
    assert rows == {1: "10", 2: "n/a", 3: "NaN", 4: "007", 5: None}


def test_the_native_types_of_parquet_come_through_exactly(files: Path) -> None:
    table = pa.table(
        {
            "small": pa.array([1], pa.int8()),
            "huge": pa.array([2**64 - 1], pa.uint64()),
            "money": pa.array([Decimal("12345678901234567.89")], pa.decimal128(20, 2)),
            "single": pa.array([0.1], pa.float32()),
            "nan": pa.array([float("nan")], pa.float64()),
            "nano": pa.array([1], pa.timestamp("ns")),
            "zoned": pa.array([datetime(2026, 1, 31, tzinfo=UTC)], pa.timestamp("ms", "Europe/Paris")),
            "tags": pa.array([["a", None]], pa.list_(pa.string())),
            "place": pa.array([{"city": "Zürich", "day": date(2026, 1, 31)}]),
            "word": pa.array(["x"]).dictionary_encode(),
            "raw": pa.array([b"\x00\xff"], pa.binary()),
        }
    )
    pyarrow.parquet.write_table(table, files / "native.parquet")
    place = Place("parquet", "native", {"path": "native.parquet"})
    assert types(place) == {
        "small": "integer",
        "huge": "integer",
        "money": "number",
        "single": "number",
        "nan": "number",
        "nano": "timestamp",
        "zoned": "timestamp",
        "tags": "list",
        "place": "object",
        "word": "text",
        "raw": "text",
    }
    assert values(place) == [
        {
            "small": 1,
            "huge": 2**64 - 1,
            "money": Decimal("12345678901234567.89"),
            "single": 0.1,
            "nan": None,
            "nano": datetime(1970, 1, 1, tzinfo=UTC),
            "zoned": datetime(2026, 1, 31, tzinfo=UTC),
            "tags": ["a", None],
            "place": {"city": "Zürich", "day": "2026-01-31"},
            "word": "x",
            "raw": "\\x00\\xFF",
        }
    ]


# Many files as one table.


def test_a_pattern_reads_many_files_as_one_table(files: Path) -> None:
    (files / "exports").mkdir(exist_ok=True)
    csv_file(files, "id,name\n1,Acme\n", "exports/companies-1.csv")
    csv_file(files, "Name;seats\nBolt;5\n", "exports/companies-2.csv")
    csv_file(files, "id\n9\n", "exports/other.csv")
    for path in ("exports/companies-*.csv", str(files / "exports" / "companies-[12].csv"), "**/companies-?.csv"):
        place = Place("csv", "companies", {"path": path})
        assert types(place) == {"id": "integer", "name": "text", "seats": "integer"}
        rows = values(place)
        assert sorted(rows, key=lambda row: row["name"]) == [
            {"id": 1, "name": "Acme", "seats": None},
            {"id": None, "name": "Bolt", "seats": 5},
        ]
        assert values(place, "select count(*) as n from companies where seats > 4") == [{"n": 1}]


def test_a_file_that_comes_later_is_read_too(files: Path) -> None:
    place = Place("csv", "day", {"path": "day-*.csv"})
    csv_file(files, "a\n1\n", "day-1.csv")
    assert types(place) == {"a": "integer"}
    csv_file(files, "a\nx\n", "day-2.csv")
    assert types(place) == {"a": "text"}
    assert len(values(place)) == 2


def test_the_broken_file_of_many_is_named(files: Path) -> None:
    csv_file(files, "a,b\n1,2\n", "part-1.csv")
    csv_file(files, "a,b\n1,2,3\n", "part-2.csv")
    assert "Line 2 of the file 'part-2.csv'" in refusal(Place("csv", "part", {"path": "part-*.csv"})).message


@pytest.mark.parametrize("path", ["../*.csv", "/etc/*", "sub/../../*.csv", "away/*.csv"])
def test_no_pattern_leads_outside_the_directory(path: str, files: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (files / "away").unlink(missing_ok=True)
    (files / "away").symlink_to(tmp_path)
    assert refusal(Place("csv", "secret", {"path": path})).code == "source_file_outside"
    (files / "away").unlink()


def test_a_pattern_that_finds_nothing_is_named(files: Path) -> None:
    assert "'nothing-*.csv'" in refusal(Place("csv", "nothing", {"path": "nothing-*.csv"})).message


def test_parquet_files_are_united_by_the_names_of_their_columns(files: Path) -> None:
    pyarrow.parquet.write_table(pa.table({"a": [1], "b": ["x"]}), files / "u-1.parquet")
    pyarrow.parquet.write_table(
        pa.table({"b": ["y"], "c": [0.5], "a": pa.array([2], pa.int8())}), files / "u-2.parquet"
    )
    place = Place("parquet", "u", {"path": "u-*.parquet"})
    assert types(place) == {"a": "integer", "b": "text", "c": "number"}
    assert values(place) == [{"a": 1, "b": "x", "c": None}, {"a": 2, "b": "y", "c": 0.5}]


# JSON lines.


def json_file(files: Path, *lines: str, name: str = "file.jsonl") -> Place:
    (files / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Place("jsonl", Path(name).stem, {"path": name})


def test_the_fields_of_json_have_the_types_that_all_values_show(files: Path) -> None:
    early = (
        '{"id": 1, "zip": "75001", "price": 1.50, "flag": true, "day": "2026-01-31", "at": "2026-01-31T09:30:00", '
        '"zoned": "2026-01-31T09:30:00+01:00", "tags": ["a", null], "place": {"city": "Zürich"}, "mixed": "x", '
        '"none": null, "huge": 1, "both": "2026-01-31T09:30:00"}'
    )
    middle = '{"id": 2, "zip": "01000", "price": 2, "place": {"city": "Köln", "more": [1]}, "tags": []}'
    late = '{"id": 3, "late": 1.5, "mixed": 5, "huge": 12345678901234567890123, "both": "2026-01-31"}'
    place = json_file(files, early, middle, late)
    expected = {
        "id": "integer",
        "zip": "text",
        "price": "number",
        "flag": "boolean",
        "day": "date",
        "at": "timestamp",
        "zoned": "timestamp",
    }
    expected |= {
        "tags": "list",
        "place": "object",
        "mixed": "text",
        "none": "text",
        "huge": "number",
        "both": "timestamp",
        "late": "number",
    }
    assert types(place) == expected
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
    ("lines", "words"),
    [
        (['{"a": 1}', '{"a": secret}'], "a line that is not JSON"),
        (['{"a": 1}', "[1]"], "no objects"),
        (["5"], "no objects"),
        ([""], "no objects"),
    ],
)
def test_what_is_no_object_on_each_line_is_refused_in_words(lines: list[str], words: str, files: Path) -> None:
    found = refusal(json_file(files, *lines))
    assert found.code == "source_file_broken"
    assert words in found.message
    assert "secret" not in found.message


def test_json_of_many_files_is_one_table(files: Path) -> None:
    json_file(files, '{"a": 1}', name="j-1.jsonl")
    json_file(files, '{"b": "x"}', name="j-2.jsonl")
    assert values(Place("jsonl", "j", {"path": "j-*.jsonl"})) == [{"a": 1, "b": None}, {"a": None, "b": "x"}]


def test_fields_that_are_known_are_found_without_a_reading_of_all(files: Path) -> None:
    lines = [json.dumps({"a": number, "b": "x"}) for number in range(50_000)]
    place = json_file(files, *lines, "this is no object")
    assert refusal(place).code == "source_file_broken"
    with place.open() as reader:
        assert list(reader.natives(table=place.table, expected=["a", "b"])) == ["a", "b"]
        infos = {name: ColumnInfo(name, ColumnType.TEXT, "VARCHAR") for name in ("a", "b")}
        source = statements.relation(list(infos.values()), engines["jsonl"].dialect, table=place.table)
        assert reader.rows(statements.select(source, infos, ["b", "a"]), 2) == [
            {"b": "x", "a": "0"},
            {"b": "x", "a": "1"},
        ]


def test_a_field_that_only_a_late_object_has_is_found_where_it_is_expected(files: Path) -> None:
    place = json_file(files, *['{"a": 1}'] * 50_000, '{"a": 2, "late": true}')
    with place.open() as reader:
        assert list(reader.natives(table=place.table, expected=["a"])) == ["a"]
        assert list(reader.natives(table=place.table, expected=["a", "late"])) == ["a", "late"]
        assert list(reader.natives(table=place.table)) == ["a", "late"]
    assert values(place, "select late from file where a = 2") == [{"late": True}]


# Database files of DuckDB.


@pytest.fixture
def database(files: Path) -> Place:
    path = files / "shop.duckdb"
    path.unlink(missing_ok=True)
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            "create table companies (id integer primary key, name varchar); insert into companies values (1, 'Acme')"
        )
        connection.execute(
            'create schema "sa.les"; create table "sa.les".orders (id int); create view seen as select * from companies'
        )
        connection.execute("create sequence numbers; create macro twice(x) as x * 2")
    return Place("duckdb", "companies", {"path": path.name})


def test_the_tables_of_a_duckdb_file_are_found_in_their_schemas(database: Place) -> None:
    with database.open() as reader:
        assert reader.tables() == ["companies", "seen", '"sa.les".orders']
        assert [(info.name, info.nullable) for info in reader.columns(table="companies")] == [
            ("id", False),
            ("name", True),
        ]
        assert [info.name for info in reader.columns(table='"sa.les".orders')] == ["id"]
    assert values(database) == [{"id": 1, "name": "Acme"}]
    assert values(Place("duckdb", '"sa.les".orders', database.settings)) == []
    assert values(database, "select twice(count(*)) as n from seen") == [{"n": 2}]


@pytest.mark.parametrize(
    "query",
    [
        "select nextval('numbers') as n",
        "insert into companies values (2, 'Bolt')",
        "create table other (id int)",
        "attach '{folder}/other.duckdb' as other",
        "select * from read_csv('{folder}/file.csv')",
        "copy companies to '{folder}/out.csv'",
        "use memory",
        "detach source",
        "checkpoint source",
    ],
)
def test_a_duckdb_file_is_only_read_and_nothing_else_is_in_reach(query: str, database: Place, files: Path) -> None:
    csv_file(files, "a\n1\n")
    before = (files / "shop.duckdb").read_bytes()
    with pytest.raises(Misconfigured):
        values(database, query.format(folder=files))
    assert (files / "shop.duckdb").read_bytes() == before
    assert not (files / "out.csv").exists()
    assert not (files / "other.duckdb").exists()


def test_what_was_read_of_a_duckdb_file_is_not_kept_in_memory(database: Place, files: Path) -> None:
    with duckdb.connect(str(files / "shop.duckdb")) as connection:
        connection.execute(
            "create table many as select i as id, md5(i::varchar) || md5((i * 3)::varchar) as text from range(1000000) r(i)"
        )
    place = Place("duckdb", "many", database.settings)
    infos = {"text": ColumnInfo("text", ColumnType.TEXT, "VARCHAR")}
    everything = statements.select(
        statements.relation(list(infos.values()), engines["duckdb"].dialect, table="many"), infos, ["text"]
    )
    rows, kept = 0, []
    with place.open() as reader:
        assert isinstance(reader, DatabaseReader)
        for batch in reader.batches(everything):
            rows += batch.num_rows
            kept.append(dict(reader.beside.execute(USED).fetchall()).get(True, 0))
    assert rows == 1_000_000
    assert max(kept) < 16_000_000 < (files / "shop.duckdb").stat().st_size


def test_a_duckdb_file_may_have_long_rows(database: Place, files: Path) -> None:
    with duckdb.connect(str(files / "shop.duckdb")) as connection:
        connection.execute(
            "create table long as select i as id, repeat(md5(i::varchar), 2000) as text from range(5000) r(i)"
        )
    found = values(Place("duckdb", "long", database.settings))
    assert {len(row["text"]) for row in found} == {64_000}


def test_a_duckdb_file_that_another_program_writes_may_work_later(database: Place, files: Path) -> None:
    code = f"import duckdb, sys; c = duckdb.connect({str(files / 'shop.duckdb')!r}); print('open', flush=True); sys.stdin.read()"
    writer = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert writer.stdout
    assert writer.stdout.readline()
    with pytest.raises(Unavailable) as busy:
        values(database)
    writer.communicate()
    assert busy.value.code == "source_busy"
    assert values(database) == [{"id": 1, "name": "Acme"}]


@pytest.mark.parametrize("slug", ["csv", "jsonl", "parquet"])
def test_a_file_that_changes_while_it_is_read_is_no_whole_one(slug: str, files: Path) -> None:
    rows = [{"id": number, "name": "x" * 50} for number in range(60_000)]
    place = make(slug, files, "changing", {"id": "integer", "name": "text"}, rows)
    path = files / str(place.settings["path"])
    infos = place.columns()
    query = statements.select(
        statements.relation(list(infos.values()), engines[slug].dialect, table=place.table), infos, ["id"]
    )
    with place.open() as reader, pytest.raises(Unavailable) as changed:
        for number, _ in enumerate(reader.batches(query)):
            if number == 0:
                os.utime(path, (1, 1))
    assert changed.value.code == "source_file_changed"
    with place.open() as reader, pytest.raises(Misconfigured) as gone:
        path.unlink()
        list(reader.batches(query))
    assert gone.value.code == "source_file_missing"
