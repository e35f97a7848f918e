"""JSON endpoints of sources, models and segments, with a real SQLite file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_FILES_ROOT = tmp_path
    path = tmp_path / "shop.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("create table companies (id integer primary key, name text, mrr real)")
        database.executemany(
            "insert into companies values (?, ?, ?)", [(n, None if n == 3 else f"N{n}", n * 10) for n in range(1, 31)]
        )
    return path


@pytest.fixture
def companies(file: Path) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": file.name})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    return model


def preview(browser: Client, model: DataModel, where: Any) -> Any:
    return browser.post("/api/segments/preview/", {"model": model.pk, "where": where}, content_type="application/json")


def test_source_lists_its_tables_and_columns(staff: Client, companies: DataModel) -> None:
    base = f"/api/sources/{companies.source_id}"
    assert staff.get(f"{base}/tables/").json() == {"tables": ["companies"]}
    answer = staff.post(
        f"{base}/columns/", {"sql": "select id, mrr from companies"}, content_type="application/json"
    ).json()
    assert [(column["name"], column["type"]) for column in answer["columns"]] == [("id", "integer"), ("mrr", "number")]


def test_unsaved_segment_can_be_previewed(staff: Client, companies: DataModel) -> None:
    answer = preview(staff, companies, {"all": [{"field": "mrr", "is": "at_least", "value": 100}]}).json()
    assert (answer["count"], len(answer["rows"]), answer["columns"]) == (21, 20, ["id", "name", "mrr"])
    assert "WHERE" in answer["sql"].upper()
    assert "100" in answer["sql"]


def test_rows_are_shown_before_a_model_exists(staff: Client, companies: DataModel) -> None:
    url = f"/api/sources/{companies.source_id}/rows/"
    answer = staff.post(url, {"sql": "select name from companies"}, content_type="application/json").json()
    assert (answer["columns"], len(answer["rows"])) == (["name"], 5)


def test_null_stays_null_in_a_preview(staff: Client, companies: DataModel) -> None:
    rows = staff.get(f"/api/models/{companies.pk}/preview/").json()["rows"]
    assert rows[2][1] is None


def test_new_column_of_the_source_is_available_immediately(staff: Client, companies: DataModel, file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("alter table companies add column country text")
    names = [column["name"] for column in staff.get(f"/api/models/{companies.pk}/columns/").json()["columns"]]
    assert names == ["id", "name", "mrr", "country"]
    assert companies.column_types()["country"] == "text"


def test_unreachable_source_returns_the_stored_columns(staff: Client, companies: DataModel, file: Path) -> None:
    file.unlink()
    answer = staff.get(f"/api/models/{companies.pk}/columns/").json()
    assert [column["name"] for column in answer["columns"]] == ["id", "name", "mrr"]
    assert answer["problem"]


@pytest.mark.parametrize("where", [{"all": [{"field": "gone", "is": "equals", "value": 1}]}, {"some": []}, [], "x"])
def test_invalid_conditions_get_a_message(staff: Client, companies: DataModel, where: Any) -> None:
    answer = preview(staff, companies, where)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_preview_requires_the_view_permission(companies: DataModel) -> None:
    path = f"/api/models/{companies.pk}/preview/"
    assert Client().get(path).status_code == 403
    viewer = User.objects.create_user("viewer", is_staff=True)
    browser = Client()
    browser.force_login(viewer)
    assert browser.get(path).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_datamodel"))
    assert browser.get(path).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_values"))
    assert browser.get(path).status_code == 200


def test_sql_requires_a_permission_to_edit_models(companies: DataModel) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    codenames = ["view_source", "view_datamodel", "view_values"]
    viewer.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(viewer)
    for name in ("columns", "rows"):
        url = f"/api/sources/{companies.source_id}/{name}/"
        assert browser.post(url, {"table": "companies"}, content_type="application/json").status_code == 200
        assert browser.post(url, {"sql": "select 1 as x"}, content_type="application/json").status_code == 403


ODD_BODIES = [
    "null",
    "1",
    "[1]",
    "[" * 100_000,
    '{"sql": "\\ud800"}',
    '{"table": "a\\u0000b"}',
    '{"model": "²"}',
    '{"model": "' + "9" * 5000 + '"}',
]


@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
@pytest.mark.parametrize(
    "path",
    ["sources/{source}/columns", "sources/{source}/rows", "models/{model}/values", "segments/said", "segments/preview"],
)
def test_malformed_body_gets_a_message(staff: Client, companies: DataModel, path: str, body: str) -> None:
    url = f"/api/{path.format(source=companies.source_id, model=companies.pk)}/"
    answer = staff.post(url, body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json().get("message") or answer.json().get("detail")


@pytest.mark.parametrize(
    "where",
    [
        {"field": "name", "is": []},
        {"segment": "x", "is": {}},
        {"related": "x", "has": []},
        {"field": [], "is": "equals"},
    ],
)
def test_operator_that_is_not_text_gets_a_message(staff: Client, companies: DataModel, where: dict[str, Any]) -> None:
    answer = preview(staff, companies, {"all": [where]})
    assert (answer.status_code, bool(answer.json()["message"])) == (400, True)


def test_unencodable_value_does_not_break_a_page(staff: Client, file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("create table odd (id integer primary key, tags json)")
        deep = "[" * 900 + "]" * 900
        database.executemany(
            "insert into odd values (?, ?)",
            [(1, '["\\ud800"]'), (2, deep), (3, "[" * 5000 + "]" * 5000), (4, '["vip"]')],
        )
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": file.name})
    model = DataModel.objects.create(name="Odd", source=source, table="odd", primary_key="id")
    refresh_columns(model)
    rows = staff.get(f"/api/models/{model.pk}/preview/").json()["rows"]
    assert [row[0] for row in rows] == ["1", "2", "3", "4"]
    answer = preview(staff, model, {"all": [{"field": "tags", "is": "contains_any", "value": ["vip"]}]}).json()
    assert [row[0] for row in answer["rows"]] == ["4"]
    values = staff.post(f"/api/models/{model.pk}/values/", {"column": "tags"}, content_type="application/json").json()[
        "values"
    ]
    assert {"value": "vip", "rows": 1} in values
