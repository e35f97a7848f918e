"""Companies with their orders in each engine, and which of them hand-written SQL finds: paying, French or German, renewed, with orders."""

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
        id integer primary key, name varchar(100), country varchar(10), mrr double precision, renewed_at {moment}, churned boolean)""",
    """create table orders (
        id integer primary key, company_id integer, amount double precision, foreign key (company_id) references companies (id))""",
]
BY_HAND = """
    select id from companies c where mrr > 0 and {country} in ('FR', 'DE') and renewed_at >= {since}
      and (select count(*) from orders o where o.company_id = c.id and o.amount > 100) >= 2
      and (churned is null or not churned) order by id
"""
Rows = list[tuple[Any, ...]]


@dataclass(frozen=True)
class Shop:
    """Where the rows are: a kind of source by its label, what a person writes into its form, and the ids found by hand."""

    label: str
    form: dict[str, str]
    by_hand: list[int]
    schema: str = ""


def data() -> tuple[Rows, Rows]:
    """The same random rows each time, around the edges of the conditions."""
    chance, now = random.Random(7), datetime.now(UTC).replace(tzinfo=None, microsecond=0)
    companies = [
        (
            number,
            f"Company {number}",
            chance.choice(["FR", "DE", "ES", "fr", None]),
            chance.choice([0.0, 10.5, 99.0, None]),
            chance.choice([None, *(now - timedelta(days=days) for days in (1, 10, 29, 31, 60))]),
            chance.choice([None, False, False, True]),
        )
        for number in range(1, COMPANIES + 1)
    ]
    buyers = [None, *range(1, COMPANIES + 1)]
    return companies, [
        (number, chance.choice(buyers), chance.choice([20.0, 100.0, 101.0, 300.0, None])) for number in range(1, 3001)
    ]


def in_sqlite(root: Path) -> Shop:
    companies, orders = data()
    with sqlite3.connect(root / "shop.sqlite3") as database:
        for statement in TABLES:
            database.execute(statement.format(moment="timestamp"))
        stored = [(*row[:4], row[4] and row[4].isoformat(" "), row[5]) for row in companies]
        database.executemany("insert into companies values (?, ?, ?, ?, ?, ?)", stored)
        database.executemany("insert into orders values (?, ?, ?)", orders)
        found = database.execute(BY_HAND.format(country="country", since="datetime('now', '-30 days')")).fetchall()
    return Shop("SQLite", {"path": "shop.sqlite3"}, _ids(found))


def in_duckdb(root: Path) -> Shop:
    companies, orders = data()
    with duckdb.connect(str(root / "shop.duckdb")) as database:
        for statement in TABLES:
            database.execute(statement.format(moment="timestamp"))
        for table, rows in (("companies", companies), ("orders", orders)):
            columns = [list(column) for column in zip(*rows, strict=True)]
            database.register("given", pa.table(columns, [str(place) for place in range(len(columns))]))
            database.execute(f"insert into {table} from given")
        since = "(now() at time zone 'utc') - interval 30 days"
        found = database.execute(BY_HAND.format(country="country", since=since)).fetchall()
    return Shop("DuckDB", {"path": "shop.duckdb"}, _ids(found))


@contextmanager
def in_postgres() -> Iterator[Shop]:
    """In a schema of its own."""
    companies, orders = data()
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'create schema "{SCHEMA}"'.encode())
        connection.execute(f'set search_path = "{SCHEMA}"'.encode())
        for statement in TABLES:
            connection.execute(statement.format(moment="timestamp").encode())
        with connection.cursor() as cursor:
            cursor.executemany("insert into companies values (%s, %s, %s, %s, %s, %s)", companies)
            cursor.executemany("insert into orders values (%s, %s, %s)", orders)
        since = "(now() at time zone 'utc') - interval '30 days'"
        found = connection.execute(BY_HAND.format(country="country", since=since).encode()).fetchall()
        try:
            yield Shop("PostgreSQL", _filled({**postgres_settings(), "schema": SCHEMA}), _ids(found), f"{SCHEMA}.")
        finally:
            connection.execute(f'drop schema "{SCHEMA}" cascade'.encode())


@contextmanager
def in_mysql() -> Iterator[Shop]:
    """In a database of its own."""
    companies, orders = data()
    with mysql_connection("") as connection, connection.cursor() as cursor:
        cursor.execute(f"create database `{DATABASE}` character set utf8mb4")
        cursor.execute(f"use `{DATABASE}`")
        for statement in TABLES:
            cursor.execute(statement.format(moment="datetime"))
        cursor.executemany("insert into companies values (%s, %s, %s, %s, %s, %s)", companies)
        cursor.executemany("insert into orders values (%s, %s, %s)", orders)
        # By its collation this server finds FR and fr the same, which no other one does.
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
    """What a person writes into the form of a database."""
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
    """The shop in an engine; the test is skipped where no server answers."""
    if slug in ANSWERS and not ANSWERS[slug]():
        pytest.skip(f"no {slug} server answers")
    with SHOPS[slug](root) as shop:
        yield shop
