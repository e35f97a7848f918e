"""Segments that refer to each other and to related models are saved, renamed and deleted without breaking."""

from __future__ import annotations

import json
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from segments.models import DataModel, Question, Relation, Segment, Source
from segments.reading import read, superseding
from segments.sources import foreign_keys
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
INLINES = {f"{inline}-{count}": 0 for inline in ("columns", "relations") for count in ("TOTAL_FORMS", "INITIAL_FORMS")}


@pytest.fixture
def companies(tmp_path: Path, settings: Any) -> DataModel:
    settings.SOURCE_FILES_ROOT = tmp_path
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table companies (id integer primary key, name text, mrr real)")
        database.execute(
            "create table orders (id integer primary key, company_id integer references companies(id), amount real)"
        )
        database.executemany("insert into companies values (?, ?, ?)", [(n, f"N{n}", n * 10) for n in range(1, 7)])
        database.executemany(
            "insert into orders values (?, ?, ?)", [(n, n % 4 or None, n * 25.0) for n in range(1, 13)]
        )
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})
    orders = DataModel.objects.create(name="Orders", source=source, table="orders", primary_key="id", kind="events")
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    for each in (orders, model):
        refresh_columns(each)
    return model


@pytest.fixture
def related(companies: DataModel) -> Relation:
    (found,) = foreign_keys.suggested_relations(DataModel.objects.get(name="Orders"))
    found.save()
    return found


def segment(model: DataModel, name: str, *conditions: dict[str, Any], **more: Any) -> Segment:
    return Segment.objects.create(name=name, model=model, where={"all": list(conditions)} if conditions else {}, **more)


def save(staff: Client, saved: Segment, **changes: Any) -> Any:
    values = {
        "name": saved.name,
        "description": "",
        "tags": "",
        "where": json.dumps(saved.where),
        "limit": json.dumps(saved.limit),
    }
    return staff.post(f"/admin/segments/segment/{saved.pk}/change/", {**values, **changes, "_save": "Save"})


def ids(saved: Segment) -> list[int]:
    return sorted(row["id"] for row in read.preview(read.selection(saved), now=timezone.now()))


RICH = {"field": "mrr", "is": "greater_than", "value": 30}


def test_a_foreign_key_is_offered_as_a_relation_until_the_relation_exists(related: Relation) -> None:
    assert str(related) == "Orders.company_id → Companies.id"
    assert foreign_keys.suggested_relations(related.from_model) == []


def test_conditions_can_count_and_sum_related_rows(related: Relation, companies: DataModel) -> None:
    big = {"all": [{"field": "amount", "is": "at_least", "value": 200}]}
    assert ids(segment(companies, "Two", {"related": "Orders", "has": "at_least", "count": 2, "where": big})) == []
    assert ids(segment(companies, "One", {"related": "Orders", "has": "exactly", "count": 1, "where": big})) == [
        1,
        2,
        3,
    ]
    assert ids(segment(companies, "None", {"related": "Orders", "has": "none"})) == [4, 5, 6]
    assert ids(segment(companies, "Sum", {"related": "Orders", "sum": "amount", "is": "at_least", "value": 450})) == [
        2,
        3,
    ]
    assert ids(segment(companies, "No sum", {"related": "Orders", "sum": "amount", "is": "equals", "value": 0})) == [
        4,
        5,
        6,
    ]
    assert ids(segment(companies, "No max", {"related": "Orders", "max": "amount", "is": "empty"})) == [4, 5, 6]


def test_a_size_limit_takes_the_first_rows_and_counts_them(companies: DataModel) -> None:
    top = segment(companies, "Top", limit={"rows": 2, "order_by": "mrr", "descending": True})
    assert ids(top) == [5, 6]
    assert read.count(read.selection(top), now=timezone.now()) == 2
    assert ids(segment(companies, "Others", {"segment": "Top", "is": "not_member"})) == [1, 2, 3, 4]


def test_an_edit_that_would_close_a_circle_is_refused_with_its_path(staff: Client, companies: DataModel) -> None:
    rich = segment(companies, "Rich", RICH)
    segment(companies, "Poor", {"segment": "Rich", "is": "not_member"})
    answer = save(staff, rich, where=json.dumps({"all": [{"segment": "Poor", "is": "member"}]}))
    assert "Rich → Poor → Rich" in answer.context["adminform"].form.errors["where"][0]
    rich.refresh_from_db()
    assert rich.where == {"all": [RICH]}


def test_conditions_follow_a_renamed_segment(staff: Client, companies: DataModel) -> None:
    rich = segment(companies, "Rich", RICH)
    poor = segment(companies, "Poor", {"any": [{"segment": "Rich", "is": "not_member"}]})
    save(staff, rich, name="Wealthy")
    poor.refresh_from_db()
    assert poor.where == {"all": [{"any": [{"segment": "Wealthy", "is": "not_member"}]}]}
    assert ids(poor) == [1, 2, 3]


def test_conditions_follow_a_renamed_model(staff: Client, related: Relation, companies: DataModel) -> None:
    segment_of_orders = segment(
        companies, "Asking", {"related": "Orders", "through": "Orders.company_id", "has": "none"}
    )
    orders = related.from_model
    inline = {
        "relations-TOTAL_FORMS": 1,
        "relations-INITIAL_FORMS": 1,
        "relations-0-id": related.pk,
        "relations-0-from_model": orders.pk,
    }
    relation_fields = {
        "relations-0-from_column": "company_id",
        "relations-0-to_model": companies.pk,
        "relations-0-to_column": "id",
    }
    values = {
        "name": "Purchases",
        "kind": "events",
        "shape": "table",
        "table": "orders",
        "sql": "",
        **INLINES,
        **inline,
        **relation_fields,
    }
    staff.post(f"/admin/segments/datamodel/{orders.pk}/change/", values)
    segment_of_orders.refresh_from_db()
    assert segment_of_orders.where["all"][0]["related"] == "Purchases"
    assert ids(segment_of_orders) == [4, 5, 6]


def test_a_segment_that_others_refer_to_is_not_deleted(staff: Client, companies: DataModel) -> None:
    rich = segment(companies, "Rich", RICH)
    segment(companies, "Poor", {"segment": "Rich", "is": "not_member"})
    answer = staff.post(f"/admin/segments/segment/{rich.pk}/delete/", {"post": "yes"})
    assert "Rich is used by: Poor" in answer.content.decode()
    assert Segment.objects.filter(name="Rich").exists()


def test_a_relation_that_a_segment_needs_is_not_removed(staff: Client, related: Relation, companies: DataModel) -> None:
    segment(companies, "Asking", {"related": "Orders", "has": "none"})
    orders = related.from_model
    inline = {
        "relations-TOTAL_FORMS": 1,
        "relations-INITIAL_FORMS": 1,
        "relations-0-id": related.pk,
        "relations-0-from_model": orders.pk,
    }
    relation_fields = {
        "relations-0-from_column": "company_id",
        "relations-0-to_model": companies.pk,
        "relations-0-to_column": "id",
    }
    values = {
        "name": "Orders",
        "kind": "events",
        "shape": "table",
        "table": "orders",
        "sql": "",
        **INLINES,
        **inline,
        **relation_fields,
    }
    answer = staff.post(f"/admin/segments/datamodel/{orders.pk}/change/", {**values, "relations-0-DELETE": "on"})
    assert "This change would break the segment “Asking”" in answer.content.decode()
    assert Relation.objects.count() == 1


def test_a_copy_gets_a_name_of_its_own(staff: Client, companies: DataModel) -> None:
    rich = segment(companies, "Rich", RICH, tags=["eu"])
    for name in ("Rich (copy)", "Rich (copy 2)"):
        staff.post(f"/admin/segments/segment/{rich.pk}/do/duplicate/")
        copy = Segment.objects.get(name=name)
        assert (copy.where, copy.tags, copy.model) == (rich.where, ["eu"], companies)


def test_tags_are_separated_by_commas_and_filter_the_list(staff: Client, companies: DataModel) -> None:
    rich, _ = segment(companies, "Rich", RICH), segment(companies, "Poor")
    save(staff, rich, tags=" eu,  paying   well ,eu,")
    rich.refresh_from_db()
    assert rich.tags == ["eu", "paying well"]
    page = staff.get("/admin/segments/segment/?tag=eu").content.decode()
    assert ">Rich<" in page
    assert ">Poor<" not in page


def test_the_builder_receives_everything_that_conditions_can_name(
    staff: Client, related: Relation, companies: DataModel
) -> None:
    segment(companies, "Rich", RICH)
    builder = staff.get(f"/api/models/{companies.pk}/builder/").json()
    assert builder["models"]["Companies"]["links"] == [
        {"model": "Orders", "through": "Orders.company_id", "many": True}
    ]
    assert builder["models"]["Companies"]["segments"] == ["Rich"]
    assert [column["name"] for column in builder["models"]["Orders"]["columns"]] == ["id", "company_id", "amount"]


def test_observed_values_come_with_their_frequency(staff: Client, companies: DataModel) -> None:
    body = {"column": "name", "search": "n3"}
    response = staff.post(f"/api/models/{companies.pk}/values/", body, content_type="application/json").json()
    assert response == {"values": [{"value": "N3", "rows": 1}]}


def test_a_superseded_request_gets_no_result(staff: Client, companies: DataModel) -> None:
    Question.objects.create(page=superseding.page_of(User.objects.get().pk, "p"), number=5, asked_at=timezone.now())
    body = {"model": companies.pk, "where": {}, "page": "p", "number": 4}
    answer = staff.post("/api/segments/preview/", body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "superseded")
    assert (
        staff.post(
            "/api/segments/preview/", {**body, "number": 6, "total": True}, content_type="application/json"
        ).json()["total"]
        == 6
    )


def test_a_segment_is_described_in_one_sentence(staff: Client, related: Relation, companies: DataModel) -> None:
    where = {"all": [RICH, {"related": "Orders", "has": "at_least", "count": 2}]}
    body = {"model": companies.pk, "where": where, "limit": {"rows": 5, "order_by": "mrr"}}
    answer = staff.post("/api/segments/said/", body, content_type="application/json").json()
    assert answer["sentence"] == (
        "Companies where mrr is greater than 30 and has at least 2 Orders; at most 5 rows, lowest mrr first."
    )
    assert "LIMIT 5" in answer["sql"]
