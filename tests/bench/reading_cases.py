"""The reading cases: first rows, a stream of all rows and a count of related rows, each also with the driver alone."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import psycopg
import pymysql
from django.utils import timezone

from segments.models import DataModel, Relation, Segment, Source
from segments.reading import read
from segments.session import reading_here
from segments.sources.discovery import refresh_columns
from tests.bench.setup import data
from tests.bench.setup.databases import connection_settings
from tests.bench.setup.meter import Meter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

FIRST_ROWS = 20
TIMES = 7
"""The number of previews in one process."""
ENOUGH = {
    "related": "Orders",
    "has": "at_least",
    "count": 2,
    "where": {"all": [{"field": "amount", "is": "greater_than", "value": 100}]},
}
HAND_WRITTEN = """
    SELECT count(*) FROM {companies}
    WHERE id IN (SELECT company_id FROM {orders} WHERE amount > 100 GROUP BY company_id HAVING count(*) >= 2)
"""


def model(name: str, source: str, engine: str, settings: dict[str, Any], table: str) -> dict[str, Any]:
    """Creates a source unless one of that name exists, and a model of one of its tables."""
    row, _ = Source.objects.get_or_create(name=source, defaults={"engine": engine, "config": settings})
    with Meter() as meter:
        refresh_columns(DataModel.objects.create(name=name, source=row, table=table, primary_key="id"))
    return meter.result()


def preview(name: str) -> dict[str, Any]:
    """The first rows of a model as its page requests them, several times in one process."""
    selection = read.selection(DataModel.objects.get(name=name))
    return {
        "walls": [_timed(lambda: read.preview(selection, now=timezone.now(), limit=FIRST_ROWS)) for _ in range(TIMES)]
    }


def bare_preview(engine: str, where: str, table: str) -> dict[str, Any]:
    """The same rows with the driver alone."""
    return {"walls": [_timed(lambda: FIRST[engine](where, table)) for _ in range(TIMES)]}


def stream(name: str) -> dict[str, Any]:
    """All rows of a model, as a run reads them."""
    row = DataModel.objects.get(name=name)
    selection, columns = read.selection(row), list(row.column_types())
    with reading_here(), Meter() as meter, read.stream(selection, columns, now=timezone.now()) as rows:
        count = sum(batch.num_rows for batch in rows.batches)
    return meter.result(rows=count)


def orders(where: str, table: str, rows: int, companies: int) -> dict[str, Any]:
    """Writes orders of companies to PostgreSQL, and relates their model to that of the companies."""
    data.write_orders(where, table, rows, companies)
    owners = DataModel.objects.get(name="Large")
    row = DataModel.objects.create(name="Orders", source=owners.source, table=f"public.{table}", primary_key="id")
    refresh_columns(row)
    Relation.objects.create(from_model=row, from_column="company_id", to_model=owners, to_column="id")
    return {}


def count_related() -> dict[str, Any]:
    """How many companies have enough orders, as the builder counts them."""
    companies = DataModel.objects.get(name="Large")
    selection = read.selection(Segment(name="S", model=companies, where={"all": [ENOUGH]}))
    # Web processes start in advance what reads for them.
    read.preview(read.selection(companies), now=timezone.now(), limit=1)
    with Meter() as meter:
        count = read.count(selection, now=timezone.now())
    return meter.result(count=count)


def count_hand_written(where: str, companies: str, orders: str) -> dict[str, Any]:
    """The same count with a statement as written by a person who knows the tables."""
    with Meter() as meter:
        count = _from_postgres(where, HAND_WRITTEN.format(companies=companies, orders=orders))[0][0]
    return meter.result(count=count)


def _timed(work: Callable[[], Any]) -> float:
    with Meter() as meter:
        assert work()
    return meter.wall


def _from_postgres(where: str, query: str) -> list[Any]:
    with psycopg.connect(where) as database:
        return database.execute(query.encode()).fetchall()


def _from_mysql(where: str, query: str) -> list[Any]:
    with pymysql.connect(**connection_settings(where)) as database, database.cursor() as cursor:
        cursor.execute(query)
        return list(cursor.fetchall())


def _from_sqlite(where: str, query: str) -> list[Any]:
    with closing(sqlite3.connect(where)) as database:
        return database.execute(query).fetchall()


def _from_duckdb(where: str, query: str) -> list[Any]:
    with duckdb.connect(where, read_only=True) as database:
        return database.sql(query).to_arrow_table().to_pylist()


def _from_file(where: str, query: str) -> list[Any]:
    with duckdb.connect() as database:
        return database.sql(query).to_arrow_table().to_pylist()


def _first_of(ask: Callable[[str, str], list[Any]], rows: str = "{table}") -> Callable[[str, str], list[Any]]:
    return lambda where, table: ask(where, f"SELECT * FROM {rows.format(table=table, where=where)} LIMIT {FIRST_ROWS}")


FIRST: Mapping[str, Callable[[str, str], list[Any]]] = {
    "postgres": _first_of(_from_postgres),
    "mysql": _first_of(_from_mysql),
    "sqlite": _first_of(_from_sqlite),
    "duckdb": _first_of(_from_duckdb),
    "csv": _first_of(_from_file, "read_csv('{where}', all_varchar = true)"),
    "jsonl": _first_of(_from_file, "read_json('{where}', format = 'newline_delimited')"),
    "parquet": _first_of(_from_file, "read_parquet('{where}')"),
}
"""Reads the first rows with the driver of each engine, including the time to connect."""
CASES: Mapping[str, Callable[..., dict[str, Any]]] = {
    "model": model,
    "preview": preview,
    "bare_preview": bare_preview,
    "stream": stream,
    "orders": orders,
    "count_related": count_related,
    "count_hand_written": count_hand_written,
}
