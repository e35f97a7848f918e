"""A person's SQL reads rows and does nothing else, on any engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest

from core.errors import Misconfigured, Problem
from segments.contract import ColumnInfo, ColumnType
from segments.engines import sql_guard
from segments.registry import engines
from segments.sql import statements
from tests.segments.engines.harmful import HARMFUL
from tests.segments.places import POSTGRES_URL, SLUGS, Place, make, mysql_connection, run_in_mysql, run_in_postgres

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 31, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
COLUMNS = {"id": "integer", "name": "text"}
ROWS: list[dict[str, Any]] = [{"id": 1, "name": "Acme"}, {"id": 2, "name": None}]
CASES = [(slug, query) for slug, queries in HARMFUL.items() for query in queries]


@pytest.fixture(scope="module")
def shop() -> dict[str, Place]:
    return {}


def shop_place(slug: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest) -> Place:
    if slug in ("postgres", "mysql"):
        request.getfixturevalue(slug)
    if slug not in shop:
        shop[slug] = make(slug, files, "shop", COLUMNS, ROWS)
        if slug == "postgres":
            naps = "create function safety_naps() returns text language sql volatile as 'select pg_sleep(0)::text'"
            others = [naps.replace("safety_naps()", f"{name}()") for name in ('"SafetyNaps"', '"safétyNaps"')]
            others.append(naps.replace("safety_naps()", "safety_naps(int)"))
            run_in_postgres("create sequence safety", "create table safety_rows (id int)", naps, *others)
        if slug == "mysql":
            run_in_mysql("create sequence safety", "create table safety_rows (id int)")
    return shop[slug]


def values(place: Place, query: str) -> list[dict[str, Any]]:
    with place.open(timeout_seconds=5) as reader:
        infos = {info.name: info for info in reader.columns(sql=query)}
        source = statements.relation(list(infos.values()), engines[place.slug].dialect, sql=query)
        return reader.rows(statements.select(source, infos, list(infos)), 100)


@pytest.mark.parametrize(("slug", "query"), CASES, ids=[f"{slug}-{number}" for number, (slug, _) in enumerate(CASES)])
def test_query_that_does_more_than_read_is_refused(
    slug: str, query: str, files: Path, tmp_path: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    place = shop_place(slug, files, shop, request)
    outside = tmp_path / "outside"
    outside.write_text("secret\n")
    sql = query.replace("{outside}", str(outside))
    with pytest.raises(Misconfigured) as refused:
        values(place, sql)
    assert "secret" not in refused.value.message
    info = ColumnInfo("x", ColumnType.TEXT, "text")
    with place.open(timeout_seconds=5) as reader, pytest.raises(Problem):
        # The same without discovery.
        source = statements.relation([info], engines[slug].dialect, sql=sql)
        list(reader.batches(statements.select(source, {"x": info}, ["x"])))
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]


def test_no_sequence_is_advanced(files: Path, shop: dict[str, Place], request: pytest.FixtureRequest) -> None:
    for slug in ("postgres", "mysql"):
        shop_place(slug, files, shop, request)
        for query in ("select nextval('safety') as x", "select nextval(safety) as x"):
            with pytest.raises(Misconfigured):
                values(shop[slug], query)
    with psycopg.connect(POSTGRES_URL) as connection:
        schema = shop["postgres"].settings["schema"]
        assert connection.execute(f'select is_called from "{schema}".safety'.encode()).fetchone() == (False,)
    with mysql_connection() as connection, connection.cursor() as cursor:
        cursor.execute("select next_not_cached_value from safety")
        assert cursor.fetchone() == (1,)


@pytest.mark.parametrize(
    "query", ["delete from shop", "update shop set id = 1", "insert into shop values (1, 'x')", "drop table shop"]
)
def test_sqlite_reports_that_only_select_is_allowed(
    query: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Misconfigured, match="Only SELECT is allowed"):
        values(shop_place("sqlite", files, shop, request), query)


@pytest.mark.parametrize("slug", SLUGS, indirect=False)
def test_syntax_error_has_the_databases_own_message(
    slug: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Misconfigured) as refused:
        values(shop_place(slug, files, shop, request), "select id frm shop where")
    assert "syntax" in refused.value.message
    assert refused.value.message.startswith("The source refused the query: ")


@pytest.mark.parametrize(
    "query",
    [
        "select id, 'sleep(1) benchmark(''x'')' as note from shop",
        "select id, name as note from shop -- sleep(1) benchmark(1)",
        "select id, /* sleep(1) benchmark(1) */ upper(name) as note from shop",
        "with sleep as (select id, name as note from shop) select * from sleep where (id > 0)",
    ],
)
@pytest.mark.parametrize("slug", SLUGS)
def test_forbidden_function_names_are_allowed_unless_called(
    query: str, slug: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    assert len(values(shop_place(slug, files, shop, request), query)) == 2


@pytest.mark.parametrize(("slug", "name"), [("postgres", "pg_read_file"), ("mysql", "load_file")])
def test_functions_that_read_files_may_not_even_be_mentioned(
    slug: str, name: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Misconfigured, match=f"{name} can't be used here, not even in a string"):
        values(shop_place(slug, files, shop, request), f"select '{name}' as x")


def test_function_calls_are_found_anywhere_in_a_query() -> None:
    assert sql_guard.called_functions(
        'select a(1), "B" (2), c.d(3) from e where f in (1) and g', sql_guard.STANDARD
    ) == {
        "a",
        "b",
        "d",
        "in",
    }
    assert sql_guard.called_functions("select `a`(1), \"b(\", 'c(', # d(1)\n e(1)", sql_guard.MYSQL) == {"a", "e"}
