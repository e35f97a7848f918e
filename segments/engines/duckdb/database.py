"""DuckDB's database files, attached read-only, without access to anything else."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Any

import duckdb

from core.errors import Misconfigured, Unavailable
from segments.contract import ColumnInfo, Engine, ForeignKey, Reader, TableInfo
from segments.engines.duckdb.column_types import native_type
from segments.engines.duckdb.dialect import COMPUTED, DuckDBDialect
from segments.engines.duckdb.session import FileReader, lock, quote, quote_identifier, session, translated
from segments.engines.failures import no_table
from segments.engines.paths import PATH, resolve, stamp
from segments.sql.statements import join_name, split_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

NAME = "source"
MEMORY = "256MB"
"""Must have room for several vectors of 2,048 rows. Sorting uses all of it."""
MAX_CACHED_BYTES, KEPT_BYTES = 8_000_000, 1_000_000
"""If more of the file than this is cached in memory, the cache is cut down to `KEPT_BYTES`."""
USED = "SELECT tag = 'BASE_TABLE', sum(memory_usage_bytes)::BIGINT FROM system.main.duckdb_memory() GROUP BY ALL"
TABLES = f"""
    SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = '{NAME}'
    ORDER BY table_schema <> 'main', 1, 2
"""  # noqa: S608
CATALOG = f"""
    SELECT schema_name, table_name, false, estimated_size FROM duckdb_tables() WHERE database_name = '{NAME}'
    UNION ALL
    SELECT schema_name, view_name, true, NULL FROM duckdb_views() WHERE database_name = '{NAME}' AND NOT internal
    ORDER BY schema_name <> 'main', 1, 2
"""  # noqa: S608
ALL_COLUMNS = f"""
    SELECT schema_name, table_name, column_name, data_type, is_nullable FROM duckdb_columns()
    WHERE database_name = '{NAME}' AND NOT internal ORDER BY schema_name, table_name, column_index
"""  # noqa: S608
REQUIRED = """
    SELECT column_name FROM duckdb_columns()
    WHERE database_name = {database} AND schema_name = {schema} AND table_name = {table} AND NOT is_nullable
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
    summary = "A DuckDB database in one file on this server."
    parameters = (PATH,)
    dialect = DatabaseDialect(paramstyle="numeric_dollar")
    computed = COMPUTED
    signals_changes = True

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        path = resolve(settings["path"])
        with session(MEMORY) as connection:
            try:
                connection.execute(f"ATTACH {quote(str(path))} AS {NAME} (TYPE duckdb, READ_ONLY)")
                connection.execute(f"USE {NAME}")
                connection.execute("SET allowed_configs = ['memory_limit']")
                lock(connection)
            except duckdb.Error as error:
                if "lock" in str(error):
                    message = "Another program has the file open for writing. Try again once it has closed the file."
                    raise Unavailable("source_busy", message, detail=str(error)) from None
                raise translated(error, timeout_seconds) from None
            yield DatabaseReader(connection, "", [path], timeout_seconds)


class DatabaseReader(FileReader):
    """All tables and views of the file. Those in the schema `main` are named without it."""

    def tables(self) -> list[str]:
        return [_display_name(schema, name) for schema, name in self.fetch_all(TABLES)]

    def catalog(self) -> list[TableInfo]:
        columns: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, name, native, nullable in self.fetch_all(ALL_COLUMNS):
            columns.setdefault((schema, table), []).append(ColumnInfo(name, native_type(native), native, nullable))
        return [
            TableInfo(_display_name(schema, name), tuple(columns.get((schema, name), ())), is_view, rows)
            for schema, name, is_view, rows in self.fetch_all(CATALOG)
        ]

    def columns(self, *, table: str = "", sql: str = "") -> list[ColumnInfo]:
        infos = super().columns(table=table, sql=sql)
        if sql:
            return infos
        required = {column for (column,) in self._fetch_for_table(table, REQUIRED)}
        return [ColumnInfo(info.name, info.type, info.native, info.name not in required) for info in infos]

    def natives(self, *, table: str = "", sql: str = "", expected: Iterable[str] = ()) -> dict[str, str]:
        """By one query: the tables are listed only if this one can't be described."""
        try:
            return {info.name: info.native for info in self.describe(table, sql)}
        except Misconfigured:
            if table:
                self.require_table(table)
            raise

    def foreign_keys(self, table: str) -> list[ForeignKey]:
        # In DuckDB, a foreign key never refers to a different schema.
        schema, _ = split_name(table)
        return [
            ForeignKey(column, _display_name(schema or "main", other), to)
            for column, other, to in self._fetch_for_table(table, FOREIGN_KEYS)
        ]

    def _fetch_for_table(self, table: str, query: str) -> list[tuple[Any, ...]]:
        schema, name = split_name(table)
        return self.fetch_all(query.format(database=quote(NAME), schema=quote(schema or "main"), table=quote(name)))

    def table_sql(self, table: str) -> str:
        schema, name = split_name(table)
        return f"{quote_identifier(schema or 'main')}.{quote_identifier(name)}"

    def change_signal(self, *, table: str = "", sql: str = "") -> str | None:
        """By the file and its log of changes, so for all tables alike."""
        return stamp([*self.paths, *(path.with_name(f"{path.name}.wal") for path in self.paths)])

    def after_batch(self) -> None:
        """Evicts the parts of the file that have been read: they would fill the memory, and are not needed again.

        DuckDB has no statement for that, but lowering its memory limit for a moment makes it evict.
        """
        used = dict(self.settings_cursor.execute(USED).fetchall())
        if used.get(True, 0) > MAX_CACHED_BYTES:
            with suppress(duckdb.OutOfMemoryException):
                # Raised if some of it is still needed.
                self.settings_cursor.execute(f"SET memory_limit = '{used.get(False, 0) + KEPT_BYTES}B'")
            self.settings_cursor.execute(f"SET memory_limit = '{MEMORY}'")

    @cached_property
    def settings_cursor(self) -> duckdb.DuckDBPyConnection:
        """A second cursor, for settings, while the connection is streaming rows."""
        return self.connection.cursor()

    def require_table(self, table: str) -> None:
        if table not in self.tables():
            raise no_table(table)


def _display_name(schema: str, name: str) -> str:
    return join_name("" if schema == "main" else schema, name).removeprefix(".")
