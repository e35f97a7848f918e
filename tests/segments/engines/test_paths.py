"""File sources: which files may be read, patterns, and files that change while they are read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Unavailable
from segments.engines.paths import table_name
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.files import csv_file, refusal, types, values
from tests.segments.places import Place, make

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("slug", ["csv", "parquet", "jsonl", "duckdb", "sqlite"])
@pytest.mark.parametrize(
    "path", ["../secret.csv", "/etc/passwd", "sub/../../secret.csv", "link.csv", "linked/secret.csv"]
)
def test_no_file_outside_the_directory_is_read(slug: str, path: str, files: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    for name, target in (("link.csv", tmp_path / "secret.csv"), ("linked", tmp_path)):
        (files / name).unlink(missing_ok=True)
        (files / name).symlink_to(target)
    problem = refusal(Place(slug, "secret", {"path": path}))
    assert problem.code == "source_file_outside"
    assert "SOURCE_FILES_ROOT" in problem.message


@pytest.mark.parametrize("slug", ["csv", "parquet", "jsonl", "duckdb", "sqlite"])
def test_missing_file_is_named_in_the_error(slug: str, files: Path) -> None:
    problem = refusal(Place(slug, "nope", {"path": "nope.csv"}))
    assert (problem.code, problem.where) == ("source_file_missing", "path")
    assert "“nope.csv”" in problem.message


def test_absolute_path_inside_the_directory_is_read(files: Path) -> None:
    csv_file(files, "a\n1\n")
    assert values(Place("csv", "file", {"path": str(files / "file.csv")})) == [{"a": 1}]


@pytest.mark.parametrize("slug", ["parquet", "sqlite", "duckdb", "jsonl"])
def test_file_of_a_different_kind_is_refused(slug: str, files: Path) -> None:
    csv_file(files, "a,b\n" + "1,2\n" * 1000)
    assert refusal(Place(slug, "file", {"path": "file.csv"})).code == (
        "source_file_broken" if slug == "jsonl" else "source_file_unreadable"
    )


def test_pattern_reads_many_files_as_one_table(files: Path) -> None:
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


def test_file_that_is_added_later_is_read_too(files: Path) -> None:
    place = Place("csv", "day", {"path": "day-*.csv"})
    csv_file(files, "a\n1\n", "day-1.csv")
    assert types(place) == {"a": "integer"}
    csv_file(files, "a\nx\n", "day-2.csv")
    assert types(place) == {"a": "text"}
    assert len(values(place)) == 2


def test_error_names_the_broken_file_among_many(files: Path) -> None:
    csv_file(files, "a,b\n1,2\n", "part-1.csv")
    csv_file(files, "a,b\n1,2,3\n", "part-2.csv")
    assert "Line 2 of the file “part-2.csv”" in refusal(Place("csv", "part", {"path": "part-*.csv"})).message


@pytest.mark.parametrize("path", ["../*.csv", "/etc/*", "sub/../../*.csv", "away/*.csv"])
def test_no_pattern_leads_outside_the_directory(path: str, files: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    (files / "away").unlink(missing_ok=True)
    (files / "away").symlink_to(tmp_path)
    assert refusal(Place("csv", "secret", {"path": path})).code == "source_file_outside"
    (files / "away").unlink()


def test_pattern_without_matches_is_named_in_the_error(files: Path) -> None:
    assert "“nothing-*.csv”" in refusal(Place("csv", "nothing", {"path": "nothing-*.csv"})).message


@pytest.mark.parametrize("slug", ["csv", "jsonl", "parquet"])
def test_file_that_changes_while_it_is_read_is_a_problem(slug: str, files: Path) -> None:
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


@pytest.mark.parametrize("name", ["a[1].csv", "a{x}.csv", "what?.csv", "all*.csv"])
def test_name_with_the_characters_of_a_pattern_is_that_file(name: str, files: Path) -> None:
    csv_file(files, "a\n1\n", "a1.csv")
    csv_file(files, "a\n2\n", name)
    csv_file(files, "a\n3\n", "all1.csv")
    assert values(Place("csv", table_name(name), {"path": name})) == [{"a": 2}]
    (files / name).unlink()
    if name == "a[1].csv":
        assert values(Place("csv", "a", {"path": name})) == [{"a": 1}]
