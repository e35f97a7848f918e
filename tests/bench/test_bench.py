"""The benchmarks at tiny sizes: every case finds exactly what changed, and the tables are complete. Checks no times."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib import admin

from tests.bench import adoption, delivery, planning, reading, report, suite
from tests.bench.cases import CASES
from tests.bench.delivery import Delivered
from tests.bench.goals import goals
from tests.bench.pages import asking
from tests.bench.pages.addresses import LISTS
from tests.bench.pages.measure import Page
from tests.bench.planning import Planned, Size, WholeRun
from tests.bench.reading import Read, Related
from tests.bench.setup.data import Companies, write_sqlite
from tests.bench.setup.databases import databases
from tests.bench.setup.home import Home

if TYPE_CHECKING:
    from pathlib import Path

ROWS = 2_000


def table_rows(path: Path, changed: str) -> list[tuple[object, ...]]:
    path.unlink(missing_ok=True)
    write_sqlite(str(path), "companies", Companies(ROWS, changed))
    with sqlite3.connect(path) as database:
        return database.execute("select * from companies").fetchall()


def test_companies_are_reproducible_and_change_by_the_given_amount(tmp_path: Path) -> None:
    none, some = table_rows(tmp_path / "a", "none"), table_rows(tmp_path / "a", "some")
    assert none == table_rows(tmp_path / "b", "none")
    before, after = ({row[0]: row for row in rows if row[0] and row[2]} for rows in (none, some))
    keys = [row[0] for row in none]
    assert (len(keys), keys.count(None), len(set(keys)) - 1) == (ROWS + 150, 50, ROWS)
    assert len(before.keys() - after.keys()) == 4
    assert len(after.keys() - before.keys()) == 2
    assert sum(before[key] != after[key] for key in before.keys() & after.keys()) == 16


@pytest.mark.slow
def test_planning_finds_exactly_what_changed_and_a_run_without_changes_writes_nothing(tmp_path: Path) -> None:
    output: list[str] = []
    results = suite.Results(ROWS)
    suite.plan(suite.Wanted(Size(ROWS, 1, 100), ["sqlite"], ["sqlite"], 1), "", results, output.append)
    assert [(found.case, found.exact) for found in results.planned] == [(case, True) for case in planning.STATES]
    assert [run.writes for run in results.whole] == [0]
    assert all(found.statements > 0 and found.wall > 0 and found.rss > 0 for found in results.planned)
    assert bool(results.drt) != bool(results.drt_missing)
    assert any("one lookup per row" in line for line in report.planning(results).splitlines())


class InProcessHome(Home):
    """A home whose cases run in this process."""

    def manage(self, *words: str) -> str:
        return ""

    def measure(self, case: str, **options: Any) -> dict[str, Any]:
        return CASES[case](**options)


@pytest.mark.django_db
@pytest.mark.parametrize("source", ["sqlite", "duckdb", "csv", "jsonl", "parquet"])
def test_reading_returns_every_row_and_is_compared_with_the_driver(source: str, tmp_path: Path, settings: Any) -> None:
    home = InProcessHome(tmp_path, {})
    settings.SOURCE_FILES_ROOT = home.sources
    home.sources.mkdir()
    (found,) = reading.measure(home, source, "", ROWS, 1, 0.0)
    assert isinstance(found, Read)
    assert (found.source, found.rows) == (source, ROWS)
    assert min(found.first, found.preview, found.driver, found.seconds) > 0
    assert f"| {source}" in report.reading(suite.Results(ROWS, read=[found]))


@pytest.mark.slow
def test_each_changed_record_takes_one_write_with_two_workers(tmp_path: Path) -> None:
    with databases("sqlite", tmp_path, "") as scratch:
        rounds = list(delivery.measure(scratch, tmp_path, "attio.companies", 2, 0.1, unlimited=True))
    assert [(found.what, found.writes, found.accepted, found.refused) for found in rounds] == [
        ("create", 40, 40, 0),
        ("update", 40, 40, 0),
    ]
    assert not list(tmp_path.glob("delivery.sqlite3*"))


@pytest.mark.slow
def test_adopting_reads_in_full_pages_and_writes_nothing(tmp_path: Path) -> None:
    with databases("sqlite", tmp_path, "") as scratch:
        found = adoption.measure(scratch, tmp_path, ROWS, 0.5)
    assert (found.matched, found.lookups, found.writes) == (ROWS, 5, 0)
    assert min(found.run, found.bare, found.writes_per_second) > 0
    results = suite.Results(ROWS, adopted=[found])
    assert "| sqlite" in adoption.table(results.adopted, results.idle)
    assert {name: met for name, _, _, met in goals(results)}["adopting, sqlite: lookups, writes"]


def test_pace_counts_only_accepted_writes_of_records() -> None:
    responses = [
        ("POST", "/data_attributes", 200, 1.0),
        ("GET", "/me", 200, 2.0),
        ("POST", "/v2/objects/companies/records/query", 200, 3.0),
        ("POST", "/companies", 200, 10.0),
        ("PUT", "/companies/5", 200, 10.5),
        ("POST", "/companies", 429, 10.6),
        ("PUT", "/companies/6", 200, 11.0),
    ]
    log = [{"method": method, "path": path, "status": status, "at": at} for method, path, status, at in responses]
    assert delivery.pace(log) == (2.0, 1, 4, 3)


def test_missed_goals_are_reported() -> None:
    results = suite.Results(1_000_000, idle=100)
    results.planned = [
        Planned("postgres", "sqlite", "0 %", 3.0, 3.0, 100, 1.0, 1.0, exact=True),
        Planned("csv", "sqlite", "0 %", 3.5, 3.0, 300, 1.0, 1.0, exact=False),
    ]
    results.whole = [WholeRun("postgres", "sqlite", 4.0, 3.0, 1, 5.0)]
    results.delivered = [Delivered("attio.companies", "sqlite", "create", 1, 25, 24.6, 0, 100, 1, 100, 1.0, 120)]
    results.read = [Read("csv", 1.0, 0.2, 0.05, 9.0, 1_000_000, 60, 90)]
    results.related = [Related(1_000_000, 5_000_000, 2.0, 1.9, same=False)]
    missed = [name for name, _, _, met in goals(results) if not met]
    assert missed == [
        "csv → sqlite, 0 % changed: × from PostgreSQL",
        "csv → sqlite, 0 % changed: MB above idle",
        "postgres → sqlite, run without changes: × plan, writes",
        "csv: preview overhead, ms",
        "csv, all rows: MB above idle",
        "postgres, related rows counted: × hand-written SQL",
    ]
    assert "WRONG" in report.planning(results)
    assert "98.4%" in report.delivering(results)


def test_tables_are_aligned_and_a_rewritten_document_keeps_its_other_sections() -> None:
    lines = report.table(("a", "b"), [("long cell", "1"), ("x", "22")]).splitlines()
    assert len({len(line) for line in lines}) == 1
    once = report.written("", {"Planning": "old", "Delivering": "kept"})
    assert report.written(once, {"Planning": "new"}) == report.written("", {"Planning": "new", "Delivering": "kept"})


def test_percentiles_are_values_that_were_measured() -> None:
    assert [asking.percentile(range(1, 21), share) for share in (0.05, 0.5, 0.95, 1)] == [1, 10, 19, 20]
    assert asking.percentile([7.0], 0.95) == 7.0


def test_every_list_of_the_admin_is_measured() -> None:
    lists = {f"{model._meta.app_label}/{model._meta.model_name}" for model in admin.site._registry}
    # The fields of a model are on its page. Their address leads to the list of models.
    assert lists - set(LISTS) == {"segments/computedfield"}


def test_a_page_that_is_slow_fails_or_needs_more_queries_with_more_rows_is_not_good() -> None:
    def page(p95: float, status: int, queries: int, few: int) -> Page:
        asked = asking.Asked("overview", "/admin/", status, p95, p95, p95, p95, p95, queries)
        return Page(asked, replace(asked, status=200, queries=few))

    measured = [page(0.14, 200, 9, 9), page(0.16, 200, 9, 9), page(0.1, 500, 9, 9), page(0.1, 200, 60, 12)]
    assert [found.is_good for found in measured] == [True, False, False, False]
    text = report.pages(measured)
    assert all(text.count(words) == 1 for words in ("TOO SLOW", "ERROR 500", "QUERIES GROW"))
    reached = [goal[2:] for goal in goals(suite.Results(ROWS, pages=measured))]
    assert reached == [("3 of 4, slowest 160", False), ("3 of 4", False), ("3 of 4", False)]
