"""Computed fields of a model: defined in the browser or in the file, used like any other column, followed and protected."""

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
from segments.conditions.scope_from_db import facts
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
    """Three companies: the first has a recent order over 100, one long past and a small one; the second a small one; the third none."""
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
    for one in (orders, model):
        refresh_columns(one)
    Relation.objects.create(from_model=orders, from_column="company_id", to_model=model, to_column="id")
    return model


@pytest.fixture
def tiered(companies: DataModel) -> DataModel:
    for name, definition in (("spent", SPENT), ("big orders", BIG), ("tier", TIER)):
        defined(companies, name, definition)
    return companies


def defined(model: DataModel, name: str, definition: dict[str, Any]) -> ComputedField:
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


def test_fields_are_worked_out_from_related_rows_and_from_fields_above_them(tiered: DataModel) -> None:
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


def test_a_field_serves_in_conditions_limits_breakdowns_and_lists_of_values(staff: Client, tiered: DataModel) -> None:
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


def test_a_condition_on_related_rows_reaches_their_computed_fields(tiered: DataModel) -> None:
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


def test_a_statement_that_needs_no_field_is_as_it_was(tiered: DataModel) -> None:
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
def test_the_builder_works_out_the_fields_that_a_segment_names_and_says_which_others_there_are(
    staff: Client, tiered: DataModel, where: dict[str, Any], limit: dict[str, Any], left_out: list[str]
) -> None:
    asked = {"model": tiered.pk, "where": where, "limit": limit}
    found = staff.post("/api/segments/preview/", asked, content_type="application/json").json()
    assert found["left_out"] == left_out
    assert set(found["columns"]) == {"id", "name", "country", "spent", "big orders", "tier"} - set(left_out)
    assert ("orders" in found["sql"].lower()) == bool(len(left_out) < 3)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (
            {"related": "Orders", "count": True, "where": {"all": [{"segment": "S", "is": "member"}]}},
            "can't ask about the segment 'S'",
        ),
        ({"related": "Orders", "sum": "ordered_at"}, "There is no sum of 'ordered_at'"),
        ({"related": "Nobody", "count": True}, "'Nobody' is not related to this model"),
        ({"related": "Orders", "count": 1}, "`count` takes true"),
        ({"related": "Orders", "sum": "amount", "count": True}, "takes one of: count, sum, average, min, max"),
        ({"labels": [{"label": "x", "where": {}}]}, "The label 'x' needs conditions"),
        ({"labels": [{"label": "x", "where": {"field": "later", "is": "empty"}}]}, "no column 'later'"),
        ({"labels": [], "otherwise": "x"}, "a list of 1 to 50"),
        ({"related": "Orders", "count": True, "window": "30 days"}, "no 'window' here"),
    ],
)
def test_what_can_not_be_worked_out_is_refused_in_words(
    companies: DataModel, definition: dict[str, Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words):
        defined(companies, "field", definition)


def test_a_field_is_added_renamed_and_deleted_in_the_browser(staff: Client, companies: DataModel) -> None:
    url = f"/admin/segments/computedfield/add/?model={companies.pk}"
    answer = staff.post(url, {"name": "spent", "definition": json.dumps(SPENT)})
    assert answer.headers["Location"].startswith(f"/admin/segments/datamodel/{companies.pk}/change/")
    field = ComputedField.objects.get(name="spent")
    tier = defined(companies, "tier", TIER)
    assert (
        "The model has a column called"
        in staff.post(url, {"name": "name", "definition": json.dumps(SPENT)}).content.decode()
    )
    change(staff, field, name="revenue")
    assert ComputedField.objects.get(pk=tier.pk).definition["labels"][0]["where"]["all"][0]["field"] == "revenue"
    page = staff.get(f"/admin/segments/datamodel/{companies.pk}/change/").content.decode()
    assert "Gold where (revenue is at least 500), Silver where (revenue is greater than 0), otherwise Other" in page
    refused = staff.post(f"/admin/segments/computedfield/{field.pk}/delete/", {"post": "yes"}).content.decode()
    assert "revenue is used by: the computed field &#x27;tier&#x27;" in refused
    staff.post(f"/admin/segments/computedfield/{tier.pk}/delete/", {"post": "yes"})
    staff.post(f"/admin/segments/computedfield/{field.pk}/delete/", {"post": "yes"})
    assert not ComputedField.objects.exclude(definition={}).exists()


def test_a_field_does_not_move_above_what_it_uses(staff: Client, tiered: DataModel) -> None:
    tier = ComputedField.objects.get(name="tier")
    staff.post(f"/admin/segments/computedfield/{tier.pk}/do/up/")
    assert [field.name for field in tiered.computed_fields()] == ["spent", "tier", "big orders"]
    answer = staff.post(f"/admin/segments/computedfield/{tier.pk}/do/up/", follow=True).content.decode()
    assert "the computed field &#x27;tier&#x27; of &#x27;Companies&#x27; needs it" in answer
    tiered = DataModel.objects.get(pk=tiered.pk)
    assert [field.name for field in tiered.computed_fields()] == ["spent", "tier", "big orders"]


def test_a_change_that_would_break_what_uses_a_field_is_refused(staff: Client, tiered: DataModel) -> None:
    answer = change(
        staff, ComputedField.objects.get(name="spent"), definition={"related": "Orders", "max": "ordered_at"}
    )
    assert "the computed field &#x27;tier&#x27;" in answer.content.decode()
    assert ComputedField.objects.get(name="spent").definition == SPENT


def test_a_field_can_not_use_itself_or_one_below(tiered: DataModel) -> None:
    spent = ComputedField.objects.get(name="spent")
    for name in ("spent", "tier"):
        spent.definition = {"labels": [{"label": "x", "where": {"all": [{"field": name, "is": "not_empty"}]}}]}
        with pytest.raises(Misconfigured, match=f"no column '{name}'"):
            formulas.prepare(spent, "spent")


def test_columns_that_are_read_again_leave_fields_as_they_are_and_types_follow(file: Path, tiered: DataModel) -> None:
    with sqlite3.connect(file) as database:
        database.execute("alter table companies add column spent text")
        database.execute("alter table orders drop column amount")
        database.execute("alter table orders add column amount integer")
    for model in DataModel.objects.all():
        refresh_columns(model)
    types = DataModel.objects.get(pk=tiered.pk).column_types()
    assert (types["spent"], types["spent (source)"], types["tier"]) == ("integer", "text", "text")
    assert rows(tiered, "spent", "spent (source)", "tier")[0] == [0, None, "Other"]


def test_fields_follow_columns_and_models_that_are_renamed(tiered: DataModel) -> None:
    orders = DataModel.objects.get(name="Orders")
    Column.objects.filter(model=orders, name="amount").update(name="total", origin="amount")
    segments.rename_column(orders, "amount", "total")
    DataModel.objects.filter(pk=orders.pk).update(name="Purchases")
    segments.rename_model(DataModel.objects.get(pk=orders.pk), "Orders")
    assert ComputedField.objects.get(name="spent").definition == {"related": "Purchases", "sum": "total"}
    assert rows(tiered, "spent", "big orders", "tier")[0] == [700.3, 1, "Gold"]


def test_a_column_that_a_field_needs_is_missed_when_it_is_gone(file: Path, tiered: DataModel) -> None:
    assert column_usage.used(tiered) == {"id", "spent"}
    orders = DataModel.objects.get(name="Orders")
    assert {"amount", "ordered_at", "company_id"} <= column_usage.used(orders)
    assert drift.check_model(tiered, NOW) == ""
    with sqlite3.connect(file) as database:
        database.execute("alter table orders rename column amount to total")
    assert "the column 'amount' is gone (possibly renamed to 'total')" in drift.check_model(orders, NOW)
    with pytest.raises(Misconfigured, match="'amount'"):
        rows(tiered, "tier")
    assert rows(tiered, "name") == [["Acme"], ["Bolt"], ["Crux"]]


def test_a_related_model_and_its_relation_stay_while_a_field_needs_them(staff: Client, tiered: DataModel) -> None:
    orders = DataModel.objects.get(name="Orders")
    refused = staff.post(f"/admin/segments/datamodel/{orders.pk}/delete/", {"post": "yes"}).content.decode()
    assert "the computed field &#x27;spent&#x27; of Companies" in refused
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
    assert "the computed field &#x27;spent&#x27; of &#x27;Companies&#x27; needs it" in refused
    assert Relation.objects.exists()


def test_the_page_of_a_field_is_offered_what_it_can_use_and_shows_the_first_rows(
    staff: Client, tiered: DataModel
) -> None:
    url = f"/api/models/{tiered.pk}/computed/"
    told = staff.get(f"{url}?field=tier").json()["models"]["Companies"]
    assert [column["name"] for column in told["columns"]] == ["id", "name", "country", "spent", "big orders"]
    assert told["segments"] == []
    body = {"name": "best", "definition": {"related": "Orders", "max": "amount"}, "page": "p", "number": 1}
    said = staff.post(f"{url}said/", body, content_type="application/json").json()
    assert said["sentence"] == "best: the max of amount over Orders."
    found = staff.post(f"{url}preview/", body, content_type="application/json").json()
    assert found == {
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


def applied(text: str) -> list[str]:
    return list(applying.apply(text, {}, sources.columns).lines())


def test_a_workspace_file_defines_fields_there_and_back(file: Path) -> None:
    applied(FILE)
    model = DataModel.objects.get(name="Companies")
    assert rows(model, "spent", "big orders", "tier") == [[700.3, 2, "Gold"], [40.0, 0, "no"], [0, 0, "no"]]
    assert read.count(read.selection(Segment.objects.get()), now=NOW) == 1
    written = export.text(from_database.read())
    unsaid = FILE.split("    computed:")[0] + FILE[FILE.index("  - {name: Orders") :]
    for text in (FILE, written, unsaid):
        assert applied(text) == ["= 5 unchanged", "Nothing changed."], text
    applied(FILE.replace("value: 500", "value: 900"))
    assert rows(model, "tier") == [["no"]] * 3


@pytest.mark.parametrize(
    ("before", "after", "line", "words"),
    [
        ("sum: amount", "total: amount", 9, "A computed field has no `total`"),
        ("sum: amount", "sum: amoun", 9, "no column 'amoun'"),
        ("field: spent", "field: spend", 11, "no column 'spend'"),
        ("name: spent, r", "name: country, r", 8, "Two columns would be called 'country'"),
        ("to: Companies.id", "to: Companies.spent", 17, "'Companies.spent' is a computed field"),
    ],
)
def test_a_wrong_field_is_refused_at_its_line(file: Path, before: str, after: str, line: int, words: str) -> None:
    with pytest.raises(problems.Refused) as refused:
        applied(FILE.replace(before, after))
    assert any(problem.line == line and words in problem.sentence for problem in refused.value.problems), (
        refused.value.problems
    )


def test_a_file_can_not_leave_out_a_field_that_something_outside_of_it_uses(file: Path) -> None:
    applied(FILE)
    short = FILE[: FILE.index("      - name: tier")] + FILE[FILE.index("  - {name: Orders") : FILE.index("segments:")]
    with pytest.raises(problems.Refused, match="the segment 'Best' uses it"):
        applied(short)


def test_a_definition_is_written_down_as_it_is_read() -> None:
    for definition in (SPENT, BIG, TIER):
        assert computed_fields.plain(computed_fields.parse(definition)) == definition


def test_facts_of_a_field_hold_only_what_stands_above_it(tiered: DataModel) -> None:
    about = facts(tiered)
    assert list(computed_fields.within(about, "big orders").types) == ["id", "name", "country", "spent"]
