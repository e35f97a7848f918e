"""A person's SQL reads rows and does nothing else, and no name or value can change a query, on any engine."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Misconfigured, Problem
from segments.conditions import parsing
from segments.contract import ColumnInfo, ColumnType
from segments.engines import sql_guard
from segments.registry import engines
from segments.sql import statements
from segments.values import natural
from tests.segments.places import POSTGRES_URL, SLUGS, Place, make, mysql_connection, run_in_mysql, run_in_postgres

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 3, 31, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
COLUMNS = {"id": "integer", "name": "text"}
ROWS: list[dict[str, Any]] = [{"id": 1, "name": "Acme"}, {"id": 2, "name": None}]
IN_FILES = [
    "select * from read_csv('{outside}')",
    "select * from read_text('{outside}')",
    "select * from read_blob('{outside}')",
    "select * from read_parquet('{outside}')",
    "select * from read_json('{outside}')",
    "select * from sniff_csv('{outside}')",
    "select * from glob('/etc/*')",
    "select * from '{outside}'",
    "from '/etc/passwd'",
    "attach '{outside}' as other",
    "copy shop to '{outside}.out'",
    "copy (select 1) to '{outside}.out'",
    "install httpfs",
    "load httpfs",
    "set allowed_paths = ['/etc/passwd']",
    "pragma enable_external_access",
    "call pragma_database_size()",
    "export database '{outside}.out'",
    "select * from query('copy (select 1) to ''{outside}.out''')",
    "create secret (type s3)",
    "select * from sqlite_scan('{outside}', 't')",
    "explain analyze copy shop to '{outside}.out'",
    "prepare p as select 1",
    "begin",
]
HARMFUL = {
    "postgres": [
        "select pg_sleep(0) as x",
        "select pg_catalog.pg_sleep(0)::text as x",
        'select "pg_sleep" /* here */ (0)::text as x',
        'select U&"pg_sl\\0065ep"(0)::text as x',
        "select 1 as x -- nothing\r, pg_sleep(0)::text as y",
        "select /* /* */ ' */ pg_sleep(0)::text as x /* ' */",
        "select '\\' || pg_sleep(0)::text || '' as x",
        "select $a$ $b$ $a$ || pg_sleep(0)::text || $b$ $b$ as x",
        "select (array['a'])[length(pg_sleep(0)::text) + 1] as x",
        "select nextval('safety') as x",
        "select setval('safety', 9) as x",
        "select lo_import('/etc/passwd') as x",
        "select lo_creat(1) as x",
        "select pg_read_file('/etc/passwd') as x",
        "select pg_ls_dir('/etc') as x",
        "select * from pg_ls_dir('/etc') as x",
        "select pg_stat_file('/etc/passwd')::text as x",
        "select set_config('default_transaction_read_only', 'off', false) as x",
        "select pg_terminate_backend(1) as x",
        "select pg_advisory_lock(1)::text as x",
        "select pg_notify('a', 'b')::text as x",
        "select query_to_xml('select pg_read_file(''/etc/passwd'')', true, true, '')::text as x",
        "select id from safety_rows for update",
        "select ('/etc/passwd'::text).pg_read_file as x",
        "select (0.0::float8).pg_sleep::text as x",
        "select 1 as 😀$a$, pg_read_file('/etc/passwd', 0, 30) as x, 2 as 😀x$a$",
        "select $😀$ ' $😀$ || pg_read_file('/etc/passwd', 0, 30) || $😀$ ' $😀$ as x",
        "select E'a'\n'\\'' as q, pg_read_file('/etc/passwd', 0, 30) as x, 'b' as z",
        "select * from crosstab('select 1, 2, pg_read_file(''/etc/hostname'')') as c(a int, x text)",
        "select * from pg_hba_file_rules",
        "select safety_naps()::text as x",
        "select (1).safety_naps as x",
        "select treat('0 second'::interval as pg_sleep_for)::text as x",
        "select ('0 seconds'::interval).pg_sleep_for::text as x",
        'select "SafetyNaps"() as x',
        'select "safétyNaps"() as x',
        "select E'a' --\n'\\'' as q, safety_naps()::text as x, 'b' as z",
        "select table_to_xml(('pg_hba_'||'file_rules')::regclass,true,true,'')::text as x",
        "select 'p' as x) as model union all select x from (select 'q' as x",
        "select $a0$ $a1$ as x",
        "select 'a\x00' as x",
        "copy (select 1) to program 'touch {outside}'",
        "copy safety_rows from program 'true'",
        "select 1 as x into other",
        "do 'begin perform 1; end'",
        "vacuum",
        "listen a",
    ],
    "mysql": [
        "select load_file('/etc/passwd') as x",
        "select LOAD_FILE /* here */ ('/etc/passwd') as x",
        "select `load_file`('/etc/passwd') as x",
        "select /*!50000 sleep(0) */ as x",
        "select /*M! sleep(0) */ as x",
        "select 1 --load_file('/etc/passwd') as x",
        "select 'a\\'' , load_file('/etc/passwd') as x, '\\''",
        "select 1 as x into outfile '{outside}'",
        "select 1 as x into dumpfile '{outside}'",
        "select 1 into @x",
        "select sleep(0) as x",
        "select get_lock('a', 0) as x",
        "select benchmark(1, 1) as x",
        "select nextval(safety) as x",
        "select next value for safety as x",
        "select setval(safety, 9) as x",
        "load data infile '/etc/passwd' into table safety_rows",
        "set global max_connections = 1",
        "lock tables safety_rows read",
        "call nothing()",
        "handler safety_rows open",
        "kill 1",
        "create temporary table t as select 1",
        "select 1 as x) AS model INTO OUTFILE '{outside}.out';\x00",
        "select 1 as x from safety_rows lock in share mode",
        "select 'p' as x) as model union all select x from (select 'q' as x",
        "select '" + "\\'" * 20_000,
        "select 1 --\u00a0x , load_file('/etc/hostname') as x from (select 1 as `\u00a0x`) t",
        "select 1 as a --\x01 '\n, load_file('/etc/hostname') as x, 'x' as z",
    ],
    "sqlite": [
        "attach '{outside}' as other",
        "select load_extension('x')",
        "select writefile('{outside}', 'x')",
        "select readfile('/etc/passwd')",
        "pragma journal_mode = delete",
        "select * from pragma_database_list",
        "vacuum into '{outside}'",
        "begin",
        "reindex",
        "create temp table t (x)",
        "detach main",
    ],
    **dict.fromkeys(("csv", "parquet", "jsonl", "duckdb"), IN_FILES),
}
CASES = [(slug, query) for slug, queries in HARMFUL.items() for query in queries]


@pytest.fixture(scope="module")
def shop() -> dict[str, Place]:
    return {}


def opened(slug: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest) -> Place:
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


@pytest.mark.parametrize(("slug", "query"), CASES, ids=[f"{slug}-{place}" for place, (slug, _) in enumerate(CASES)])
def test_what_does_more_than_read_is_refused(
    slug: str, query: str, files: Path, tmp_path: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    place = opened(slug, files, shop, request)
    outside = tmp_path / "outside"
    outside.write_text("secret\n")
    wanted = query.replace("{outside}", str(outside))
    with pytest.raises(Misconfigured) as refused:
        values(place, wanted)
    assert "secret" not in refused.value.message
    info = ColumnInfo("x", ColumnType.TEXT, "text")
    with place.open(timeout_seconds=5) as reader, pytest.raises(Problem):
        # The same past discovery.
        source = statements.relation([info], engines[slug].dialect, sql=wanted)
        list(reader.batches(statements.select(source, {"x": info}, ["x"])))
    assert [path.name for path in tmp_path.iterdir()] == ["outside"]


def test_no_sequence_moved(files: Path, shop: dict[str, Place], request: pytest.FixtureRequest) -> None:
    for slug in ("postgres", "mysql"):
        opened(slug, files, shop, request)
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
def test_sqlite_says_that_only_select_is_allowed(
    query: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Misconfigured, match="Only SELECT is allowed"):
        values(opened("sqlite", files, shop, request), query)


@pytest.mark.parametrize("slug", SLUGS, indirect=False)
def test_a_syntax_error_is_told_in_the_databases_own_words(
    slug: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Misconfigured) as refused:
        values(opened(slug, files, shop, request), "select id frm shop where")
    assert "syntax" in refused.value.message
    assert refused.value.message.startswith("The source refused the query: ")


@pytest.mark.parametrize(
    "query",
    [
        "select id, 'sleep(1) benchmark(''x'')' as said from shop",
        "select id, name as said from shop -- sleep(1) benchmark(1)",
        "select id, /* sleep(1) benchmark(1) */ upper(name) as said from shop",
        "with sleep as (select id, name as said from shop) select * from sleep where (id > 0)",
    ],
)
@pytest.mark.parametrize("slug", SLUGS)
def test_words_that_are_no_calls_do_not_matter(
    query: str, slug: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    assert len(values(opened(slug, files, shop, request), query)) == 2


@pytest.mark.parametrize(("slug", "name"), [("postgres", "pg_read_file"), ("mysql", "load_file")])
def test_what_reads_files_may_not_even_be_named(
    slug: str, name: str, files: Path, shop: dict[str, Place], request: pytest.FixtureRequest
) -> None:
    with pytest.raises(Misconfigured, match=f"{name} can't be used here, not even in a text"):
        values(opened(slug, files, shop, request), f"select '{name}' as x")


def test_calls_are_found_wherever_they_stand() -> None:
    assert sql_guard.calls('select a(1), "B" (2), c.d(3) from e where f in (1) and g', sql_guard.STANDARD) == {
        "a",
        "b",
        "d",
        "in",
    }
    assert sql_guard.calls("select `a`(1), \"b(\", 'c(', # d(1)\n e(1)", sql_guard.MYSQL) == {"a", "e"}


# Names and values of any kind.

# MySQL takes no characters of four bytes in names.
NAME_PIECES = [
    "'",
    '"',
    "`",
    ";",
    "--",
    "/*",
    "*/",
    "%",
    "%s",
    "%(x)s",
    "%%",
    "\\",
    "$1",
    "$$",
    ":x",
    "?",
    "{0}",
    ")",
    "(",
    "select",
    "é",
    "日",
    " ",
]
PIECES = [*NAME_PIECES, "\n", "👍🏽"]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00\r"), max_size=4)
VALUES = st.lists(st.sampled_from(PIECES) | ANY_TEXT, max_size=5).map("".join)
NAMES = st.lists(st.sampled_from([*NAME_PIECES, *"abcXYZ_.1"]), min_size=1, max_size=5).map(
    lambda parts: f"n{''.join(parts).rstrip()}n"
)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(name=NAMES, other=NAMES, held=st.lists(VALUES, min_size=1, max_size=4), asked=VALUES)
def test_no_name_and_no_value_changes_a_query(
    name: str, other: str, held: list[str], asked: str, slug: str, files: Path
) -> None:
    names = list({one.lower(): one for one in ("id", name[:30], f"{other[:30]}2")}.values())
    rows = [{"id": place, **dict.fromkeys(names[1:], value)} for place, value in enumerate([*held, asked])]
    place = make(slug, files, "fuzz", {one: "integer" if one == "id" else "text" for one in names}, rows)
    kinds = {one: ColumnType.INTEGER if one == "id" else ColumnType.TEXT for one in names}
    with place.open() as reader:
        infos = {
            info.name: ColumnInfo(info.name, kinds[info.name], info.native)
            for info in reader.columns(table=place.table)
        }
        assert list(infos) == names
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)

        def found(**condition: Any) -> set[int]:
            tree = parsing.parse({"all": [{"field": names[1], **condition}]}, kinds)
            query = statements.select(
                source, infos, names, statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE)
            )
            answer = [natural(row["id"], ColumnType.INTEGER, UTC_ZONE) for row in reader.rows(query, 100)]
            statements.literal_sql(query, engines[slug].dialect)
            return set(answer)

        texts = {place: str(row[names[1]]) for place, row in enumerate(rows)}
        if asked.strip():
            (leaf,) = parsing.leaves(
                parsing.parse({"all": [{"field": names[1], "is": "equals", "value": asked}]}, kinds)
            )
            said = str(leaf.value)
            assert found(**{"is": "equals", "value": asked}) == {place for place, text in texts.items() if text == said}
            assert found(**{"is": "contains", "value": asked}) == {
                place for place, text in texts.items() if said in text
            }
            assert found(**{"is": "starts_with", "value": asked}) == {
                place for place, text in texts.items() if text.startswith(said)
            }
            assert found(**{"is": "none_of", "value": [asked, "x"]}) == {
                place for place, text in texts.items() if text not in (said, "x")
            }


def test_a_list_of_ten_thousand_values_is_looked_up(slug: str, files: Path) -> None:
    wanted = [f"it's {number} %s" for number in range(10_000)]
    place = make(
        slug,
        files,
        "long_list",
        COLUMNS,
        [{"id": number, "name": f"it's {number} %s"} for number in (0, 9_999, 10_000)],
    )
    with place.open() as reader:
        infos = {info.name: info for info in reader.columns(table=place.table)}
        source = statements.relation(list(infos.values()), engines[slug].dialect, table=place.table)
        for operator, expected in (("one_of", [0, 9_999]), ("none_of", [10_000])):
            tree = parsing.parse(
                {"all": [{"field": "name", "is": operator, "value": wanted}]}, {"id": "integer", "name": "text"}
            )
            query = statements.select(
                source, infos, ["id"], statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE)
            )
            assert sorted(int(row["id"]) for row in reader.rows(query, 10)) == expected
        tree = parsing.parse(
            {"all": [{"field": "id", "is": "one_of", "value": list(range(1, 10_001))}]}, {"id": "integer"}
        )
        query = statements.select(source, infos, ["id"], statements.where(tree, source, infos, now=NOW, zone=UTC_ZONE))
        assert sorted(int(row["id"]) for row in reader.rows(query, 10)) == [9_999, 10_000]
