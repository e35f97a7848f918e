"""Names of tables, and statements as they are built and shown."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from segments import conditions, sql
from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines

INFOS = {"name": ColumnInfo("name", ColumnType.TEXT, "text"), "mrr": ColumnInfo("mrr", ColumnType.INTEGER, "integer")}


@pytest.mark.parametrize(
    ("written", "schema", "name"),
    [
        ("companies", "", "companies"),
        ("public.companies", "public", "companies"),
        ('public."a.b"', "public", "a.b"),
        ('"a.b"', "", "a.b"),
        ('"my ""own"" schema".t', 'my "own" schema', "t"),
        ("a.b.c", "a", "b.c"),
    ],
)
def test_the_name_of_a_table_is_split_at_its_schema(written: str, schema: str, name: str) -> None:
    assert sql.split_name(written) == (schema, name)


@pytest.mark.parametrize("pair", [("public", "t"), ("public", "a.b"), ('we"ird', "ta ble"), ("s", 'q"')])
def test_a_joined_name_is_split_again(pair: tuple[str, str]) -> None:
    assert sql.split_name(sql.join_name(*pair)) == pair


@pytest.mark.parametrize("slug", ["sqlite", "postgres", "parquet"])
def test_every_value_of_a_condition_is_a_bound_parameter(slug: str) -> None:
    dialect = engines[slug].dialect
    source = sql.relation(list(INFOS.values()), dialect, table="companies")
    tree = conditions.parse(
        {
            "any": [
                {"field": "name", "is": "one_of", "value": ["robert'); drop table x; --", "b"]},
                {"field": "name", "is": "contains", "value": "evil"},
                {"field": "mrr", "is": "between", "value": [4711, 4712]},
            ]
        },
        {name: info.type for name, info in INFOS.items()},
    )
    where = sql.where(tree, source, INFOS, now=datetime(2026, 3, 31, tzinfo=UTC), zone=ZoneInfo("UTC"))
    compiled = sql.select(source, INFOS, ["name"], where).compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    assert all(value not in str(compiled) for value in ("drop table", "evil", "4711"))
    assert {"robert'); drop table x; --", "b", "evil", 4711, 4712} <= set(compiled.params.values())
