"""Table names and generated statements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from segments.conditions import parsing
from segments.conditions.scope import Link, ModelScope
from segments.contract import ColumnInfo, ColumnType
from segments.registry import engines
from segments.sql import statements
from segments.sql.where import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

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
def test_a_table_name_is_split_into_schema_and_name(written: str, schema: str, name: str) -> None:
    assert statements.split_name(written) == (schema, name)


@pytest.mark.parametrize("pair", [("public", "t"), ("public", "a.b"), ('we"ird', "ta ble"), ("s", 'q"')])
def test_split_name_reverses_join_name(pair: tuple[str, str]) -> None:
    assert statements.split_name(statements.join_name(*pair)) == pair


@pytest.mark.parametrize("slug", ["sqlite", "postgres", "parquet"])
def test_every_value_of_a_condition_is_a_bound_parameter(slug: str) -> None:
    dialect = engines[slug].dialect
    source = statements.relation(list(INFOS.values()), dialect, table="companies")
    tree = parsing.parse(
        {
            "any": [
                {"field": "name", "is": "one_of", "value": ["robert'); drop table x; --", "b"]},
                {"field": "name", "is": "contains", "value": "evil"},
                {"field": "mrr", "is": "between", "value": [4711, 4712]},
            ]
        },
        {name: info.type for name, info in INFOS.items()},
    )
    where = statements.where(tree, source, INFOS, now=datetime(2026, 3, 31, tzinfo=UTC), zone=ZoneInfo("UTC"))
    compiled = statements.select(source, INFOS, ["name"], where).compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    assert all(value not in str(compiled) for value in ("drop table", "evil", "4711"))
    assert {"robert'); drop table x; --", "b", "evil", 4711, 4712} <= set(compiled.params.values())


HOSTILE = 'a"b;%s--'


@pytest.mark.parametrize("slug", ["sqlite", "postgres", "parquet"])
def test_a_condition_on_related_rows_is_fully_quoted_and_bound(slug: str) -> None:
    dialect = engines[slug].dialect
    types = {"id": "integer", HOSTILE: "number"}
    infos = {name: ColumnInfo(name, ColumnType(kind), "bigint") for name, kind in types.items()}
    scopes: dict[str, ModelScope] = {}
    orders = "Orders'; drop table x; --"
    scopes["Companies"] = ModelScope(types, "Companies", (Link(orders, "id", "id", f"{orders}.id"),), {}, scopes)
    scopes[orders] = ModelScope(types, orders, (), {}, scopes)
    nested = {"all": [{"field": HOSTILE, "is": "greater_than", "value": 4711}]}
    tree = parsing.parse(
        {
            "any": [
                {"related": orders, "has": "at_least", "count": 4712, "where": nested},
                {"related": orders, "sum": HOSTILE, "is": "one_of", "value": [4713]},
            ]
        },
        scopes["Companies"],
    )

    def reach(model: str, columns: Iterable[str]) -> Table:
        return Table(statements.relation(list(infos.values()), dialect, table=HOSTILE), infos, "id")

    source = reach("Companies", []).source
    where = statements.where(
        tree, source, infos, now=datetime(2026, 3, 31, tzinfo=UTC), zone=ZoneInfo("UTC"), reach=reach
    )
    compiled = statements.select(source, infos, ["id"], where).compile(
        dialect=dialect, compile_kwargs={"render_postcompile": True}
    )
    assert {4711, 4712, 4713} <= set(compiled.params.values())
    assert "drop table" not in str(compiled)
    assert "47" not in str(compiled)
    assert HOSTILE not in str(compiled).replace('"a""b;%s--"', "").replace('"a""b;%%s--"', "")
