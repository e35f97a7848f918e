"""Reads BigQuery through Google's client: a dry run describes a query, and results arrive as Arrow."""

from __future__ import annotations

import json
import re
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from core.parameters import Parameter
from segments.contract import ColumnInfo, ColumnType, Engine, Reader
from segments.engines import hosts
from segments.engines.bigquery.dialect import COMPUTED, dialect
from segments.engines.failures import no_table, timed_out
from segments.engines.names import names
from segments.engines.warehouse import WarehouseReader, import_driver, translated
from segments.sql.statements import join_name, split_name
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Select

STANDARD_NAMES = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
TYPES = {
    "INT64": ColumnType.INTEGER,
    **dict.fromkeys(("FLOAT64", "NUMERIC", "BIGNUMERIC"), ColumnType.NUMBER),
    "BOOL": ColumnType.BOOLEAN,
    "DATE": ColumnType.DATE,
    **dict.fromkeys(("DATETIME", "TIMESTAMP"), ColumnType.TIMESTAMP),
    **dict.fromkeys(("JSON", "RECORD", "STRUCT"), ColumnType.OBJECT),
}

TOKEN_ADDRESSES = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")
UNIVERSE = "googleapis.com"
"""The only addresses to which a key may make the driver connect."""


class BigQuery(Engine):
    slug = "bigquery"
    label = "Google BigQuery"
    summary = "Tables and views of a BigQuery dataset."
    note = (
        "Not yet tested against a live project. "
        "Its driver is installed separately: pip install -r requirements-extras.txt"
    )
    parameters = (
        Parameter(
            "service_account",
            "Service account",
            kind="secret",
            lines=True,
            help="Its key file in JSON format. It needs the roles BigQuery Data Viewer and BigQuery Job User.",
        ),
        Parameter("project", "Project", required=False, help="If empty, the project of the service account."),
        Parameter("location", "Location", required=False, help="For example EU. If empty, wherever the data is."),
        Parameter("dataset", "Dataset", help="The dataset for tables that are named without one."),
        Parameter(
            "schemas",
            "Other datasets",
            required=False,
            help="Datasets whose tables are listed too, separated by commas.",
        ),
        Parameter(
            "max_gigabytes",
            "Maximum gigabytes per query",
            kind="integer",
            required=False,
            least=1,
            help="A query that would be billed for more is refused. If empty, there is no limit.",
        ),
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        filled = self.filled(settings)
        account = service_account_key(filled["service_account"])
        bigquery = import_driver("google.cloud.bigquery", "google-cloud-bigquery")
        hosts.permit("bigquery.googleapis.com", 443)
        try:
            client = bigquery.Client.from_service_account_info(
                account, project=filled["project"] or account["project_id"], location=filled["location"]
            )
        except ValueError as error:
            raise _wrong_key(str(error)) from None
        with closing(client):
            yield BigQueryReader(bigquery, client, filled, timeout_seconds)


def service_account_key(text: str | None) -> dict[str, Any]:
    """The parsed key file of a service account.

    Raises:
        Misconfigured: the text is not one.
    """
    try:
        key = json.loads(text or "")
    except ValueError:
        raise _wrong_key("not JSON") from None
    if not isinstance(key, dict) or key.get("type") != "service_account" or not key.get("private_key"):
        raise _wrong_key("not a service account")
    if (
        key.get("token_uri", TOKEN_ADDRESSES[0]) not in TOKEN_ADDRESSES
        or key.get("universe_domain", UNIVERSE) != UNIVERSE
    ):
        raise _wrong_key("an address that is not Google's")
    return key


def _wrong_key(detail: str) -> Misconfigured:
    message = "This is not the key of a service account. Paste the complete JSON file from Google Cloud."
    return Misconfigured("source_login", message, where="service_account", detail=detail)


class BigQueryReader(WarehouseReader):
    def __init__(self, bigquery: Any, client: Any, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self.bigquery, self.client = bigquery, client
        self.settings, self.timeout_seconds = settings, timeout_seconds
        self.exceptions = import_driver("google.api_core.exceptions", "google-cloud-bigquery")
        self.job: Any = None

    def tables(self) -> list[str]:
        datasets = [self.settings["dataset"], *names(self.settings["schemas"])]
        with self.translating_errors():
            tables = [
                (name, table.table_id)
                for name in datasets
                for table in self.client.list_tables(name, timeout=self.timeout_seconds)
            ]
        return [join_name(dataset, name) for dataset, name in tables]

    def describe_table(self, table: str) -> list[ColumnInfo]:
        dataset, name = split_name(table)
        try:
            qualified = f"{dataset or self.settings['dataset']}.{name}"
            fields = self.client.get_table(qualified, timeout=self.timeout_seconds).schema
        except self.exceptions.NotFound:
            raise no_table(table) from None
        return [_column_info(field) for field in fields]

    def describe_query(self, sql: str) -> list[ColumnInfo]:
        job = self.client.query(f"SELECT * FROM ({bare(sql)})", job_config=self._config(dry_run=True))  # noqa: S608
        if job.statement_type != "SELECT":
            raise Misconfigured(
                "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", where="sql"
            )
        return [_column_info(field) for field in job.schema]

    def read_batches(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        params = compiled.params
        bound = [
            self.bigquery.ScalarQueryParameter(None, parameter_type(params[name]), params[name])
            for name in compiled.positiontup or ()
        ]
        self.job = self.client.query(str(compiled), job_config=self._config(query_parameters=bound))
        yield from self.job.result(timeout=self.timeout_seconds).to_arrow_iterable()

    def translate(self, error: Exception) -> Exception:
        if isinstance(error, TimeoutError) or re.search("timed? ?out|timeout", str(error)[:300], re.IGNORECASE):
            return timed_out(self.timeout_seconds)
        return translated(error, self.exceptions.GoogleAPICallError, (self.exceptions.ServerError, OSError))

    def interrupt(self) -> None:
        with suppress(Exception):
            self.client.cancel_job(self.job.job_id, location=self.job.location)

    def _config(self, **options: Any) -> Any:
        config = self.bigquery.QueryJobConfig(labels={"application": "dinmo"}, use_legacy_sql=False, **options)
        config.default_dataset = f"{self.client.project}.{self.settings['dataset']}"
        config.job_timeout_ms = int(self.timeout_seconds * 1000)
        if self.settings["max_gigabytes"]:
            config.maximum_bytes_billed = int(self.settings["max_gigabytes"]) * 1_000_000_000
        return config


def parameter_type(value: Any) -> str:
    """The BigQuery type of a query parameter."""
    if isinstance(value, datetime):
        return "TIMESTAMP" if value.tzinfo else "DATETIME"
    types = [(bool, "BOOL"), (int, "INT64"), (Decimal, "BIGNUMERIC"), (float, "FLOAT64"), (date, "DATE")]
    return next((name for python_type, name in types if isinstance(value, python_type)), "STRING")


def _column_info(field: Any) -> ColumnInfo:
    native = STANDARD_NAMES.get(field.field_type, field.field_type)
    if field.mode == "REPEATED":
        return ColumnInfo(field.name, ColumnType.LIST, f"ARRAY<{native}>", False)
    return ColumnInfo(field.name, TYPES.get(native, ColumnType.TEXT), native, field.mode != "REQUIRED")
