"""Database files of DuckDB: attached read-only, and nothing else in reach."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, Engine, ForeignKey, Reader, TableInfo
from segments.engines.duckdb.column_types import native_type
from segments.engines.duckdb.dialect import COMPUTED, DuckDBDialect
from segments.engines.duckdb.session import FileReader, identifier, lock, problem, quoted, session
from segments.engines.failures import no_table
from segments.engines.paths import PATH, inside
from segments.sql.statements import join_name, split_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME = "source"
MEMORY = "256MB"
"""2,048 rows must find room in it several times; sorting takes all of it."""
CACHED_BYTES, LEFT_BYTES = 8_000_000, 1_000_000
"""More of the file is not kept in memory; then so much of it."""
USED = "SELECT tag = 'BASE_TABLE', sum(memory_usage_bytes)::BIGINT FROM system.main.duckdb_memory() GROUP BY ALL"
TABLES = f"""
    SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = '{NAME}' ORDER BY table_schema <> 'main', 1, 2
"""  # noqa: S608
CATALOG = f"""
    SELECT schema_name, table_name, false, estimated_size FROM duckdb_tables() WHERE database_name = '{NAME}'
    UNION ALL SELECT schema_name, view_name, true, NULL FROM duckdb_views() WHERE database_name = '{NAME}' AND NOT internal
    ORDER BY schema_name <> 'main', 1, 2
"""  # noqa: S608
ALL_COLUMNS = f"""
    SELECT schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns()
    WHERE database_name = '{NAME}' AND NOT internal ORDER BY schema_name, table_name, column_index
"""  # noqa: S608
REQUIRED = """
    SELECT column_name FROM duckdb_columns() WHERE database_name = {database} AND schema_name = {schema} AND table_name = {table}
        AND NOT is_nullable
"""
FOREIGN_KEYS = """
    SELECT DISTINCT constraint_column_names[1], referenced_table, referenced_column_names[1] FROM duckdb_constraints()
    WHERE database_name = {database} AND schema_name = {schema} AND table_name = {table}
        AND constraint_type = 'FOREIGN KEY' AND len(constraint_column_names) = 1 ORDER BY ALL
"""


class DatabaseDialect(DuckDBDialect):
    supports_statement_cache = False
    has_schemas = True


class DuckDB(Engine):
    slug = "duckdb"
    label = "DuckDB"
    parameters = (PATH,)
    dialect = DatabaseDialect(paramstyle="numeric_dollar")
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        path = inside(settings["path"])
        with session(MEMORY) as connection:
            try:
                connection.execute(f"ATTACH {quoted(str(path))} AS {NAME} (TYPE duckdb, READ_ONLY)")
                connection.execute(f"USE {NAME}")
                connection.execute("SET allowed_configs = ['memory_limit']")
                lock(connection)
            except duckdb.Error as error:
                if "lock" in str(error):
                    message = "Another program has the file open for writing. Try again once it has closed it."
                    raise Unavailable("source_busy", message, detail=str(error)) from None
                raise problem(error, timeout_seconds) from None
            yield DatabaseReader(connection, "", [path], timeout_seconds)


class DatabaseReader(FileReader):
    """All tables and views of the file; those of the schema `main` without it."""

    def tables(self) -> list[str]:
        return [_named(schema, name) for schema, name in self.all_asked(TABLES)]

    def catalog(self) -> list[TableInfo]:
        columns: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, name, native, nullable in self.all_asked(ALL_COLUMNS):
            columns.setdefault((schema, table), []).append(ColumnInfo(name, native_type(native), native, nullable))
        return [
            TableInfo(_named(schema, name), tuple(columns.get((schema, name), ())), is_view, rows)
            for schema, name, is_view, rows in self.all_asked(CATALOG)
        ]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        infos = super().columns(table=table, sql=sql)
        if sql:
            return infos
        required = {column for (column,) in self._asked_of(table, REQUIRED)}
        return [ColumnInfo(info.name, info.type, info.native, info.name not in required) for info in infos]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """By one question: which tables there are is asked only where this one can't be described."""
        try:
            return {info.name: info.native for info in self.described(table, sql)}
        except Misconfigured:
            if table:
                self.refuse_other(table)
            raise

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        # DuckDB has none that lead to another schema.
        schema, _ = split_name(table)
        return [
            ForeignKey(column, _named(schema or "main", other), to)
            for column, other, to in self._asked_of(table, FOREIGN_KEYS)
        ]

    def _asked_of(self, table: str, question: str) -> list[tuple[Any, ...]]:
        schema, name = split_name(table)
        return self.all_asked(
            question.format(database=quoted(NAME), schema=quoted(schema or "main"), table=quoted(name))
        )

    def source_of(self, table: str) -> str:
        schema, name = split_name(table)
        return f"{identifier(schema or 'main')}.{identifier(name)}"

    def read_on(self) -> None:
        """Lets go of what was read of the file, which else fills the memory and is not asked for again."""
        used = dict(self.beside.execute(USED).fetchall())
        if used.get(True, 0) > CACHED_BYTES:
            with suppress(duckdb.OutOfMemoryException):
                # It says that some of it is still needed.
                self.beside.execute(f"SET memory_limit = '{used.get(False, 0) + LEFT_BYTES}B'")
            self.beside.execute(f"SET memory_limit = '{MEMORY}'")

    @cached_property
    def beside(self) -> duckdb.DuckDBPyConnection:
        """For settings, while the connection gives rows."""
        return self.connection.cursor()

    def refuse_other(self, table: str) -> None:
        if table not in self.tables():
            raise no_table(table)


def _named(schema: str, name: str) -> str:
    return join_name("" if schema == "main" else schema, name).removeprefix(".")
