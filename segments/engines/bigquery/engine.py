"""Reads BigQuery by way of Google's client: queries described by a dry run, results as Arrow."""

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
from segments.engines.bigquery.dialect import COMPUTED, dialect
from segments.engines.failures import no_table, timed_out
from segments.engines.names import names
from segments.engines.warehouse import WarehouseReader, driver, meaning
from segments.sql.statements import join_name, split_name
from segments.sql.terms import bare

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    from sqlalchemy import Select

LEGACY = {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL"}
TYPES = {
    "INT64": ColumnType.INTEGER,
    **dict.fromkeys(("FLOAT64", "NUMERIC", "BIGNUMERIC"), ColumnType.NUMBER),
    "BOOL": ColumnType.BOOLEAN,
    "DATE": ColumnType.DATE,
    **dict.fromkeys(("DATETIME", "TIMESTAMP"), ColumnType.TIMESTAMP),
    **dict.fromkeys(("JSON", "RECORD", "STRUCT"), ColumnType.OBJECT),
}


class BigQuery(Engine):
    slug = "bigquery"
    label = "Google BigQuery"
    note = "Not yet tried against a live project. Its driver is installed apart: pip install -r requirements-extras.txt"
    parameters = (
        Parameter(
            "service_account",
            "Service account",
            kind="secret",
            lines=True,
            help="Its key file, in JSON. It needs the roles BigQuery Data Viewer and BigQuery Job User.",
        ),
        Parameter("project", "Project", required=False, help="Empty: that of the service account."),
        Parameter("location", "Location", required=False, help="E.g. EU. Empty: where the data is."),
        Parameter("dataset", "Dataset", help="Where tables are looked for that are named without a dataset."),
        Parameter(
            "schemas",
            "More datasets",
            required=False,
            help="Others whose tables are listed too, with commas between them.",
        ),
        Parameter(
            "max_gigabytes",
            "Most gigabytes a query",
            kind="integer",
            required=False,
            least=1,
            help="A query that would be billed for more is refused. Empty: no limit.",
        ),
    )
    dialect = dialect
    computed = COMPUTED

    @contextmanager
    def open(self, settings: Mapping[str, Any], *, timeout_seconds: float) -> Iterator[Reader]:
        given = self.filled(settings)
        account = key(given["service_account"])
        bigquery = driver("google.cloud.bigquery", "google-cloud-bigquery")
        try:
            client = bigquery.Client.from_service_account_info(
                account, project=given["project"] or account["project_id"], location=given["location"]
            )
        except ValueError as error:
            raise _wrong_key(str(error)) from None
        with closing(client):
            yield BigQueryReader(bigquery, client, given, timeout_seconds)


def key(text: str | None) -> dict[str, Any]:
    """Raises Misconfigured where the text is no key of a service account."""
    try:
        found = json.loads(text or "")
    except ValueError:
        raise _wrong_key("no JSON") from None
    if not isinstance(found, dict) or found.get("type") != "service_account" or not found.get("private_key"):
        raise _wrong_key("no service account")
    return found


def _wrong_key(detail: str) -> Misconfigured:
    message = "This is no key of a service account. Paste the whole JSON file that Google Cloud gave."
    return Misconfigured("source_login", message, where="service_account", detail=detail)


class BigQueryReader(WarehouseReader):
    def __init__(self, bigquery: Any, client: Any, settings: Mapping[str, Any], timeout_seconds: float) -> None:
        self.bigquery, self.client = bigquery, client
        self.settings, self.timeout_seconds = settings, timeout_seconds
        self.exceptions = driver("google.api_core.exceptions", "google-cloud-bigquery")
        self.job: Any = None

    def tables(self) -> list[str]:
        datasets = [self.settings["dataset"], *names(self.settings["schemas"])]
        with self.problems():
            listed = [
                (name, table.table_id)
                for name in datasets
                for table in self.client.list_tables(name, timeout=self.timeout_seconds)
            ]
        return [join_name(dataset, name) for dataset, name in listed]

    def described_table(self, table: str) -> list[ColumnInfo]:
        dataset, name = split_name(table)
        try:
            found = self.client.get_table(f"{dataset or self.settings['dataset']}.{name}", timeout=self.timeout_seconds)
        except self.exceptions.NotFound:
            raise no_table(table) from None
        return [_info(field) for field in found.schema]

    def described(self, sql: str) -> list[ColumnInfo]:
        job = self.client.query(f"SELECT * FROM ({bare(sql)})", job_config=self._config(dry_run=True))  # noqa: S608
        if job.statement_type != "SELECT":
            raise Misconfigured(
                "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", where="sql"
            )
        return [_info(field) for field in job.schema]

    def read(self, query: Select[Any]) -> Iterator[pa.RecordBatch]:
        compiled = query.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
        params = compiled.params
        bound = [
            self.bigquery.ScalarQueryParameter(None, kind(params[name]), params[name])
            for name in compiled.positiontup or ()
        ]
        self.job = self.client.query(str(compiled), job_config=self._config(query_parameters=bound))
        yield from self.job.result(timeout=self.timeout_seconds).to_arrow_iterable()

    def failure(self, error: Exception) -> Exception:
        if isinstance(error, TimeoutError) or re.search("timed? ?out|timeout", str(error)[:300], re.IGNORECASE):
            return timed_out(self.timeout_seconds)
        return meaning(error, self.exceptions.GoogleAPICallError, (self.exceptions.ServerError, OSError))

    def interrupt(self) -> None:
        with suppress(Exception):
            self.client.cancel_job(self.job.job_id, location=self.job.location)

    def _config(self, **more: Any) -> Any:
        config = self.bigquery.QueryJobConfig(labels={"application": "dinmo"}, use_legacy_sql=False, **more)
        config.default_dataset = f"{self.client.project}.{self.settings['dataset']}"
        config.job_timeout_ms = int(self.timeout_seconds * 1000)
        if self.settings["max_gigabytes"]:
            config.maximum_bytes_billed = int(self.settings["max_gigabytes"]) * 1_000_000_000
        return config


def kind(value: Any) -> str:
    """The type of a parameter."""
    if isinstance(value, datetime):
        return "TIMESTAMP" if value.tzinfo else "DATETIME"
    kinds = [(bool, "BOOL"), (int, "INT64"), (Decimal, "BIGNUMERIC"), (float, "FLOAT64"), (date, "DATE")]
    return next((name for column_type, name in kinds if isinstance(value, column_type)), "STRING")


def _info(field: Any) -> ColumnInfo:
    native = LEGACY.get(field.field_type, field.field_type)
    if field.mode == "REPEATED":
        return ColumnInfo(field.name, ColumnType.LIST, f"ARRAY<{native}>", False)
    return ColumnInfo(field.name, TYPES.get(native, ColumnType.TEXT), native, field.mode != "REQUIRED")
