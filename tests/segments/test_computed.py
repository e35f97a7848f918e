"""Computed fields: defined in the browser or in the workspace file, used like any column, renamed and protected."""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from core.errors import Misconfigured
from dinmo.workspace import apply as applying
from dinmo.workspace import export, from_database, problems, sources
from segments.conditions import computed_fields
from segments.conditions.scope_from_db import model_scope
from segments.integrity import column_usage, segments
from segments.integrity import computed_fields as formulas
from segments.models import Column, ComputedField, DataModel, Relation, Segment, Source
from segments.reading import read
from segments.sources import drift
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
NOW = timezone.now()
RECENT = {
    "all": [
        {"field": "amount", "is": "greater_than", "value": 100},
        {"field": "ordered_at", "is": "in_the_last", "value": "90 days"},
    ]
}
SPENT = {"related": "Orders", "sum": "amount"}
BIG = {"related": "Orders", "count": True, "where": RECENT}
TIER = {
    "labels": [
        {"label": "Gold", "where": {"all": [{"field": "spent", "is": "at_least", "value": 500}]}},
        {"label": "Silver", "where": {"all": [{"field": "spent", "is": "greater_than", "value": 0}]}},
    ],
    "otherwise": "Other",
}


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    """Three companies: the first has a large recent order, a large old one and a small one; the second a small one.

    The third has no orders.
    """
    settings.SOURCE_FILES_ROOT = tmp_path
    path = tmp_path / "shop.sqlite3"
    days = [(NOW - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S") for days in (5, 200, 5, 1)]
    with sqlite3.connect(path) as database:
        database.execute("create table companies (id integer primary key, name text, country text)")
        database.execute(
            "create table orders (id integer primary key, company_id integer, amount real, ordered_at timestamp)"
        )
        database.executemany("insert into companies values (?, ?, 'FR')", [(1, "Acme"), (2, "Bolt"), (3, "Crux")])
        orders = zip(range(1, 5), (1, 1, 1, 2), (400.1, 300.0, 0.2, 40.0), days, strict=True)
        database.executemany("insert into orders values (?, ?, ?, ?)", orders)
    return path


@pytest.fixture
def companies(file: Path) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": file.name})
    orders, model = (
        DataModel.objects.create(name=name, source=source, table=name.lower(), primary_key="id")
        for name in ("Orders", "Companies")
    )
    for each in (orders, model):
        refresh_columns(each)
    Relation.objects.create(from_model=orders, from_column="company_id", to_model=model, to_column="id")
    return model


@pytest.fixture
def tiered(companies: DataModel) -> DataModel:
    for name, definition in (("spent", SPENT), ("big orders", BIG), ("tier", TIER)):
        define(companies, name, definition)
    return companies


def define(model: DataModel, name: str, definition: dict[str, Any]) -> ComputedField:
    field = ComputedField(model=model, name=name, definition=definition)
    formulas.prepare(field)
    field.save()
    return field


def change(staff: Client, field: ComputedField, **changes: Any) -> Any:
    form = {"name": field.name, "definition": field.definition, **changes}
    return staff.post(
        f"/admin/segments/computedfield/{field.pk}/change/", {**form, "definition": json.dumps(form["definition"])}
    )


def rows(model: DataModel, *columns: str, **chosen: Any) -> list[list[Any]]:
    selection = read.Selection(model, chosen.get("where", {}), chosen.get("limit", {}))
    return [list(row.values()) for row in read.preview(selection, now=NOW, columns=columns)]


def test_fields_are_calculated_from_related_rows_and_fields_above_them(tiered: DataModel) -> None:
    assert rows(tiered, "name", "spent", "big orders", "tier") == [
        ["Acme", 700.3, 1, "Gold"],
        ["Bolt", 40.0, 0, "Silver"],
        ["Crux", 0, 0, "Other"],
    ]
    assert tiered.column_types() == {
        "id": "integer",
        "name": "text",
        "country": "text",
        "spent": "number",
        "big orders": "integer",
        "tier": "text",
    }


def test_a_field_works_in_conditions_limits_breakdowns_and_suggested_values(staff: Client, tiered: DataModel) -> None:
    assert rows(tiered, "name", where={"all": [{"field": "tier", "is": "one_of", "value": ["Silver", "Other"]}]}) == [
        ["Bolt"],
        ["Crux"],
    ]
    assert rows(tiered, "name", limit={"rows": 2, "order_by": "spent", "descending": True}) == [["Acme"], ["Bolt"]]
    buyers = Segment.objects.create(
        name="Buyers", model=tiered, where={"all": [{"field": "spent", "is": "greater_than", "value": 0}]}
    )
    assert read.count(read.selection(buyers), now=NOW) == 2
    assert read.breakdown(read.selection(buyers), "tier", now=NOW, limit=9) == [("Gold", 1), ("Silver", 1)]
    assert read.values(tiered, "tier", "go", limit=9) == [("Gold", 1)]
    page = staff.get(f"/admin/segments/segment/{buyers.pk}/change/").content.decode()
    assert "<option>tier</option>" in page


def test_a_condition_on_related_rows_can_use_their_computed_fields(tiered: DataModel) -> None:
    where = {
        "all": [
            {
                "related": "Companies",
                "has": "at_least",
                "count": 1,
                "where": {"all": [{"field": "tier", "is": "equals", "value": "Gold"}]},
            }
        ]
    }
    assert rows(DataModel.objects.get(name="Orders"), "id", where=where) == [[1], [2], [3]]


def test_a_statement_that_needs_no_computed_field_is_unchanged(tiered: DataModel) -> None:
    plain = {"all": [{"field": "country", "is": "equals", "value": "FR"}]}
    selection = read.Selection(tiered, plain)
    with_fields = read.sql(selection, now=NOW, columns=["id"])
    ComputedField.objects.exclude(definition={}).delete()
    assert read.sql(selection, now=NOW, columns=["id"]) == with_fields


@pytest.mark.parametrize(
    ("where", "limit", "left_out"),
    [
        ({"all": [{"field": "country", "is": "equals", "value": "FR"}]}, {}, ["spent", "big orders", "tier"]),
        ({"all": [{"field": "tier", "is": "equals", "value": "Gold"}]}, {}, ["spent", "big orders"]),
        ({}, {"rows": 2, "order_by": "spent", "descending": True}, ["big orders", "tier"]),
    ],
)
def test_a_preview_calculates_the_fields_that_a_segment_names_and_lists_the_others(
    staff: Client, tiered: DataModel, where: dict[str, Any], limit: dict[str, Any], left_out: list[str]
) -> None:
    body = {"model": tiered.pk, "where": where, "limit": limit}
    preview = staff.post("/api/segments/preview/", body, content_type="application/json").json()
    assert preview["left_out"] == left_out
    assert set(preview["columns"]) == {"id", "name", "country", "spent", "big orders", "tier"} - set(left_out)
    assert ("orders" in preview["sql"].lower()) == bool(len(left_out) < 3)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (
            {"related": "Orders", "count": True, "where": {"all": [{"segment": "S", "is": "member"}]}},
            "can't refer to the segment “S”",
        ),
        ({"related": "Orders", "sum": "ordered_at"}, "`sum` can't be used with “ordered_at”"),
        ({"related": "Nobody", "count": True}, "“Nobody” is not related to this model"),
        ({"related": "Orders", "count": 1}, "`count` must be true"),
        ({"related": "Orders", "sum": "amount", "count": True}, "needs exactly one of: count, sum, average, min, max"),
        ({"labels": [{"label": "x", "where": {}}]}, "The label “x” needs conditions"),
        ({"labels": [{"label": "x", "where": {"field": "later", "is": "empty"}}]}, "no column “later”"),
        ({"labels": [], "otherwise": "x"}, "a list of 1 to 50"),
        ({"related": "Orders", "count": True, "window": "30 days"}, "can't have the key “window” here"),
    ],
)
def test_an_invalid_definition_is_refused_with_a_reason(
    companies: DataModel, definition: dict[str, Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        define(companies, "field", definition)


def test_a_field_can_be_added_renamed_and_deleted_in_the_browser(staff: Client, companies: DataModel) -> None:
    url = f"/admin/segments/computedfield/add/?model={companies.pk}"
    answer = staff.post(url, {"name": "spent", "definition": json.dumps(SPENT)})
    assert answer.headers["Location"].startswith(f"/admin/segments/datamodel/{companies.pk}/change/")
    field = ComputedField.objects.get(name="spent")
    tier = define(companies, "tier", TIER)
    assert (
        "The model already has a column named"
        in staff.post(url, {"name": "name", "definition": json.dumps(SPENT)}).content.decode()
    )
    change(staff, field, name="revenue")
    assert ComputedField.objects.get(pk=tier.pk).definition["labels"][0]["where"]["all"][0]["field"] == "revenue"
    page = staff.get(f"/admin/segments/datamodel/{companies.pk}/change/").content.decode()
    assert "Gold if (revenue is at least 500), Silver if (revenue is greater than 0), otherwise Other" in page
    refused = staff.post(f"/admin/segments/computedfield/{field.pk}/delete/", {"post": "yes"}).content.decode()
    assert "revenue is used by: the computed field “tier”" in refused
    staff.post(f"/admin/segments/computedfield/{tier.pk}/delete/", {"post": "yes"})
    staff.post(f"/admin/segments/computedfield/{field.pk}/delete/", {"post": "yes"})
    assert not ComputedField.objects.exclude(definition={}).exists()


def test_a_field_does_not_move_above_the_fields_it_uses(staff: Client, tiered: DataModel) -> None:
    tier = ComputedField.objects.get(name="tier")
    staff.post(f"/admin/segments/computedfield/{tier.pk}/do/up/")
    assert [field.name for field in tiered.computed_fields()] == ["spent", "tier", "big orders"]
    answer = staff.post(f"/admin/segments/computedfield/{tier.pk}/do/up/", follow=True).content.decode()
    assert "This change would break the computed field “tier” of “Companies”" in answer
    tiered = DataModel.objects.get(pk=tiered.pk)
    assert [field.name for field in tiered.computed_fields()] == ["spent", "tier", "big orders"]


def test_a_change_that_would_break_what_uses_a_field_is_refused(staff: Client, tiered: DataModel) -> None:
    answer = change(
        staff, ComputedField.objects.get(name="spent"), definition={"related": "Orders", "max": "ordered_at"}
    )
    assert "the computed field “tier”" in answer.content.decode()
    assert ComputedField.objects.get(name="spent").definition == SPENT


def test_a_field_can_not_use_itself_or_a_field_below_it(tiered: DataModel) -> None:
    spent = ComputedField.objects.get(name="spent")
    for name in ("spent", "tier"):
        spent.definition = {"labels": [{"label": "x", "where": {"all": [{"field": name, "is": "not_empty"}]}}]}
        with pytest.raises(Misconfigured, match=f"no column “{name}”"):
            formulas.prepare(spent, "spent")


def test_refreshed_columns_keep_computed_fields_and_update_their_types(file: Path, tiered: DataModel) -> None:
    with sqlite3.connect(file) as database:
        database.execute("alter table companies add column spent text")
        database.execute("alter table orders drop column amount")
        database.execute("alter table orders add column amount integer")
    for model in DataModel.objects.all():
        refresh_columns(model)
    types = DataModel.objects.get(pk=tiered.pk).column_types()
    assert (types["spent"], types["spent (source)"], types["tier"]) == ("integer", "text", "text")
    assert rows(tiered, "spent", "spent (source)", "tier")[0] == [0, None, "Other"]


def test_definitions_follow_renamed_columns_and_models(tiered: DataModel) -> None:
    orders = DataModel.objects.get(name="Orders")
    Column.objects.filter(model=orders, name="amount").update(name="total", origin="amount")
    segments.rename_column(orders, "amount", "total")
    DataModel.objects.filter(pk=orders.pk).update(name="Purchases")
    segments.rename_model(DataModel.objects.get(pk=orders.pk), "Orders")
    assert ComputedField.objects.get(name="spent").definition == {"related": "Purchases", "sum": "total"}
    assert rows(tiered, "spent", "big orders", "tier")[0] == [700.3, 1, "Gold"]


def test_a_missing_column_that_a_field_needs_is_reported(file: Path, tiered: DataModel) -> None:
    assert column_usage.used_columns(tiered) == {"id", "spent"}
    orders = DataModel.objects.get(name="Orders")
    assert {"amount", "ordered_at", "company_id"} <= column_usage.used_columns(orders)
    assert drift.check_model(tiered, NOW) == ""
    with sqlite3.connect(file) as database:
        database.execute("alter table orders rename column amount to total")
    assert "the column “amount” is gone (possibly renamed to “total”)" in drift.check_model(orders, NOW)
    with pytest.raises(Misconfigured, match="“amount”"):
        rows(tiered, "tier")
    assert rows(tiered, "name") == [["Acme"], ["Bolt"], ["Crux"]]


def test_a_related_model_and_its_relation_can_not_be_deleted_while_in_use(staff: Client, tiered: DataModel) -> None:
    orders = DataModel.objects.get(name="Orders")
    refused = staff.post(f"/admin/segments/datamodel/{orders.pk}/delete/", {"post": "yes"}).content.decode()
    assert "the computed field “spent” of Companies" in refused
    assert DataModel.objects.filter(pk=orders.pk).exists()
    relation = Relation.objects.get()
    counts = {
        "columns-TOTAL_FORMS": 0,
        "columns-INITIAL_FORMS": 0,
        "relations-TOTAL_FORMS": 1,
        "relations-INITIAL_FORMS": 1,
    }
    values = {
        "name": "Orders",
        "kind": "custom",
        "shape": "table",
        "table": "orders",
        "sql": "",
        **counts,
        "relations-0-DELETE": "on",
    }
    values |= {
        "relations-0-id": relation.pk,
        "relations-0-from_model": orders.pk,
        "relations-0-from_column": "company_id",
    }
    values |= {"relations-0-to_model": tiered.pk, "relations-0-to_column": "id"}
    refused = staff.post(f"/admin/segments/datamodel/{orders.pk}/change/", values).content.decode()
    assert "This change would break the computed field “spent” of “Companies”" in refused
    assert Relation.objects.exists()


def test_the_page_of_a_field_offers_what_it_can_use_and_previews_its_values(staff: Client, tiered: DataModel) -> None:
    url = f"/api/models/{tiered.pk}/computed/"
    offered = staff.get(f"{url}?field=tier").json()["models"]["Companies"]
    assert [column["name"] for column in offered["columns"]] == ["id", "name", "country", "spent", "big orders"]
    assert offered["segments"] == []
    body = {"name": "best", "definition": {"related": "Orders", "max": "amount"}, "page": "p", "number": 1}
    described = staff.post(f"{url}said/", body, content_type="application/json").json()
    assert described["sentence"] == "best: the max of amount over Orders."
    preview = staff.post(f"{url}preview/", body, content_type="application/json").json()
    assert preview == {
        "columns": ["id", "name", "best"],
        "rows": [["1", "Acme", "400.1"], ["2", "Bolt", "40"], ["3", "Crux", None]],
    }


FILE = """\
sources:
  - {name: Shop, engine: sqlite, path: shop.sqlite3}
models:
  - name: Companies
    source: Shop
    table: companies
    primary_key: id
    computed:
      - {name: spent, related: Orders, sum: amount}
      - {name: big orders, related: Orders, count: true, where: {all: [{field: amount, is: greater_than, value: 100}]}}
      - name: tier
        labels:
          - {label: Gold, where: {all: [{field: spent, is: at_least, value: 500}]}}
        otherwise: "no"
  - {name: Orders, source: Shop, table: orders, primary_key: id}
relations:
  - {from: Orders.company_id, to: Companies.id}
segments:
  - {name: Best, model: Companies, where: {all: [{field: tier, is: equals, value: Gold}]}}
"""


def apply(text: str) -> list[str]:
    return list(applying.apply(text, {}, sources.columns).lines())


def test_the_fields_of_a_workspace_file_survive_a_round_trip(file: Path) -> None:
    apply(FILE)
    model = DataModel.objects.get(name="Companies")
    assert rows(model, "spent", "big orders", "tier") == [[700.3, 2, "Gold"], [40.0, 0, "no"], [0, 0, "no"]]
    assert read.count(read.selection(Segment.objects.get()), now=NOW) == 1
    written = export.text(from_database.read())
    without_fields = FILE.split("    computed:")[0] + FILE[FILE.index("  - {name: Orders") :]
    for text in (FILE, written, without_fields):
        assert apply(text) == ["= 5 unchanged", "Nothing changed."], text
    apply(FILE.replace("value: 500", "value: 900"))
    assert rows(model, "tier") == [["no"]] * 3


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("sum: amount", "total: amount", 9, "A computed field has no key `total`"),
        ("sum: amount", "sum: amoun", 9, "no column “amoun”"),
        ("field: spent", "field: spend", 11, "no column “spend”"),
        ("name: spent, r", "name: country, r", 8, "Two columns are named “country”"),
        ("to: Companies.id", "to: Companies.spent", 17, "“Companies.spent” is a computed field"),
    ],
)
def test_an_invalid_field_is_refused_at_its_line(file: Path, before: str, after: str, line: int, words: str) -> None:
    with pytest.raises(problems.Refused) as caught:
        apply(FILE.replace(before, after))
    assert any(problem.line == line and words in problem.sentence for problem in caught.value.problems), (
        caught.value.problems
    )


def test_a_file_can_not_leave_out_a_field_that_is_used_outside_it(file: Path) -> None:
    apply(FILE)
    short = FILE[: FILE.index("      - name: tier")] + FILE[FILE.index("  - {name: Orders") : FILE.index("segments:")]
    with pytest.raises(problems.Refused, match="the segment “Best” uses it"):
        apply(short)


def test_a_definition_survives_a_round_trip() -> None:
    for definition in (SPENT, BIG, TIER):
        assert computed_fields.plain(computed_fields.parse(definition)) == definition


def test_a_definition_can_name_only_the_fields_above_it(tiered: DataModel) -> None:
    scope = model_scope(tiered)
    assert list(computed_fields.definition_scope(scope, "big orders").types) == ["id", "name", "country", "spent"]
