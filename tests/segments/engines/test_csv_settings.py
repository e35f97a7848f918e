"""CSV files from real programs: separators, encodings, line breaks, bad lines, spellings of numbers, declared types."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Misconfigured, Problem
from tests.segments import places
from tests.segments.engines.files import csv_file, refusal, skipped, types, values

if TYPE_CHECKING:
    from pathlib import Path

ACME = [{"id": 1, "name": "Acme", "domain": "acme.com"}, {"id": 2, "name": "Bob", "domain": "bob.com"}]


def test_lines_may_end_in_different_ways(files: Path) -> None:
    assert values(csv_file(files, "id,name,domain\r\n1,Acme,acme.com\n2,Bob,bob.com\r\n")) == ACME
    assert values(csv_file(files, "id,name,domain\n1,Acme,acme.com\r2,Bob,bob.com\r\n")) == ACME
    assert values(csv_file(files, "id,name,domain\r1,Acme,acme.com\r2,Bob,bob.com\r")) == ACME


def test_line_breaks_inside_quotation_marks_are_kept_as_they_are(files: Path) -> None:
    assert values(csv_file(files, 'a,b\r\n"x\ny\r\nz",1\n"q\rr",2\r\n')) == [
        {"a": "x\ny\r\nz", "b": 1},
        {"a": "q\rr", "b": 2},
    ]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('id;name;"domain, website, url, x"\n1;Acme;acme.com\n', ["id", "name", "domain, website, url, x"]),
        ("id;price,EUR;note,x,y\n1;2;3\n", ["id", "price,EUR", "note,x,y"]),
        ("name;city\nA, B, C;x\nD, E, F;y\n", ["name", "city"]),
        ("a,b;c|d\n1,2;3|4\n", ["a", "b;c|d"]),
        ("first|second, third\n1|2\n3|4\n", ["first", "second, third"]),
        ("a;b\n", ["a", "b"]),
        ("only\nx, y\nz\n", ["only"]),
    ],
)
def test_separator_divides_all_lines_alike(text: str, names: list[str], files: Path) -> None:
    assert list(types(csv_file(files, text))) == names


def test_chosen_separator_and_quotation_mark_are_used(files: Path) -> None:
    assert values(csv_file(files, "a;b\n'x;''y';\"2\n", quote="single")) == [{"a": "x;'y", "b": '"2'}]
    assert values(csv_file(files, 'a,b\n"x,"2\n', quote="none")) == [{"a": '"x', "b": '"2'}]
    assert values(csv_file(files, "a,b;c\n1,2;3\n", separator="semicolon")) == [{"a,b": "1,2", "c": 3}]


@pytest.mark.parametrize(("character", "word"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
def test_chosen_separator_that_does_not_fit_is_named(character: str, word: str, files: Path) -> None:
    text = "id;name;mrr\n1;Acme;12,5\n2;Bolt;3\n".replace(";", character)
    assert types(csv_file(files, text))["mrr"] == "text"
    problem = refusal(csv_file(files, text, separator="comma"))
    assert problem.message == f"The values of the file “file.csv” look separated by {word}. Change its separator."
    assert problem.where == "separator"


def test_chosen_separator_may_make_one_column(files: Path) -> None:
    assert list(types(csv_file(files, "a;b\n1;2\n3;4\n", separator="comma"))) == ["a;b"]


def test_first_line_of_excel_names_the_separator(files: Path) -> None:
    expected = [{"id": 1, "name": "A,B,C", "domain": "acme.com"}]
    assert values(csv_file(files, "sep=;\r\nid;name;domain\r\n1;A,B,C;acme.com\r\n")) == expected
    assert values(csv_file(files, '"sep=;"\nid;name;domain\n1;A,B,C;acme.com\n')) == expected
    assert values(csv_file(files, "\ufeffsep=\t\nid\tname\tdomain\n1\tA,B,C\tacme.com\n")) == expected
    assert "Line 4" in refusal(csv_file(files, "sep=;\na;b\n1;2\n3\n")).message


def test_whitespace_around_names_is_removed(files: Path) -> None:
    assert list(types(csv_file(files, ' id , "full name " ,\tdomain\n1,2,3\n'))) == ["id", "full name", "domain"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_unicode_encodings_are_detected(encoding: str, files: Path) -> None:
    text = "id,name\r\n1,Café 🦄\r\n2,株式会社\r\n"
    place = csv_file(files, text.encode(encoding))
    assert values(place) == [{"id": 1, "name": "Café 🦄"}, {"id": 2, "name": "株式会社"}]


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("windows-1252", "Café €"),
        ("latin-1", "Café"),
        ("windows-1251", "Кафе"),
        ("shift_jis", "株式"),
        ("gb18030", "株式"),
    ],
)
def test_chosen_encoding_is_used(encoding: str, name: str, files: Path) -> None:
    place = csv_file(files, f"id,{name}\n1,{name}\n".encode(encoding), encoding=encoding)
    assert values(place) == [{"id": 1, name: name}]


def test_message_names_the_line_and_the_likely_encoding(files: Path) -> None:
    problem = refusal(csv_file(files, "id,name\n1,ok\n2,Café\n".encode("latin-1")))
    assert problem.message.startswith("Line 3 of the file “file.csv” is not in UTF-8. It is probably Windows-1252")
    assert "Encoding" in problem.message
    broken = refusal(csv_file(files, b"id,name\n1,\x81\n", encoding="windows-1252"))
    assert broken.message.startswith("Line 2 of the file “file.csv” is not in Windows-1252")


def test_line_numbers_count_the_lines_inside_of_quotation_marks(files: Path) -> None:
    problem = refusal(csv_file(files, 'a,b\n"x\ny\nz",1\n1,2,3\n'))
    assert "Line 5 of the file “file.csv” has 3 values" in problem.message


BAD = b'id,name\n1,A\n2\n3,"C"\n4,D,x\n5,"unclosed\n6,"F"\n7,"G"x\n8,"H\nh"\n9,' + b"caf\xe9" + b"\n\n10,J\n"


def test_bad_lines_are_skipped_one_by_one_and_listed(files: Path) -> None:
    place = csv_file(files, BAD, bad_lines="skip")
    assert values(place) == [
        {"id": 1, "name": "A"},
        {"id": 3, "name": "C"},
        {"id": 6, "name": "F"},
        {"id": 8, "name": "H\nh"},
        {"id": 10, "name": "J"},
    ]
    assert skipped(place) == [
        "Line 3 of the file “file.csv” has 1 values, but the first line names 2 columns.",
        "Line 5 of the file “file.csv” has 3 values, but the first line names 2 columns.",
        "Line 6 of the file “file.csv” has text after a closing quotation mark.",
        "Line 8 of the file “file.csv” has text after a closing quotation mark.",
        "Line 11 of the file “file.csv” is not in UTF-8. It is probably Windows-1252: choose it under Encoding, "
        "or save the file in UTF-8.",
    ]


def test_unclosed_quotation_mark_hides_no_other_line(files: Path) -> None:
    lines = [f'{number},"unclosed' if number == 250 else f"{number},x" for number in range(500)]
    place = csv_file(files, "id,name\n" + "\n".join(lines), bad_lines="skip")
    assert [row["id"] for row in values(place)] == [number for number in range(500) if number != 250]
    assert skipped(place) == ["Line 252 of the file “file.csv” has an unclosed quotation mark."]


def test_nothing_is_skipped_unless_it_was_chosen(files: Path) -> None:
    assert "Line 3 of the file “file.csv” has 1 values" in refusal(csv_file(files, BAD)).message


@pytest.mark.parametrize(
    ("spellings", "column_type"),
    [
        (["12E4", "34567"], "text"),
        (["+5", "+6"], "text"),
        (["-0", "1"], "text"),
        (["-0.0", "1.5"], "text"),
        (["007", "12"], "text"),
        (["1.10", "2.5"], "text"),
        (["1.10", "7"], "text"),
        (["12.50", "1.10"], "number"),
        (["12.5", "1.25", "7.1"], "number"),
        (["3.0", "0.25", "1e-05", "1.5e+16"], "number"),
        (["1e5", "1.5"], "text"),
        (["1e-05", "1.50"], "text"),
        (["0.1234567890123456", "0.5"], "number"),
        (["0.12345678901234567890123", "0.5"], "text"),
        (["12345678901234567890.12", "0.10"], "number"),
        (["1,5", "2"], "text"),
        (["5%", "10%"], "text"),
        ([".5", "1.5"], "text"),
    ],
)
def test_spelling_that_is_not_the_number_s_own_stays_text(spellings: list[str], column_type: str, files: Path) -> None:
    place = csv_file(files, "a,b\n" + "".join(f'"{spelling}",x\n' for spelling in spellings))
    assert types(place)["a"] == column_type
    typed = values(place, "select cast(a as varchar) as written from file")
    assert [row["written"] for row in typed] == spellings


def test_decimal_comma_is_a_setting(files: Path) -> None:
    text = "id;price;plain;version\n1;12,50;3;1,1\n2;1,10;1,5;x\n"
    assert types(csv_file(files, text)) == {"id": "integer", "price": "text", "plain": "text", "version": "text"}
    place = csv_file(files, text, decimal="comma")
    assert types(place) == {"id": "integer", "price": "number", "plain": "number", "version": "text"}
    assert values(place) == [
        {"id": 1, "price": 12.5, "plain": 3, "version": "1,1"},
        {"id": 2, "price": 1.1, "plain": 1.5, "version": "x"},
    ]
    assert values(place, "select sum(price) as total from file")[0]["total"] == 13.6
    found = places.values(place, field="price", **{"is": "greater_than"}, value=5)
    assert [row["id"] for row in found] == [1]


def test_thousands_of_a_declared_number_may_be_grouped(files: Path) -> None:
    text = "id;price\n1;1.234,50\n2;12\u202f345\n3;n/a\n"
    place = csv_file(files, text, decimal="comma", columns={"price": "number"})
    assert [row["price"] for row in values(place)] == [1234.5, 12345, "n/a"]
    assert values(place, "select sum(price) as total from file")[0]["total"] == 13579.5


def test_declared_types_take_precedence_over_the_values(files: Path) -> None:
    text = (
        "id,zip,price,day,at,seconds,millis\n"
        "1,75001,1.10,2024-01-02,2024-01-02 03:04:05,1704164645,1704164645500\n"
        "2,94107,7,n/a,n/a,x,\n"
    )
    columns = {
        "zip": "text",
        "price": "number",
        "day": "date",
        "at": "timestamp",
        "seconds": "epoch_seconds",
        "millis": "epoch_milliseconds",
    }
    place = csv_file(files, text, columns=columns)
    assert types(place) == {
        "id": "integer",
        "zip": "text",
        "price": "number",
        "day": "date",
        "at": "timestamp",
        "seconds": "timestamp",
        "millis": "timestamp",
    }
    first, second = places.values(place)
    assert first == {
        "id": 1,
        "zip": "75001",
        "price": 1.1,
        "day": date(2024, 1, 2),
        "at": datetime(2024, 1, 2, 3, 4, 5, tzinfo=places.PARIS),
        "seconds": datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC),
        "millis": datetime(2024, 1, 2, 3, 4, 5, 500_000, tzinfo=UTC),
    }
    assert second == {"id": 2, "zip": "94107", "price": 7, "day": "n/a", "at": "n/a", "seconds": "x", "millis": None}
    recent = {"is": "on", "value": "2024-01-02"}
    assert [row["id"] for row in places.values(place, field="seconds", **recent)] == [1]
    typed = "select max(seconds) as last, max(day) as day, zip from file group by zip order by zip"
    assert values(place, typed)[0] == {"last": first["seconds"], "day": first["day"], "zip": "75001"}


def test_declared_column_that_the_file_lacks_is_refused(files: Path) -> None:
    problem = refusal(csv_file(files, "a,b\n1,2\n", columns={"c": "text"}))
    assert "“c”" in problem.message
    assert "“a”, “b”" in problem.message


def test_empty_text_does_not_change_the_type_of_a_column(files: Path) -> None:
    place = csv_file(files, 'id,seen\n1,2024-01-01 10:00:00\n2,""\n')
    assert types(place)["seen"] == "timestamp"
    assert values(place, "select count(seen) as filled from file")[0]["filled"] == 1


CELLS = st.text(st.sampled_from("ab1.,;|\t \"'é\n\r-+Ee0株🦄"), max_size=8)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


@given(
    rows=st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=6),
    ends=st.lists(ENDS, min_size=8, max_size=8),
    separator=st.sampled_from([("comma", ","), ("semicolon", ";"), ("tab", "\t"), ("bar", "|")]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030"]),
    bad_lines=st.sampled_from(["refuse", "skip"]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_quoted_values_are_what_the_csv_module_reads(
    rows: list[tuple[str, ...]],
    ends: list[str],
    separator: tuple[str, str],
    encoding: str,
    bad_lines: str,
    files: Path,
) -> None:
    written = io.StringIO()
    for row, end in zip([("k1", "k2", "k3"), *rows], ends, strict=False):
        csv.writer(written, delimiter=separator[1], quoting=csv.QUOTE_ALL, lineterminator=end).writerow(row)
    place = csv_file(
        files,
        written.getvalue().encode(encoding),
        separator=separator[0],
        bad_lines=bad_lines,
        columns={"k1": "text", "k2": "text", "k3": "text"},
        **({"encoding": encoding} if encoding == "gb18030" else {}),
    )
    assert [tuple(row.values()) for row in values(place)] == rows
    assert skipped(place) == []


def read_by_csv(text: str) -> list[list[str]] | None:
    """The records as the csv module reads them; None if it refuses, or if they don't have two values each."""
    try:
        records = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        return None
    return records if all(len(row) == 2 for row in records) else None


@given(body=st.text(st.sampled_from('ab1,,"\n\n\r é'), max_size=40), bad_lines=st.sampled_from(["refuse", "skip"]))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_read_as_by_the_csv_module_or_refused_with_a_line(body: str, bad_lines: str, files: Path) -> None:
    text = "k1,k2\n" + body
    place = csv_file(files, text, separator="comma", bad_lines=bad_lines, columns={"k1": "text", "k2": "text"})
    expected = read_by_csv(text)
    try:
        found: list[list[Any]] = [[value or "" for value in row.values()] for row in values(place)]
    except Problem as problem:
        assert isinstance(problem, Misconfigured)
        assert "Line " in problem.message
        return
    if expected is not None and not skipped(place):
        assert found == expected[1:]
