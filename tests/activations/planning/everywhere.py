"""The same values in a table of every engine, in the native type that each has for them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet

from tests.segments.places import (
    POSTGRES_SCHEMA,
    Place,
    mysql_settings,
    postgres_settings,
    run_in_mysql,
    run_in_postgres,
    run_in_sqlite,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TABLE = "everything"
_SQL: dict[str, dict[str, str]] = {
    "postgres": {
        "local": "timestamp '2024-07-01 00:30:00'",
        "zoned": "timestamptz '2024-07-01 00:30:00+02'",
        "text_time": "text '2024-07-01 00:30:00'",
        "text_zoned": "text '2024-07-01T00:30:00+02:00'",
        "day": "date '2024-07-01'",
        "text_day": "text '2024-07-01'",
        "code": "text '007'",
        "decimal": "numeric(10,2) '12.50'",
        "float": "float8 '123456.78'",
        "whole": "bigint '42'",
        "large": "bigint '9007199254740993'",
        "flag": "true",
        "bytes": r"'\x00ff'::bytea",
        "list": "array['a', 'b']",
        "object": """jsonb '{"a": 1}'""",
        "network": "inet '10.0.0.1'",
    },
    "mysql": {
        "local": "datetime(6) '2024-07-01 00:30:00'",
        "zoned": "timestamp(6) '2024-06-30 22:30:00'",
        "text_time": "text '2024-07-01 00:30:00'",
        "text_zoned": "text '2024-07-01T00:30:00+02:00'",
        "day": "date '2024-07-01'",
        "text_day": "text '2024-07-01'",
        "code": "text '007'",
        "decimal": "decimal(10,2) 12.50",
        "float": "double 123456.78",
        "whole": "int 42",
        "large": "bigint 9007199254740993",
        "flag": "boolean true",
        "bytes": "varbinary(9) x'00ff'",
        "list": """json '["a", "b"]'""",
        "object": """json '{"a": 1}'""",
        "network": "text '10.0.0.1'",
    },
    "sqlite": {
        "local": "timestamp '2024-07-01 00:30:00'",
        "zoned": "timestamp '2024-07-01 00:30:00+02:00'",
        "text_time": "text '2024-07-01 00:30:00'",
        "text_zoned": "text '2024-07-01T00:30:00+02:00'",
        "day": "date '2024-07-01'",
        "text_day": "text '2024-07-01'",
        "code": "text '007'",
        "decimal": "numeric 12.50",
        "float": "real 123456.78",
        "whole": "integer 42",
        "large": "integer 9007199254740993",
        "flag": "boolean 1",
        "bytes": "blob x'00ff'",
        "list": """json '["a", "b"]'""",
        "object": """json '{"a": 1}'""",
        "network": "text '10.0.0.1'",
    },
    "duckdb": {
        "local": "timestamp '2024-07-01 00:30:00'",
        "zoned": "timestamptz '2024-07-01 00:30:00+02'",
        "text_time": "varchar '2024-07-01 00:30:00'",
        "text_zoned": "varchar '2024-07-01T00:30:00+02:00'",
        "day": "date '2024-07-01'",
        "text_day": "varchar '2024-07-01'",
        "code": "varchar '007'",
        "decimal": "decimal(10,2) '12.50'",
        "float": "double '123456.78'",
        "whole": "integer '42'",
        "large": "bigint '9007199254740993'",
        "flag": "true",
        "bytes_duckdb": r"'\x00\xff'::blob",
        "list": "['a', 'b']",
        "object": "{'a': 1}",
        "network": "varchar '10.0.0.1'",
    },
}
"""The native type and value of each case: a typed literal, or for tables that are declared, a type and a literal."""
TEXT = {
    "local": "2024-07-01 00:30:00",
    "zoned": "2024-06-30T22:30:00Z",
    "text_time": "2024-07-01 00:30:00",
    "text_zoned": "2024-07-01T00:30:00+02:00",
    "day": "2024-07-01",
    "text_day": "2024-07-01",
    "code": "007",
    "decimal": "12.50",
    "float": "123456.78",
    "whole": "42",
    "large": "9007199254740993",
    "flag": "TRUE",
    "network": "10.0.0.1",
}
"""What a CSV file says."""
_JSON = {
    **TEXT, "decimal": 12.5, "float": 123456.78, "whole": 42, "large": 9007199254740993, "flag": True,
    "list": ["a", "b"], "object": {"a": 1},
}  # fmt: skip
_ODD = ("text_time", "text_zoned", "text_day")
"""The cases that are in columns of text. In files, one other value makes a column text."""


def make(slug: str, root: Path) -> Place:
    """A table with one column for each case, whose first row has the values."""
    return _MAKERS[slug](root)


def _postgres(_root: Path) -> Place:
    selected = ", ".join(f"{literal} as {name}" for name, literal in _SQL["postgres"].items())
    run_in_postgres(f"drop table if exists {TABLE}", f"create table {TABLE} as select 1 as id, {selected}")
    return Place("postgres", f"{POSTGRES_SCHEMA}.{TABLE}", postgres_settings())


def _duckdb(root: Path) -> Place:
    selected = ", ".join(f"{literal} as {name}" for name, literal in _SQL["duckdb"].items())
    with duckdb.connect(str(root / f"{TABLE}.duckdb")) as connection:
        connection.execute(f"set TimeZone = 'UTC'; create or replace table {TABLE} as select 1 as id, {selected}")
    return Place("duckdb", TABLE, {"path": f"{TABLE}.duckdb"})


def _declared(slug: str) -> tuple[str, str]:
    """The statements that create and fill a table whose columns declare their types."""
    parts = {name: text.split(" ", 1) for name, text in _SQL[slug].items()}
    columns = ", ".join(f"`{name}` {kind}" for name, (kind, _) in parts.items())
    values = ", ".join(literal for _, literal in parts.values())
    return f"create table {TABLE} (id int primary key, {columns})", f"insert into {TABLE} values (1, {values})"


def _mysql(_root: Path) -> Place:
    run_in_mysql(f"drop table if exists {TABLE}", *_declared("mysql"))
    return Place("mysql", TABLE, mysql_settings())


def _sqlite(root: Path) -> Place:
    run_in_sqlite(root / f"{TABLE}.sqlite3", f"drop table if exists {TABLE}", *_declared("sqlite"))
    return Place("sqlite", TABLE, {"path": f"{TABLE}.sqlite3"})


def _csv(root: Path) -> Place:
    odd = {name: "n/a" if name in _ODD else "" for name in TEXT}
    lines = [["id", *TEXT], ["1", *TEXT.values()], ["2", *odd.values()]]
    (root / f"{TABLE}.csv").write_text("".join(",".join(line) + "\n" for line in lines), "utf-8", newline="")
    return Place("csv", TABLE, {"path": f"{TABLE}.csv"})


def _jsonl(root: Path) -> Place:
    rows: list[dict[str, Any]] = [{"id": 1, **_JSON}, {"id": 2, **dict.fromkeys(_ODD, "n/a")}]
    (root / f"{TABLE}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return Place("jsonl", TABLE, {"path": f"{TABLE}.jsonl"})


def _parquet(root: Path) -> Place:
    selected = ", ".join(f"{literal} as {name}" for name, literal in _SQL["duckdb"].items())
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        table: pa.Table = connection.sql(f"select 1 as id, {selected}").to_arrow_table()
    pyarrow.parquet.write_table(table, root / f"{TABLE}.parquet")
    return Place("parquet", TABLE, {"path": f"{TABLE}.parquet"})


_MAKERS: dict[str, Callable[[Path], Place]] = {
    "postgres": _postgres,
    "mysql": _mysql,
    "sqlite": _sqlite,
    "duckdb": _duckdb,
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}
