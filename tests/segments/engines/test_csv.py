"""CSV files: types, variants, broken files, and what a query can't reach."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured
from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.files import csv_file, refusal, types, values

if TYPE_CHECKING:
    from pathlib import Path


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
def test_query_of_a_file_reaches_no_other_file(query: str, files: Path) -> None:
    place = csv_file(files, "a\n1\n")
    csv_file(files, "secret\n42\n", "other.csv")
    with pytest.raises(Misconfigured):
        values(place, query.format(other=files / "other.csv", folder=files))
    assert not (files / "out.csv").exists()


def test_query_that_needs_too_much_memory_is_refused(files: Path) -> None:
    with pytest.raises(Misconfigured) as refused:
        values(csv_file(files, "a\n1\n"), "select list(range) as everything from range(200000000)")
    assert refused.value.code == "source_too_large"


def test_types_fit_all_values(files: Path) -> None:
    place = csv_file(
        files,
        "id,zip,price,mixed,flag,day,local,zoned,both,none,year,long\n"
        "1,01000,1.00,1,true,2026-01-31,2026-01-31 09:30,2026-01-31T09:30:00Z,2026-01-31T09:30:00Z,,2026,"
        "1234567890123456789\n"
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


def test_types_follow_a_replaced_file(files: Path) -> None:
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
def test_common_variants_of_csv_are_read(text: str, files: Path) -> None:
    assert values(csv_file(files, text)) == [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


def test_quotation_marks_preserve_separators_line_breaks_and_empty_text(files: Path) -> None:
    place = csv_file(files, 'a,b,c\n"x,""y""","two\nlines",\n"",z,"1"\n')
    assert values(place) == [{"a": 'x,"y"', "b": "two\nlines", "c": None}, {"a": "", "b": "z", "c": 1}]


def test_column_without_a_name_gets_one(files: Path) -> None:
    assert values(csv_file(files, ",a\n7,1\n")) == [{"column_1": 7, "a": 1}]


@pytest.mark.parametrize(
    ("text", "code", "excerpt"),
    [
        ("", "source_file_broken", "is empty"),
        ("\n\n", "source_file_broken", "is empty"),
        ("a,A\n1,2\n", "column_twice", "“A”"),
        (b"a\xff,b\n1,2\n", "source_file_broken", "UTF-8"),
        (b"a,b\n1,caf\xe9\n", "source_file_broken", "Line 2 of the file “file.csv” is not in UTF-8"),
        (
            "a,b\n1,2\n1,2,secret\n",
            "source_file_broken",
            "Line 3 of the file “file.csv” has 3 values, but the first line names 2 columns",
        ),
        (
            "a,b\n1,2\nsecret\n",
            "source_file_broken",
            "Line 3 of the file “file.csv” has 1 values, but the first line names 2 columns",
        ),
    ],
)
def test_error_of_a_broken_file_shows_no_value(text: str | bytes, code: str, excerpt: str, files: Path) -> None:
    problem = refusal(csv_file(files, text))
    assert problem.code == code
    assert excerpt in problem.message
    assert "secret" not in problem.message


def test_broken_line_in_the_middle_ends_the_stream_with_a_problem(files: Path) -> None:
    place = csv_file(files, "a,b\n" + "1,2\n" * 200_000 + "1,2,3\n")
    with place.open() as reader, pytest.raises(Misconfigured) as refused:
        info = ColumnInfo("a", ColumnType.TEXT, "VARCHAR")
        source = statements.relation([info], engines["csv"].dialect, table="file")
        for _ in reader.batches(statements.select(source, {"a": info}, ["a"])):
            pass
    assert "Line 200002" in refused.value.message


def test_odd_value_in_a_numeric_column_affects_only_its_row(files: Path) -> None:
    place = csv_file(files, "id,mrr\n1,10\n2,n/a\n3,NaN\n4,007\n5,\n")
    rows = {row["id"]: row["mrr"] for row in values(place)}
    assert rows == {1: "10", 2: "n/a", 3: "NaN", 4: "007", 5: None}
