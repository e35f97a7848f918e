"""PostgreSQL: types that compare or spell their values in their own way, privileges, and names of functions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from core.errors import Misconfigured
from segments.models import DataModel, Relation, Source
from segments.reading import read
from segments.sources.discovery import refresh_columns
from segments.sources.key_check import key_share
from tests.segments.places import (
    POSTGRES_SCHEMA,
    POSTGRES_URL,
    Place,
    postgres_settings,
    refusal,
    run_in_postgres,
    values,
)

if TYPE_CHECKING:
    from segments.contract import ColumnInfo

pytestmark = [pytest.mark.usefixtures("postgres"), pytest.mark.django_db]
NOW = datetime(2026, 3, 31, tzinfo=UTC)


def place(table: str = "", **settings: Any) -> Place:
    return Place("postgres", f"{POSTGRES_SCHEMA}.{table}" if table else "", {**postgres_settings(), **settings})


def ids(table: str, field: str, operator: str, value: Any = None) -> list[Any]:
    operand = {} if value is None else {"value": value}
    return [row["id"] for row in values(place(table), **{"field": field, "is": operator, **operand})]


@pytest.fixture
def caseless() -> None:
    run_in_postgres(
        "create extension if not exists citext schema public",
        "drop table if exists ci",
        "create table ci (id int primary key, code public.citext, domain public.citext)",
        "insert into ci values (1, 'Abc', 'A.com'), (2, 'ABD', null), (3, 'xyz', 'Ärger.DE'), (4, '', 'b.com')",
    )


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("equals", "abc", [1]),
        ("equals", "ABC", [1]),
        ("one_of", ["abc", "XYZ"], [1, 3]),
        ("not_equals", "aBc", [2, 3, 4]),
        ("none_of", ["ABC", "abd"], [3, 4]),
        ("contains", "B", [1, 2]),
        ("not_contains", "b", [3, 4]),
        ("starts_with", "aB", [1, 2]),
        ("ends_with", "YZ", [3]),
        ("empty", None, [4]),
    ],
)
@pytest.mark.usefixtures("caseless")
def test_citext_is_compared_as_the_database_compares_it(operator: str, value: Any, expected: list[int]) -> None:
    assert ids("ci", "code", operator, value) == expected


@pytest.mark.usefixtures("caseless")
def test_citext_is_read_as_it_is_written() -> None:
    assert [row["domain"] for row in values(place("ci"))] == ["A.com", None, "Ärger.DE", "b.com"]
    assert ids("ci", "domain", "contains", "ÄRGER") in ([3], [])  # In the locale C, the database knows only ASCII.


@pytest.mark.usefixtures("caseless")
def test_citext_refers_to_citext_as_in_a_foreign_key() -> None:
    from_columns = {info.name: info for info in columns("ci")}
    run_in_postgres(
        "drop table if exists ci_orders",
        "create table ci_orders (id int, code public.citext)",
        "insert into ci_orders values (1, 'aBC'), (2, 'ABC'), (3, 'xyz')",
    )
    source = Source.objects.create(name="Shop", engine="postgres", config=postgres_settings())
    companies = DataModel.objects.create(name="Companies", source=source, table=place("ci").table, primary_key="id")
    orders = DataModel.objects.create(name="Orders", source=source, table=place("ci_orders").table, primary_key="id")
    for model in (companies, orders):
        refresh_columns(model)
    assert from_columns["code"].native == "citext"
    Relation.objects.create(from_model=orders, from_column="code", to_model=companies, to_column="code")
    where = {"all": [{"related": "Orders", "has": "exactly", "count": 2}]}
    rows = read.preview(read.Selection(companies, where), now=NOW)
    assert [row["id"] for row in rows] == [1]


def columns(table: str) -> list[ColumnInfo]:
    with place().open() as reader:
        return reader.columns(table=f"{POSTGRES_SCHEMA}.{table}")


def test_column_whose_collation_ignores_case_can_be_searched() -> None:
    run_in_postgres(
        "create collation if not exists caseless (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
        "drop table if exists icu",
        "create table icu (id int, name text collate caseless)",
        "insert into icu values (1, 'Paris'), (2, 'PARIS'), (3, 'Lyon')",
    )
    assert ids("icu", "name", "equals", "paris") == [1, 2]
    assert ids("icu", "name", "contains", "ari") == [1]
    assert ids("icu", "name", "starts_with", "par") == [1, 2]
    source = Source.objects.create(name="Shop", engine="postgres", config=postgres_settings())
    model = DataModel.objects.create(name="Cities", source=source, table=place("icu").table, primary_key="name")
    refresh_columns(model)
    assert key_share(model).distinct == 3, "a run tells these keys apart"
    assert read.values(model, "name", "p", limit=9) == [("PARIS", 1), ("Paris", 1)]


ADDRESSES = """
    select '10.0.0.1'::inet as host, '::1'::inet as six, '10.1.0.0/16'::inet as net, '10.0.0.0/8'::cidr as block,
           '10.0.0.1/32'::cidr as single, '08:00:2b:01:02:03'::macaddr as mac, array['10.0.0.1'::inet] as hosts,
           array['2024-07-01 10:00'::timestamp] as times
"""


def test_address_of_a_host_is_read_without_the_length_of_its_network() -> None:
    (row,) = values(place(), ADDRESSES)
    assert row == {
        "host": "10.0.0.1",
        "six": "::1",
        "net": "10.1.0.0/16",
        "block": "10.0.0.0/8",
        "single": "10.0.0.1/32",
        "mac": "08:00:2b:01:02:03",
        "hosts": ["10.0.0.1"],
        "times": ["2024-07-01T10:00:00"],
    }


@pytest.mark.parametrize(
    ("field", "operator", "value"),
    [
        ("host", "equals", "10.0.0.1"),
        ("host", "one_of", ["10.0.0.1", "x"]),
        ("host", "starts_with", "10.0."),
        ("host", "ends_with", ".1"),
        ("six", "equals", "::1"),
        ("net", "equals", "10.1.0.0/16"),
        ("block", "equals", "10.0.0.0/8"),
        ("single", "equals", "10.0.0.1/32"),
        ("mac", "contains", "2b:01"),
        ("hosts", "contains_any", ["10.0.0.1"]),
        ("hosts", "contains_all", ["10.0.0.1"]),
        ("times", "contains_any", ["2024-07-01T10:00:00"]),
    ],
)
def test_value_is_found_as_it_is_shown(field: str, operator: str, value: Any) -> None:
    assert values(place(), ADDRESSES, **{"field": field, "is": operator, "value": value})


def test_table_is_read_with_the_columns_that_the_user_may_read() -> None:
    run_in_postgres(
        "drop table if exists granted",
        "create table granted (id int primary key, name text, ssn text, domain text)",
        "insert into granted values (1, 'P', 'secret', 'p.com')",
        "do $$ begin create role granted_reader login password 'ro'; exception when duplicate_object then null; end $$",
        f'grant usage on schema "{POSTGRES_SCHEMA}" to granted_reader',
        "grant select (id, name, domain) on granted to granted_reader",
    )
    try:
        limited = place("granted", user="granted_reader", password="ro")
        with limited.open() as reader:
            assert reader.tables() == [f"{POSTGRES_SCHEMA}.granted"]
            infos = reader.columns(table=limited.table)
            assert [(info.name, info.nullable) for info in infos] == [("id", False), ("name", True), ("domain", True)]
            assert [[info.name for info in table.columns] for table in reader.catalog()] == [["id", "name", "domain"]]
        assert values(limited) == [{"id": 1, "name": "P", "domain": "p.com"}]
    finally:
        run_in_postgres("drop owned by granted_reader", "drop role granted_reader")


class TestVolatileFunctionOfTheOwner:
    """Its name is refused where it calls the function, and nowhere else."""

    @pytest.fixture(autouse=True)
    def _functions(self) -> Any:
        run_in_postgres(
            "drop table if exists places cascade",
            "create table places (id int, region text)",
            "insert into places values (1, 'north')",
            "create or replace view places_at as select id, region, random() as at from places",
            "create or replace function region(text default '') returns text volatile language sql as $$ select '' $$",
            "create or replace function whole(places) returns text volatile language sql as $$ select '' $$",
            "create or replace function same(int, int) returns bool volatile language sql as $$ select true $$",
            "drop operator if exists ~~@ (int, int)",
            "create operator ~~@ (leftarg = int, rightarg = int, function = same)",
            "drop domain if exists checked",
            "create domain checked as text check (value <> region(value))",
        )
        yield
        run_in_postgres(
            "drop domain checked",
            "drop operator ~~@ (int, int)",
            "drop function same(int, int)",
            "drop function whole(places)",
            "drop table places cascade",
            "drop function region(text)",
        )

    @pytest.mark.parametrize(
        "query",
        [
            "select region from places",
            'select "region" from places',
            "select p.region from places p",
            "select p.region as x from places p where p.region = 'north'",
            "select 'region' as region from places",
            "select 1 as region, 'call region() today' as x",
            "select id, region from places_at",
            "select region, random() as x from places",
            "select p.region, gen_random_uuid()::text as x from places p",
            "select id -- the region\nfrom places",
            "with region as (select 1 as id) select id from region",
        ],
    )
    def test_columns_of_its_name_can_be_read(self, query: str) -> None:
        assert len(values(place(), query)) == 1

    @pytest.mark.parametrize(
        "query",
        [
            "select region() as x",
            "select region ('a') as x",
            'select "region"() as x',
            'select "SCHEMA".region() as x',
            "select region /* here */ () as x",
            "select ('a'::text).region as x",
            "select (p.region).region as x from places p",
            "select p.whole as x from places p",
            'select p."whole" as x from places p',
            "select p.whole as x, random() as y from places p",
            "select id from places where region() = 'x'",
            "select id from places order by region(region)",
            "select 1 operator(~~@) 2 as x",
            "select 1 ~~@ 2 as x",
            "select (1 ~~@ 2)::text as x, random() as y",
            "select 'a'::checked as x",
            "select cast('a' as checked) as x",
        ],
    )
    def test_calls_in_every_spelling_are_refused(self, query: str) -> None:
        query = query.replace("SCHEMA", POSTGRES_SCHEMA)
        assert refusal(place(), query).code in ("source_function", "source_refused")
        with psycopg.connect(POSTGRES_URL) as connection:
            connection.execute(f'set search_path = "{POSTGRES_SCHEMA}", public'.encode())
            connection.execute(query.encode())

    def test_message_says_what_the_owner_can_do(self) -> None:
        problem = refusal(place(), "select region() as x")
        assert isinstance(problem, Misconfigured)
        assert problem.message == (
            "region can't be used here: a query may only read rows. Remove it from the query. "
            "If it is your own function and only reads, declare it STABLE."
        )


def test_single_precision_number_is_compared_and_read_with_its_shortest_spelling() -> None:
    query = "select 123456.78::real as x, array[0.1, 1234567.5]::real[] as many"
    assert values(place(), query) == [{"x": 123456.78, "many": [0.1, 1234567.5]}]
    assert values(place(), query, **{"field": "x", "is": "equals", "value": 123456.78})
    assert values(place(), query, **{"field": "many", "is": "contains_any", "value": ["0.1"]})
