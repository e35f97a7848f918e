"""Stores the same rows in every kind of source: real database tables, and real CSV, JSON and Parquet files."""

from __future__ import annotations

import importlib
import json
import os
import sqlite3
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo

import duckdb
import psycopg
import pyarrow as pa
import pyarrow.parquet
import pymysql
import pytest

from core.errors import Problem
from segments.conditions import parsing
from segments.registry import engines
from segments.sql import statements as sql
from segments.values import natural
from tests.segments import makers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from segments.contract import ColumnInfo, Reader

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql://root@127.0.0.1:5432/test")
POSTGRES_SCHEMA = f"segments_{os.getpid()}"
MYSQL_URL = os.environ.get("TEST_MYSQL_URL", "mysql://root@127.0.0.1:3306")
MYSQL_DATABASE = f"segments_{os.getpid()}"
ADDED = {info.name: importlib.import_module(f"{makers.__name__}.{info.name}") for info in iter_modules(makers.__path__)}
SLUGS = ("sqlite", "postgres", "mysql", "csv", "parquet", "jsonl", "duckdb", *ADDED)
SERVERS = ("postgres", "mysql")
PARIS = ZoneInfo("Europe/Paris")

KINDS = ("text", "integer", "number", "boolean", "date", "timestamp", "timestamptz")
TYPE_NAMES: dict[str, tuple[Any, ...]] = {
    "sqlite": ("TEXT", "INTEGER", "REAL", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMP"),
    "postgres": ("text", "bigint", "double precision", "boolean", "date", "timestamp", "timestamptz"),
    "mysql": ("longtext", "bigint", "double", "boolean", "date", "datetime(6)", "timestamp(6)"),
    "parquet": (
        pa.string(),
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.date32(),
        pa.timestamp("us"),
        pa.timestamp("us", "UTC"),
    ),
    "duckdb": ("VARCHAR", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP", "TIMESTAMPTZ"),
}
NATIVE = {kind: {slug: names[index] for slug, names in TYPE_NAMES.items()} for index, kind in enumerate(KINDS)}
"""The native types of each kind of column, by engine."""


@dataclass(frozen=True)
class Place:
    """A table in one source."""

    slug: str
    table: str
    settings: dict[str, Any] = field(default_factory=dict)

    def open(self, timeout_seconds: float = 20) -> AbstractContextManager[Reader]:
        return engines[self.slug].open(self.settings, timeout_seconds=timeout_seconds)

    def columns(self) -> dict[str, ColumnInfo]:
        with self.open() as reader:
            return {info.name: info for info in reader.columns(table=self.table)}


def values(where: Place, query: str = "", **condition: Any) -> list[dict[str, Any]]:
    """The rows of a table or a query that match a condition."""
    with where.open() as reader:
        infos = {info.name: info for info in reader.columns(**({"sql": query} if query else {"table": where.table}))}
        source = sql.relation(
            list(infos.values()), engines[where.slug].dialect, table="" if query else where.table, sql=query
        )
        tree = parsing.parse(
            {"all": [condition]} if condition else {}, {name: info.type for name, info in infos.items()}
        )
        condition_sql = sql.where(tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=PARIS)
        rows = reader.rows(sql.select(source, infos, list(infos), condition_sql), 1000)
    return [{name: natural(value, infos[name].type, PARIS) for name, value in row.items()} for row in rows]


def refusal(where: Place, query: str = "select 1 as x") -> Problem:
    """The problem with which a query is refused."""
    with pytest.raises(Problem) as caught:
        values(where, query)
    return caught.value


def make(slug: str, root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    """Stores rows under `table`; `columns` maps each name to a kind of NATIVE."""
    if slug in ADDED:
        return Place(slug, *ADDED[slug].make(root, table, columns, rows))
    return _MAKERS[slug](root, table, columns, rows)


def postgres_settings() -> dict[str, Any]:
    url = urlsplit(POSTGRES_URL)
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    return {
        "host": query.get("host") or url.hostname or "127.0.0.1",
        "port": url.port or 5432,
        "database": url.path.strip("/"),
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "sslmode": "prefer",
        "schema": POSTGRES_SCHEMA,
    }


def postgres_answers() -> bool:
    try:
        psycopg.connect(POSTGRES_URL, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def run_in_postgres(*statements: str) -> None:
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'set search_path = "{POSTGRES_SCHEMA}"'.encode())
        for statement in statements:
            connection.execute(statement.encode())


def mysql_settings() -> dict[str, Any]:
    url = urlsplit(MYSQL_URL)
    return {
        "host": url.hostname or "127.0.0.1",
        "port": url.port or 3306,
        "database": MYSQL_DATABASE,
        "user": unquote(url.username or ""),
        "password": unquote(url.password or ""),
        "sslmode": "prefer",
    }


def mysql_connection(database: str = MYSQL_DATABASE) -> pymysql.Connection[Any]:
    """A session with write access, in UTC."""
    credentials = {name: mysql_settings()[name] for name in ("host", "port", "user", "password")}
    init = "set time_zone = '+00:00'"
    return pymysql.connect(
        **credentials, database=database or None, charset="utf8mb4", autocommit=True, init_command=init
    )


def mysql_answers() -> bool:
    try:
        mysql_connection("").close()
    except pymysql.MySQLError:
        return False
    return True


def run_in_mysql(*statements: str, database: str = MYSQL_DATABASE) -> None:
    with mysql_connection(database) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


ANSWERS = {"postgres": postgres_answers, "mysql": mysql_answers}


def run_in_sqlite(path: Path, *statements: str) -> Place:
    """A SQLite file created by statements."""
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    return Place("sqlite", "", {"path": str(path)})


def ticked(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _sqlite(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    path = root / "places.sqlite3"
    with sqlite3.connect(path) as connection:
        declared = ", ".join(f"{quoted(name)} {NATIVE[kind]['sqlite']}" for name, kind in columns.items())
        connection.execute(f"drop table if exists {quoted(table)}")
        connection.execute(f"create table {quoted(table)} ({declared})")
        marks = ", ".join("?" for _ in columns)
        values = [[_iso(row[name]) for name in columns] for row in rows]
        connection.executemany(f"insert into {quoted(table)} values ({marks})", values)
    connection.close()
    return Place("sqlite", table, {"path": path.name})


def _postgres(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    declared = ", ".join(f"{quoted(name)} {NATIVE[kind]['postgres']}" for name, kind in columns.items())
    with psycopg.connect(POSTGRES_URL, autocommit=True) as connection:
        connection.execute(f'set search_path = "{POSTGRES_SCHEMA}"'.encode())
        connection.execute(f"drop table if exists {quoted(table)}".encode())
        connection.execute(f"create table {quoted(table)} ({declared})".encode())
        with connection.cursor() as cursor, cursor.copy(f"copy {quoted(table)} from stdin".encode()) as copy:
            for row in rows:
                copy.write_row([row[name] for name in columns])
    return Place("postgres", f"{POSTGRES_SCHEMA}.{table}" if "." not in table else quoted(table), postgres_settings())


def _mysql(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    declared = ", ".join(f"{ticked(name)} {NATIVE[kind]['mysql']} null" for name, kind in columns.items())
    with mysql_connection() as connection, connection.cursor() as cursor:
        cursor.execute(f"drop table if exists {ticked(table)}")
        cursor.execute(f"create table {ticked(table)} ({declared}) default character set utf8mb4")
        marks = ", ".join("%s" for _ in columns)
        values = [[row[name] for name in columns] for row in rows]
        for start in range(0, len(values), 5000):
            cursor.executemany(
                f"insert into {ticked(table).replace('%', '%%')} values ({marks})", values[start : start + 5000]
            )
    return Place("mysql", quoted(table) if "." in table or '"' in table else table, mysql_settings())


def _csv(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    path = root / f"{table}.csv"
    lines = [
        ",".join(quoted(name) for name in columns),
        *(",".join(_cell(row[name]) for name in columns) for row in rows),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    return Place("csv", table, {"path": path.name})


def _parquet(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    path = root / f"{table}.parquet"
    schema = pa.schema([(name, NATIVE[kind]["parquet"]) for name, kind in columns.items()])
    pyarrow.parquet.write_table(pa.Table.from_pylist([dict(row) for row in rows], schema=schema), path)
    return Place("parquet", table, {"path": path.name})


def _jsonl(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    path = root / f"{table}.jsonl"
    lines = [json.dumps({name: _iso(row[name]) for name in columns}, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return Place("jsonl", table, {"path": path.name})


def _duckdb(root: Path, table: str, columns: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> Place:
    path = root / "places.duckdb"
    declared = ", ".join(f"{quoted(name)} {NATIVE[kind]['duckdb']}" for name, kind in columns.items())
    schema = pa.schema([(name, NATIVE[kind]["parquet"]) for name, kind in columns.items()])
    with duckdb.connect(str(path)) as connection:
        connection.execute(f"create or replace table {quoted(table)} ({declared})")
        connection.register("filled", pa.Table.from_pylist([dict(row) for row in rows], schema=schema))
        connection.execute(f"set TimeZone = 'UTC'; insert into {quoted(table)} from filled")
    return Place("duckdb", quoted(table) if "." in table or '"' in table else table, {"path": path.name})


def _iso(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return quoted(str(_iso(value)))


_MAKERS = {
    "sqlite": _sqlite,
    "postgres": _postgres,
    "mysql": _mysql,
    "csv": _csv,
    "parquet": _parquet,
    "jsonl": _jsonl,
    "duckdb": _duckdb,
}
