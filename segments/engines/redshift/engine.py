"""Reads Redshift through redshift-connector, in a read-only transaction; rows are fetched in batches."""

from __future__ import annotations

from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Unavailable
from core.parameters import Parameter
from segments.contract import ColumnInfo, ColumnType, Engine, Reader
from segments.engines import hosts
from segments.engines.batches import next_batch_rows
from segments.engines.failures import no_table, timed_out
from segments.engines.names import names
from segments.engines.redshift.dialect import COMPUTED, dialect
from segments.engines.warehouse import BATCH_ROWS, WarehouseReader, import_driver, text_batch, translated
from segments.sql.statements import join_name, split_name
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Select

TABLES = """
    select schema_name, table_name from svv_all_tables where database_name = current_database()
    and schema_name not in ('pg_catalog', 'information_schema', 'pg_internal') order by 1, 2
"""
COLUMNS = """
    select column_name, data_type, is_nullable <> 'NO' from svv_all_columns
    where database_name = current_database() and schema_name = %s and table_name = %s order by ordinal_position
"""
TYPES = {
    **dict.fromkeys(("smallint", "integer", "bigint"), ColumnType.INTEGER),
    **dict.fromkeys(("numeric", "real", "double precision"), ColumnType.NUMBER),
    "boolean": ColumnType.BOOLEAN,
    "date": ColumnType.DATE,
    **dict.fromkeys(("timestamp without time zone", "timestamp with time zone"), ColumnType.TIMESTAMP),
    "super": ColumnType.OBJECT,
}
OIDS = {
    16: "boolean",
    20: "bigint",
    21: "smallint",
    23: "integer",
    700: "real",
    701: "double precision",
    1700: "numeric",
    1082: "date",
    1114: "timestamp without time zone",
    1184: "timestamp with time zone",
    4000: "super",
    1043: "character varying",
}


class Redshift(Engine):
    slug = "redshift"
    label = "Amazon Redshift"
    summary = "Tables and views of a cluster or workgroup."
    note = (
        "Not yet tested against a live account. "
        "Its driver is installed separately: pip install -r requirements-extras.txt"
    )
    parameters = (
        Parameter(
            "host",
            "Host",
            kind="host",
            help="The endpoint of the cluster or workgroup, without the port.",
            recipient=True,
        ),
        Parameter("port", "Port", kind="integer", default=5439, least=1, most=65535, recipient=True),
        Parameter("database", "Database"),
        Parameter("user", "User", help="Preferably a read-only user."),
        Parameter("password", "Password", kind="secret"),
        Parameter("schema", "Schema", default="public", help="The schema for tables that are named without one."),
        Parameter(
            "schemas",
            "Schemas to list",
            required=False,
            help="Separated by commas. If empty, all schemas that the user can read are listed.",
        ),
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        connector = import_driver("redshift_connector", "redshift-connector")
        filled = self.filled(settings)
        hosts.find(filled["host"], int(filled["port"]))
        try:
            connection = connector.connect(
                **{name: filled[name] for name in ("host", "port", "database", "user", "password")},
                ssl=True,
                sslmode="verify-full",
                application_name="dinmo",
                timeout=int(timeout_seconds) + 10,
            )
        except connector.InterfaceError as error:
            raise Unavailable(
                "source_unreachable", "Redshift can't be reached. Check the host and port.", detail=str(error)
            ) from None
        except connector.Error as error:
            raise Misconfigured(
                "source_login",
                "Redshift refused the session. Check the user, password and database.",
                detail=str(error),
            ) from None
        with closing(connection):
            reader = RedshiftReader(connector, connection, filled, timeout_seconds)
            reader.prepare()
            yield reader


class RedshiftReader(WarehouseReader):
    forbidden = ("pg_sleep", "set_config", "pg_terminate_backend", "pg_cancel_backend", "nextval")

    def __init__(self, connector: Any, connection: Any, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self.connector, self.connection = connector, connection
        self.settings, self.timeout_seconds = settings, timeout_seconds

    def prepare(self) -> None:
        schema = self.settings["schema"].replace('"', '""')
        with self.translating_errors(), closing(self.connection.cursor()) as cursor:
            cursor.execute(f"set statement_timeout to {int(self.timeout_seconds * 1000)}")
            cursor.execute(f'set search_path to "{schema}", public')
            cursor.execute("set timezone to 'UTC'")
            cursor.execute("set query_group to 'dinmo'")
            self.connection.commit()
            cursor.execute("begin read only")

    def tables(self) -> list[str]:
        schemas = names(self.settings["schemas"])
        return [join_name(schema, name) for schema, name in self._fetch_all(TABLES) if not schemas or schema in schemas]

    def describe_table(self, table: str) -> list[ColumnInfo]:
        schema, name = split_name(table)
        columns = self._fetch_all(COLUMNS, (schema or self.settings["schema"], name))
        if not columns:
            raise no_table(table)
        return [
            ColumnInfo(column, TYPES.get(native, ColumnType.TEXT), native, bool(nullable))
            for column, native, nullable in columns
        ]

    def describe_query(self, sql: str) -> list[ColumnInfo]:
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(f"select * from ({bare(sql)}) as described limit 0")  # noqa: S608
            natives = [(column[0], OIDS.get(column[1], "character varying")) for column in cursor.description]
        return [ColumnInfo(_decoded(name), TYPES.get(native, ColumnType.TEXT), native) for name, native in natives]

    def read_batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        params = compiled.params
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(str(compiled), [params[name] for name in compiled.positiontup or ()])
            columns = [_decoded(column[0]) for column in cursor.description]
            batch = None
            while rows := cursor.fetchmany(next_batch_rows(batch, BATCH_ROWS)):
                batch = text_batch(columns, rows)
                yield batch

    def translate(self, error: Exception) -> Exception:
        if isinstance(error, self.connector.Error) and "statement timeout" in str(error):
            return timed_out(self.timeout_seconds)
        return translated(error, self.connector.Error, (self.connector.InterfaceError, OSError))

    def interrupt(self) -> None:
        with suppress(Exception):
            self.connection.close()

    def _fetch_all(self, query: str, bound: tuple[Any, ...] = ()) -> list[Any]:
        with self.translating_errors(), closing(self.connection.cursor()) as cursor:
            cursor.execute(query, bound)
            return list(cursor.fetchall())


def _decoded(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name
