"""Queries and files made to exhaust time or memory: they get a sentence, and this process is none the worse for it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Problem
from segments.isolation.reader import GRACE_SECONDS
from segments.models import DataModel, Source
from segments.session import opened
from tests.segments.isolation.conftest import ENDLESS, STUCK, resident, rows_in, rows_of
from tests.segments.places import postgres_settings

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

SECONDS = 2.0
SLACK_SECONDS = 10.0
"""How much longer than its deadline a call may take in this test, on a busy machine."""
TENS_OF_MB = 40 << 20

SLOW, STUCK_CODE = {"source_timeout"}, {"source_deadline"}
LARGE = {"source_too_large", "source_result_too_large"}
EITHER = SLOW | LARGE
"""Both the time and the memory run out soon; which is first depends on the machine."""
SQLITE = {
    "an endless recursion": (ENDLESS, SLOW),
    "a cross join": ("select count(*) as x from shop a, shop b, shop c, shop d, shop e", SLOW),
    "one instruction that takes days": (STUCK, STUCK_CODE),
    "padding": ("select printf('%.*c', 2000000000, 'x') as x", STUCK_CODE | EITHER),
    "random bytes": ("select randomblob(2000000000) as x", LARGE),
    "zeros": ("select zeroblob(2000000000) as x", LARGE),
    "many large values": ("select hex(randomblob(7000000)) as x from shop", EITHER),
    "a sum of large values": ("select group_concat(hex(randomblob(7000000))) as x from shop", EITHER),
    "a sort of large values": ("select hex(randomblob(1000000)) as x from shop order by 1", EITHER),
}
DUCKDB = {
    "an endless range": ("select count(*) as x from range(1000000000000) a, range(1000) b", SLOW),
    "a cross join": (
        "select count(*) as x from shop a, shop b, shop c, shop d where (a.id * b.id + c.id * d.id) % 7919 = 1",
        SLOW,
    ),
    "a long text": ("select repeat('x', 2000000000) as x", LARGE),
    "texts that add up": ("select string_agg(repeat('x', 1000000), '') as x from range(100000)", EITHER),
    "a list of everything": ("select list(n) as x from generate_series(1, 1000000000) t(n)", EITHER),
    "many large values": ("select repeat('x', 10000000) || id as x from shop", EITHER),
    "a wide sort": ("select repeat(md5(id::varchar), 1000000) as x from shop order by 1", EITHER),
}


def refusal(source: Source, sql: str) -> tuple[Problem, float, int]:
    """The problem of a query, after how many seconds it came, and how much memory this process has gained."""
    rows_of(source, "select 1 as x")
    memory, start = resident(), time.monotonic()
    with pytest.raises(Problem) as refused:
        rows_of(source, sql, SECONDS)
    return refused.value, time.monotonic() - start, resident() - memory


def survives(source: Source, sql: str) -> Problem:
    problem, seconds, gained = refusal(source, sql)
    # Discovery and reading are calls of their own, each with a deadline.
    assert seconds < 2 * (SECONDS + GRACE_SECONDS) + SLACK_SECONDS
    assert gained < TENS_OF_MB
    assert len(rows_of(source, "select 1 as x", SECONDS)) == 1
    return problem


@pytest.mark.parametrize("attack", SQLITE)
def test_query_on_sqlite_is_survived(attack: str, shop: Source) -> None:
    sql, codes = SQLITE[attack]
    assert survives(shop, sql).code in codes


@pytest.mark.parametrize("attack", DUCKDB)
def test_query_on_duckdb_is_survived(attack: str, lake: Source) -> None:
    sql, codes = DUCKDB[attack]
    assert survives(lake, sql).code in codes


@pytest.mark.django_db
def test_page_with_such_a_query_gets_an_answer_and_so_does_the_next(shop: Source, staff: Client, settings: Any) -> None:
    settings.SOURCE_PREVIEW_SECONDS = SECONDS
    shop.save()
    stuck = DataModel.objects.create(name="Stuck", source=shop, sql=STUCK, primary_key="x")
    usual = DataModel.objects.create(name="Usual", source=shop, table="shop", primary_key="id")
    answer = staff.get(f"/api/models/{stuck.pk}/preview/")
    assert answer.status_code in range(400, 600)
    assert answer.json()["code"] == "source_deadline"
    assert len(staff.get(f"/api/models/{usual.pk}/preview/").json()["rows"]) == 20


@pytest.mark.parametrize("slug", ["csv", "jsonl"])
def test_file_of_one_endless_line_is_survived(slug: str, shop: Source, tmp_path: Path) -> None:
    with (tmp_path / "line").open("w") as file:
        file.write("id,name\n1," if slug == "csv" else '{"id": 1, "name": "')
        for _ in range(150):
            file.write("x" * 1_000_000)
    rows_of(shop, "select 1 as x")
    memory = resident()
    # Whichever is first: the end of the line, the limit of a value, or the end of the time.
    broken = "source_file_broken" if slug == "csv" else "source_refused"
    source = Source(engine=slug, config={"path": "line"})
    with pytest.raises(Problem) as refused, opened(source, SECONDS) as reader:
        rows_in(reader, source)
    assert refused.value.code in {broken, *STUCK_CODE, *EITHER}
    assert resident() - memory < TENS_OF_MB


def test_rows_with_large_values_of_a_server_stay_out_of_this_process(postgres: None) -> None:
    source = Source(engine="postgres", config=postgres_settings())
    memory = resident()
    with pytest.raises(Problem) as refused:
        rows_of(source, "select n, repeat('x', 30000000) as x from generate_series(1, 20) n", seconds=30.0)
    assert refused.value.code in {"source_result_too_large", "source_too_large", "source_row_too_large"}
    assert resident() - memory < TENS_OF_MB


def test_process_without_enough_memory_ends_with_what_to_do(shop: Source, lake: Source, settings: Any) -> None:
    settings.SOURCE_PREVIEW_MEMORY_MB = 128
    with pytest.raises(Problem) as refused:
        rows_of(shop, SQLITE["many large values"][0], 30.0)
    # Whichever allocates last when the memory is used up: Python, or SQLite for a value.
    enough = {"source_memory": "needed more than 128 MB of memory", "source_too_large": "too large"}
    assert enough[refused.value.code] in refused.value.message
    # DuckDB often does not survive that. This process does.
    with pytest.raises(Problem) as crashed:
        rows_of(lake, DUCKDB["a list of everything"][0], 30.0)
    assert crashed.value.code in {"source_crashed", "source_memory", "source_too_large"}
    settings.SOURCE_PREVIEW_MEMORY_MB = 1024
    assert len(rows_of(lake, "select 1 as x")) == 1
