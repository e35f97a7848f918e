"""Columns of a model: selected, renamed and marked as categorical; whatever uses them is updated."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from activations.models import Activation, FieldMapping
from destinations.models import Connection, Destination
from dinmo.workspace import apply as applying
from dinmo.workspace import export, from_database, sources
from segments.models import FIRST_COMPUTED, DataModel, Relation, Segment, Source
from segments.reading import read
from segments.sources import drift
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_FILES_ROOT = tmp_path
    path = tmp_path / "shop.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("create table companies (id integer primary key, name text, mrr real, notes text)")
        database.execute("create table orders (id integer primary key, company_id integer, amount real)")
        database.executemany("insert into companies values (?, ?, ?, 'x')", [(n, f"N{n}", n * 10) for n in range(1, 5)])
        database.executemany("insert into orders values (?, ?, ?)", [(n, n % 2 + 1, n) for n in range(1, 9)])
    return path


@pytest.fixture
def companies(file: Path) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": file.name})
    models = [
        DataModel.objects.create(name=name, source=source, table=name.lower(), primary_key="id", kind="custom")
        for name in ("Companies", "Orders")
    ]
    for model in models:
        refresh_columns(model)
    Relation.objects.create(from_model=models[1], from_column="company_id", to_model=models[0], to_column="id")
    return models[0]


def change(staff: Client, model: DataModel, relation: Relation | None = None, **changes: dict[str, Any]) -> Any:
    """Submits the form of the model with changes to some columns; its relation, if any, stays."""
    columns = list(model.columns.all())
    form: dict[str, Any] = {"name": model.name, "kind": model.kind, "shape": "table", "table": model.table, "sql": ""}
    form |= {"columns-TOTAL_FORMS": len(columns), "columns-INITIAL_FORMS": len(columns)}
    count = 1 if relation else 0
    form |= {"relations-TOTAL_FORMS": count, "relations-INITIAL_FORMS": count}
    if relation:
        form |= {
            "relations-0-id": relation.pk,
            "relations-0-from_model": model.pk,
            "relations-0-from_column": "company_id",
        }
        form |= {"relations-0-to_model": relation.to_model_id, "relations-0-to_column": "id"}
    for place, column in enumerate(columns):
        shown = {
            "id": column.pk,
            "model": model.pk,
            "name": column.name,
            "used": "on",
            **changes.get(column.source_name, {}),
        }
        form |= {f"columns-{place}-{key}": value for key, value in shown.items() if value is not None}
    return staff.post(f"/admin/segments/datamodel/{model.pk}/change/", form)


def test_a_renamed_column_is_read_by_its_new_name_and_conditions_follow(staff: Client, companies: DataModel) -> None:
    rich = Segment.objects.create(
        name="Rich",
        model=companies,
        where={"all": [{"field": "mrr", "is": "at_least", "value": 20}]},
        limit={"rows": 2, "order_by": "mrr", "descending": True},
    )
    change(staff, companies, mrr={"name": "revenue"})
    rich.refresh_from_db()
    assert rich.where == {"all": [{"field": "revenue", "is": "at_least", "value": 20}]}
    assert rich.limit["order_by"] == "revenue"
    rows = read.preview(read.selection(rich), now=timezone.now())
    assert [(row["id"], row["revenue"]) for row in rows] == [(4, 40), (3, 30)]
    with read.stream(read.selection(rich), ["revenue", "id"], now=timezone.now()) as stream:
        assert [batch.schema.names for batch in stream.batches] == [["revenue", "id"]]
    assert '"mrr"' in read.sql(read.selection(rich), now=timezone.now())
    refresh_columns(companies)
    assert companies.column_types()["revenue"] == "number"
    assert drift.check_model(companies, timezone.now()) == ""


def test_conditions_follow_a_renamed_column_of_a_related_model(staff: Client, companies: DataModel) -> None:
    where = {
        "related": "Orders",
        "sum": "amount",
        "is": "at_least",
        "value": 18,
        "where": {"all": [{"field": "amount", "is": "not_empty"}]},
    }
    segment_of_orders = Segment.objects.create(name="Asking", model=companies, where={"all": [where]})
    before = read.count(read.selection(segment_of_orders), now=timezone.now())
    orders = DataModel.objects.get(name="Orders")
    answer = change(staff, orders, Relation.objects.get(), amount={"name": "total"})
    assert answer.status_code == 302
    segment_of_orders.refresh_from_db()
    assert (
        segment_of_orders.where["all"][0]["sum"],
        segment_of_orders.where["all"][0]["where"]["all"][0]["field"],
    ) == ("total", "total")
    assert read.count(read.selection(segment_of_orders), now=timezone.now()) == before == 1


@pytest.fixture
def activation(companies: DataModel) -> Activation:
    connection = Connection.objects.create(name="Ours", platform="attio")
    destination = Destination.objects.create(name="Attio", connection=connection, service="attio.companies")
    activation = Activation.objects.create(
        name="A", model=companies, destination=destination, match_column="name", match_field="domains"
    )
    FieldMapping.objects.create(activation=activation, column="mrr", target="name")
    return activation


def test_mappings_follow_a_renamed_column_but_a_match_column_keeps_its_name(
    staff: Client, companies: DataModel, activation: Activation
) -> None:
    change(staff, companies, mrr={"name": "revenue"})
    assert activation.mappings.get().column == "revenue"
    answer = change(staff, companies, name={"name": "title"})
    assert "matches records by it" in str(answer.context["inline_admin_formsets"][0].formset.errors)
    assert "name" in companies.column_types()


def test_a_column_that_is_not_selected_is_neither_offered_nor_read(staff: Client, companies: DataModel) -> None:
    change(staff, companies, notes={"used": None})
    assert list(companies.column_types()) == ["id", "name", "mrr"]
    assert list(read.preview(read.selection(companies), now=timezone.now())[0]) == ["id", "name", "mrr"]
    offered = staff.get(f"/api/models/{companies.pk}/columns/").json()["columns"]
    assert [column["name"] for column in offered] == ["id", "name", "mrr"]
    refresh_columns(companies)
    assert "notes" not in companies.column_types()


def test_a_column_in_use_must_stay_selected(staff: Client, companies: DataModel, activation: Activation) -> None:
    Segment.objects.create(name="Rich", model=companies, where={"field": "mrr", "is": "at_least", "value": 20})
    answer = change(staff, companies, mrr={"used": None}, notes={"name": "remarks"})
    page = answer.content.decode().replace("&#x27;", "'")
    assert (
        "“mrr” is used by the segment “Rich”, the activation “A”. Keep it checked, or remove it from there first."
        in page
    )
    assert 'value="remarks"' in page
    assert {"mrr", "notes"} <= companies.column_types().keys()


def test_a_column_of_a_relation_or_a_computed_field_must_stay_selected(staff: Client, companies: DataModel) -> None:
    spent = {"related": "Orders", "sum": "amount"}
    companies.columns.create(name="spent", type="number", definition=spent, position=FIRST_COMPUTED)
    orders = DataModel.objects.get(name="Orders")
    answer = change(staff, orders, Relation.objects.get(), amount={"used": None}, company_id={"used": None})
    page = answer.content.decode().replace("&#x27;", "'")
    assert "“amount” is used by the computed field “spent”." in page
    assert "“company_id” is used by the relation Orders.company_id → Companies.id." in page


def test_the_primary_key_keeps_its_name(staff: Client, companies: DataModel) -> None:
    answer = change(staff, companies, id={"name": "number"})
    assert "The primary key can&#x27;t be renamed or unchecked." in answer.content.decode()
    assert "id" in companies.column_types()


def test_giving_a_renamed_source_column_its_old_name_repairs_the_model(
    staff: Client, companies: DataModel, file: Path
) -> None:
    rich = Segment.objects.create(
        name="Rich", model=companies, where={"all": [{"field": "mrr", "is": "at_least", "value": 20}]}
    )
    with sqlite3.connect(file) as database:
        database.execute("alter table companies rename column mrr to revenue")
    refresh_columns(companies)
    assert "“mrr” is gone" in drift.check_model(companies, timezone.now())
    assert (
        change(staff, companies, notes={"name": "remarks"}).status_code == 302
    )  # A segment that was broken before hinders nothing.
    change(staff, companies, revenue={"name": "mrr"})
    assert drift.check_model(companies, timezone.now()) == ""
    assert read.count(read.selection(rich), now=timezone.now()) == 3


FILE = """\
sources:
  - {name: Shop, engine: sqlite, path: shop.sqlite3}
models:
  - name: Companies
    source: Shop
    table: companies
    primary_key: id
    columns:
      - {from: mrr, as: revenue, categorical: true}
      - {from: notes, used: false}
segments:
  - {name: Rich, model: Companies, where: {all: [{field: revenue, is: at_least, value: 20}]}}
"""


def test_the_columns_of_a_workspace_file_survive_a_round_trip(file: Path) -> None:
    applying.apply(FILE, {}, sources.columns)
    model = DataModel.objects.get()
    assert list(model.column_types()) == ["id", "name", "revenue"]
    assert model.columns.get(name="revenue").categorical
    assert read.count(read.selection(Segment.objects.get()), now=timezone.now()) == 3
    written = export.text(from_database.read())
    assert "{from: mrr, as: revenue, categorical: true}" in written
    assert "{from: notes, used: false}" in written
    for text in (FILE, written, FILE.split("segments:")[0].split("    columns:")[0]):
        assert next(iter(applying.apply(text, {}, sources.columns).lines())).startswith("= "), text
