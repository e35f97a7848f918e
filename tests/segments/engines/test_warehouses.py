"""Redshift, Snowflake and BigQuery: the generated SQL and the forms. None has been tested against a live account."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat
from django.contrib.auth.models import User
from django.test import Client

from core.errors import Misconfigured
from segments.conditions import parsing
from segments.conditions.scope import Link
from segments.conditions.tree import Related
from segments.contract import ColumnInfo, ColumnType
from segments.engines.bigquery import engine as bigquery
from segments.engines.snowflake import engine as snowflake
from segments.engines.warehouse import text_batch
from segments.registry import engines
from segments.sql import statements
from segments.sql.comparisons import Clock
from segments.sql.computed_columns import with_computed
from segments.sql.where import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from segments.conditions.computed_fields import Formula

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)
SLUGS = ("redshift", "snowflake", "bigquery")
NATIVES = {
    "redshift": (
        "character varying",
        "double precision",
        "timestamp with time zone",
        "timestamp without time zone",
        "super",
    ),
    "snowflake": ("TEXT", "FLOAT", "TIMESTAMP_TZ", "TIMESTAMP_NTZ", "VARIANT"),
    "bigquery": ("STRING", "FLOAT64", "TIMESTAMP", "DATETIME", "JSON"),
}
NAMES = ("na'me `\"%s", "mrr", "paid_at", "seen_at", "info")
TYPES = (ColumnType.TEXT, ColumnType.NUMBER, ColumnType.TIMESTAMP, ColumnType.TIMESTAMP, ColumnType.OBJECT)
QUOTED = {"redshift": '"na\'me `""%%s"', "snowflake": '"na\'me `""%%s"', "bigquery": "`na'me \\`\"%s`"}


def column_infos(slug: str) -> dict[str, ColumnInfo]:
    columns = zip(NAMES, TYPES, NATIVES[slug], strict=True)
    return {name: ColumnInfo(name, column_type, native) for name, column_type, native in columns}


def generated_sql(slug: str, *items: dict[str, Any], columns: tuple[str, ...] = ("mrr",)) -> str:
    infos = column_infos(slug)
    source = statements.relation(list(infos.values()), engines[slug].dialect, table="sales.companies")
    tree = parsing.parse({"all": list(items)}, {name: info.type for name, info in infos.items()})
    query = statements.select(source, infos, columns, statements.where(tree, source, infos, now=NOW, zone=PARIS))
    compiled = query.compile(dialect=engines[slug].dialect, compile_kwargs={"render_postcompile": True})
    return " ".join(str(compiled).split())


@pytest.mark.parametrize("slug", SLUGS)
def test_names_are_quoted_and_values_are_parameters(slug: str) -> None:
    sql = generated_sql(
        slug, {"field": NAMES[0], "is": "one_of", "value": ["'; drop table x; --", "%s"]}, columns=(NAMES[0], "mrr")
    )
    assert QUOTED[slug] in sql
    assert "drop" not in sql
    mark = "`" if slug == "bigquery" else '"'
    assert f"FROM {mark}sales{mark}.{mark}companies{mark} AS" in sql


@pytest.mark.parametrize("slug", SLUGS)
def test_nan_counts_as_null(slug: str) -> None:
    sql = generated_sql(slug, {"field": "mrr", "is": "not_equals", "value": 5})
    cast = {"redshift": "AS VARCHAR(65535)", "snowflake": "AS TEXT", "bigquery": "AS STRING"}[slug]
    assert "CASE WHEN ((lower(CAST(" in sql
    assert cast in sql
    assert "IS NULL OR" in sql


@pytest.mark.parametrize("slug", SLUGS)
def test_contains_uses_the_function_of_the_database(slug: str) -> None:
    function = {"redshift": "strpos(", "snowflake": "charindex(", "bigquery": "strpos("}[slug]
    assert function in generated_sql(slug, {"field": NAMES[0], "is": "contains", "value": "x"})


@pytest.mark.parametrize("slug", SLUGS)
def test_objects_are_read_as_json(slug: str) -> None:
    function = {"redshift": "json_serialize(", "snowflake": "to_json(", "bigquery": "to_json_string("}[slug]
    assert function in generated_sql(slug, columns=("info",))
    assert function in generated_sql(slug, {"field": "info", "is": "empty"})


@pytest.mark.parametrize("slug", SLUGS)
def test_zoned_times_are_compared_in_utc_and_others_in_the_sources_time_zone(slug: str) -> None:
    infos = column_infos(slug)
    source = statements.relation(list(infos.values()), engines[slug].dialect, table="companies")
    for field, first in (
        ("paid_at", datetime(2026, 3, 31, 8, 30, tzinfo=UTC)),
        ("seen_at", datetime.fromisoformat("2026-03-31 10:30")),
    ):
        tree = parsing.parse(
            {"all": [{"field": field, "is": "in_the_last", "value": "2 hours"}]},
            {name: info.type for name, info in infos.items()},
        )
        where = statements.where(tree, source, infos, now=NOW, zone=PARIS)
        compiled = statements.select(source, infos, ["mrr"], where).compile(dialect=engines[slug].dialect)
        assert first in compiled.params.values()


@pytest.mark.parametrize("slug", SLUGS)
def test_anniversary_uses_the_time_zone_of_the_source(slug: str) -> None:
    zoned, plain = {
        "redshift": ("to_char(timezone(", "to_char(model."),
        "snowflake": ("to_char(convert_timezone(", "to_char(model."),
        "bigquery": ("format_timestamp(", "format_datetime("),
    }[slug]
    for field, function in (("paid_at", zoned), ("seen_at", plain)):
        sql = generated_sql(slug, {"field": field, "is": "anniversary_in", "value": "2 days"})
        assert function in sql
        assert sql.count(" BETWEEN ") == 2


@pytest.mark.parametrize("slug", SLUGS)
def test_query_is_enclosed_in_parentheses(slug: str) -> None:
    info = ColumnInfo("a", ColumnType.TEXT, NATIVES[slug][0])
    source = statements.relation([info], engines[slug].dialect, sql="select a from b where c like '5%' -- end;")
    sql = str(statements.select(source, {"a": info}, ["a"]).compile(dialect=engines[slug].dialect))
    assert "FROM (select a from b where c like '5%" in sql
    assert "-- end\n)" in sql


@pytest.mark.parametrize(
    ("slug", "package", "settings"),
    [
        ("redshift", "redshift-connector", {"host": "h", "database": "d", "user": "u", "password": "p"}),
        ("snowflake", "snowflake-connector-python", {"account": "a", "user": "u", "password": "p"}),
        (
            "bigquery",
            "google-cloud-bigquery",
            {"service_account": '{"type": "service_account", "private_key": "x", "project_id": "p"}'},
        ),
    ],
)
def test_missing_driver_is_reported_with_the_command_that_installs_it(
    slug: str, package: str, settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("redshift_connector", "snowflake.connector", "google.cloud.bigquery"):
        monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(Misconfigured) as missing, engines[slug].open(settings, timeout_seconds=5):
        pass
    assert missing.value.code == "driver_missing"
    assert package in missing.value.message
    assert "pip install -r requirements-extras.txt" in missing.value.message


@pytest.mark.django_db
@pytest.mark.parametrize("slug", SLUGS)
def test_form_treats_keys_as_secrets_and_shows_that_the_engine_is_untested(slug: str) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    page = browser.get(f"/admin/segments/source/add/?engine={slug}").content.decode()
    assert "Not yet tested against a live" in page
    secrets = {
        "redshift": ("password",),
        "snowflake": ("private_key", "passphrase", "password"),
        "bigquery": ("service_account",),
    }[slug]
    assert {parameter.name for parameter in engines[slug].parameters if parameter.secret} == set(secrets)


def test_snowflake_accepts_a_key_pair_with_or_without_a_passphrase() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    filled = dict.fromkeys([parameter.name for parameter in engines["snowflake"].parameters]) | {
        "account": "a",
        "user": "u",
    }
    for passphrase in (None, "hush"):
        encryption = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()
        arguments = snowflake.arguments({**filled, "private_key": pem, "passphrase": passphrase}, 30)
        assert arguments["private_key"] == key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        assert arguments["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 30
    with pytest.raises(Misconfigured, match="passphrase"):
        snowflake.arguments({**filled, "private_key": pem, "passphrase": "wrong"}, 30)
    with pytest.raises(Misconfigured, match="private key or a password"):
        snowflake.arguments(filled, 30)


@pytest.mark.parametrize(
    "text", ["", "not json", "[]", '{"type": "authorized_user"}', json.dumps({"type": "service_account"})]
)
def test_invalid_service_account_key_is_refused(text: str) -> None:
    with pytest.raises(Misconfigured, match="not the key of a service account") as refused:
        bigquery.service_account_key(text)
    assert refused.value.where == "service_account"


def test_bigquery_parameters_have_their_types() -> None:
    values = [True, 5, Decimal("0.1"), 0.1, date(2026, 1, 31), datetime(2026, 1, 31), NOW, "x"]  # noqa: DTZ001
    types = ["BOOL", "INT64", "BIGNUMERIC", "FLOAT64", "DATE", "DATETIME", "TIMESTAMP", "STRING"]
    assert [bigquery.parameter_type(value) for value in values] == types


@pytest.mark.parametrize(
    ("slug", "text"), [("redshift", "'it''s \\ %'"), ("snowflake", "'it''s \\\\ %'"), ("bigquery", "'it\\'s \\\\ %'")]
)
def test_values_in_shown_sql_are_escaped_for_the_database(slug: str, text: str) -> None:
    info = ColumnInfo("a", ColumnType.TEXT, NATIVES[slug][0])
    source = statements.relation([info], engines[slug].dialect, table="b")
    tree = parsing.parse({"all": [{"field": "a", "is": "equals", "value": "it's \\ %"}]}, {"a": ColumnType.TEXT})
    query = statements.select(
        source, {"a": info}, ["a"], statements.where(tree, source, {"a": info}, now=NOW, zone=PARIS)
    )
    assert text in statements.literal_sql(query, engines[slug].dialect)


def test_driver_values_become_text_that_can_be_read_back() -> None:
    rows = [("a", True, NOW, date(2026, 1, 31), Decimal("1.50"), b"\x00", {"a": [1]}, None)]
    assert [list(row.values()) for row in text_batch("abcdefgh", rows).to_pylist()] == [
        ["a", "true", "2026-03-31 10:30:00+00:00", "2026-01-31", "1.50", "\\x00", '{"a": [1]}', None]
    ]


@pytest.mark.parametrize("slug", SLUGS)
def test_sums_of_floats_are_computed_as_decimals(slug: str) -> None:
    infos = column_infos(slug)

    def reach(model: str, columns: Iterable[str]) -> Table:
        return Table(statements.relation(list(infos.values()), engines[slug].dialect, table=model), infos)

    link = Link("orders", "mrr", "mrr", "orders.mrr")
    formulas: dict[str, Formula] = {
        kind: Related("orders", "", measure=kind, column="mrr", link=link) for kind in ("sum", "average", "max")
    }
    table = with_computed(reach("companies", []), formulas, engines[slug].computed, Clock(NOW, PARIS), reach)
    sql = str(statements.select(table.source, table.infos, list(formulas)).compile(dialect=engines[slug].dialect))
    for measure in ("sum", "avg"):
        assert f"round({measure}(CAST(found.value AS NUMERIC(38, 9)))" in sql
    assert "max(found.value)" in sql
    assert {table.infos[name].native for name in formulas} == {engines[slug].computed[ColumnType.NUMBER]}
