"""Companies with orders in each engine, and the ones that hand-written SQL selects.

The condition: paying, French or German, recently renewed, not churned, with at least two large orders.
"""

from __future__ import annotations

import random
import sqlite3
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pyarrow as pa
import pytest

from tests.segments.places import (
    ANSWERS,
    MYSQL_DATABASE,
    POSTGRES_SCHEMA,
    POSTGRES_URL,
    mysql_connection,
    mysql_settings,
    postgres_settings,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

SCHEMA = f"{POSTGRES_SCHEMA}_story"
DATABASE = f"{MYSQL_DATABASE}_story"

COMPANIES = 400
TABLES = [
    """create table companies (
        id integer primary key, name varchar(100), country varchar(10), mrr double precision,
        renewed_at {timestamp}, churned boolean)""",
    """create table orders (
        id integer primary key, company_id integer, amount double precision,
        foreign key (company_id) references companies (id))""",
]
BY_HAND = """
    select id from companies c where mrr > 0 and {country} in ('FR', 'DE') and renewed_at >= {since}
      and (select count(*) from orders o where o.company_id = c.id and o.amount > 100) >= 2
      and (churned is null or not churned) order by id
"""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Shop:
    """A source with the rows: its engine's label, the values of its form, and the IDs that hand-written SQL selects."""

    label: str
    form: dict[str, str]
    by_hand: list[int]
    schema: str = ""


def data() -> tuple[Rows, Rows]:
    """The same random rows each time, with values near the edges of the conditions."""
    generator, now = random.Random(7), datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    companies = [
        (
            number,
            f"Company {number}",
            generator.choice(["FR", "DE", "ES", "fr", None]),
            generator.choice([0.0, 10.5, 99.0, None]),
            generator.choice([None, *(now - timedelta(days=days) for days in (1, 10, 29, 31, 60))]),
            generator.choice([None, False, False, True]),
        )
        for number in range(1, COMPANIES + 1)
    ]
    buyers = [None, *range(1, COMPANIES + 1)]
    return companies, [
        (number, generator.choice(buyers), generator.choice([20.0, 100.0, 101.0, 300.0, None]))
        for number in range(1, 3001)
    ]


def in_sqlite(root: Path) -> Shop:
    companies, orders = data()
    with sqlite3.connect(root / "shop.sqlite3") as database:
        for statement in TABLES:
            database.execute(statement.format(timestamp="timestamp"))
        stored = [(*row[:4], row[4] and row[4].isoformat(" "), row[5]) for row in companies]
        database.executemany("insert into companies values (?, ?, ?, ?, ?, ?)", stored)
        database.executemany("insert into orders values (?, ?, ?)", orders)
        selected = database.execute(BY_HAND.format(country="country", since="datetime('now', '-30 days')")).fetchall()
    return Shop("SQLite", {"path": "shop.sqlite3"}, _ids(selected))


def in_duckdb(root: Path) -> Shop:
    companies, orders = data()
    with duckdb.connect(str(root / "shop.duckdb")) as database:
        for statement in TABLES:
            database.execute(statement.format(timestamp="timestamp"))
        for table, rows in (("companies", companies), ("orders", orders)):
            columns = [list(column) for column in zip(*rows, strict=True)]
            database.register("given", pa.table(columns, [str(place) for place in range(len(columns))]))
            database.execute(f"insert into {table} from given")
        since = "(now() at time zone 'utc') - interval 30 days"
        selected = database.execute(BY_HAND.format(country="country", since=since)).fetchall()
    return Shop("DuckDB", {"path": "shop.duckdb"}, _ids(selected))


@contextmanager
def in_postgres() -> Iterator[Shop]:
    """The rows in a separate PostgreSQL schema."""
    companies, orders = data()
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'create schema "{SCHEMA}"'.encode())
        connection.execute(f'set search_path = "{SCHEMA}"'.encode())
        for statement in TABLES:
            connection.execute(statement.format(timestamp="timestamp").encode())
        with connection.cursor() as cursor:
            cursor.executemany("insert into companies values (%s, %s, %s, %s, %s, %s)", companies)
            cursor.executemany("insert into orders values (%s, %s, %s)", orders)
        since = "(now() at time zone 'utc') - interval '30 days'"
        selected = connection.execute(BY_HAND.format(country="country", since=since).encode()).fetchall()
        try:
            yield Shop("PostgreSQL", _filled({**postgres_settings(), "schema": SCHEMA}), _ids(selected), f"{SCHEMA}.")
        finally:
            connection.execute(f'drop schema "{SCHEMA}" cascade'.encode())


@contextmanager
def in_mysql() -> Iterator[Shop]:
    """The rows in a separate MySQL database."""
    companies, orders = data()
    with mysql_connection("") as connection, connection.cursor() as cursor:
        cursor.execute(f"create database `{DATABASE}` character set utf8mb4")
        cursor.execute(f"use `{DATABASE}`")
        for statement in TABLES:
            cursor.execute(statement.format(timestamp="datetime"))
        cursor.executemany("insert into companies values (%s, %s, %s, %s, %s, %s)", companies)
        cursor.executemany("insert into orders values (%s, %s, %s)", orders)
        # The collation of this server treats FR and fr as equal, unlike the other engines.
        cursor.execute(BY_HAND.format(country="binary country", since="utc_timestamp() - interval 30 day"))
        try:
            yield Shop(
                "MySQL or MariaDB", _filled({**mysql_settings(), "database": DATABASE}), _ids(list(cursor.fetchall()))
            )
        finally:
            cursor.execute(f"drop database `{DATABASE}`")


def _ids(rows: list[tuple[Any, ...]]) -> list[int]:
    return [number for (number,) in rows]


def _filled(settings: Mapping[str, Any]) -> dict[str, str]:
    """The form values of a database source."""
    return {
        name: str(settings[name])
        for name in ("host", "port", "database", "user", "password", "schema")
        if settings.get(name)
    }


SHOPS: Mapping[str, Callable[[Path], AbstractContextManager[Shop]]] = {
    "sqlite": lambda root: nullcontext(in_sqlite(root)),
    "duckdb": lambda root: nullcontext(in_duckdb(root)),
    "postgres": lambda root: in_postgres(),
    "mysql": lambda root: in_mysql(),
}


@contextmanager
def opened(slug: str, root: Path) -> Iterator[Shop]:
    """The shop in an engine; the test is skipped if no server is available."""
    if slug in ANSWERS and not ANSWERS[slug]():
        pytest.skip(f"no {slug} server is available")
    with SHOPS[slug](root) as shop:
        yield shop
