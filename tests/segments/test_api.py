"""JSON endpoints of sources, models and segments, against a real SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from segments.discovery import refresh_columns
from segments.models import DataModel, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_FILES_ROOT = tmp_path
    path = tmp_path / "shop.sqlite3"
    with sqlite3.connect(path) as database:
        database.execute("create table companies (id integer primary key, name text, mrr real)")
        database.executemany("insert into companies values (?, ?, ?)", [(n, None if n == 3 else f"N{n}", n * 10) for n in range(1, 31)])
    return path


@pytest.fixture
def companies(file: Path) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": file.name})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    return model


def preview(browser: Client, model: DataModel, where: Any) -> Any:
    return browser.post("/api/segments/preview/", {"model": model.pk, "where": where}, content_type="application/json")


def test_a_source_tells_its_tables_and_columns(staff: Client, companies: DataModel) -> None:
    base = f"/api/sources/{companies.source_id}"
    assert staff.get(f"{base}/tables/").json() == {"tables": ["companies"]}
    found = staff.post(f"{base}/columns/", {"sql": "select id, mrr from companies"}, content_type="application/json").json()
    assert [(column["name"], column["type"]) for column in found["columns"]] == [("id", "integer"), ("mrr", "number")]


def test_a_segment_is_previewed_before_it_is_saved(staff: Client, companies: DataModel) -> None:
    answer = preview(staff, companies, {"all": [{"field": "mrr", "is": "at_least", "value": 100}]}).json()
    assert (answer["count"], len(answer["rows"]), answer["columns"]) == (21, 20, ["id", "name", "mrr"])
    assert "WHERE" in answer["sql"].upper() and "100" in answer["sql"]


def test_rows_are_shown_before_there_is_a_model(staff: Client, companies: DataModel) -> None:
    url = f"/api/sources/{companies.source_id}/rows/"
    found = staff.post(url, {"sql": "select name from companies"}, content_type="application/json").json()
    assert (found["columns"], len(found["rows"])) == (["name"], 5)


def test_an_empty_value_stays_empty_in_a_preview(staff: Client, companies: DataModel) -> None:
    rows = staff.get(f"/api/models/{companies.pk}/preview/").json()["rows"]
    assert rows[2][1] is None


def test_a_new_column_of_the_source_can_be_chosen_at_once(staff: Client, companies: DataModel, file: Path) -> None:
    with sqlite3.connect(file) as database:
        database.execute("alter table companies add column country text")
    names = [column["name"] for column in staff.get(f"/api/models/{companies.pk}/columns/").json()["columns"]]
    assert names == ["id", "name", "mrr", "country"]
    assert companies.column_types()["country"] == "text"


def test_a_silent_source_leaves_the_columns_that_were_known(staff: Client, companies: DataModel, file: Path) -> None:
    file.unlink()
    answer = staff.get(f"/api/models/{companies.pk}/columns/").json()
    assert [column["name"] for column in answer["columns"]] == ["id", "name", "mrr"]
    assert answer["problem"]


@pytest.mark.parametrize("where", [{"all": [{"field": "gone", "is": "equals", "value": 1}]}, {"some": []}, [], "x"])
def test_bad_conditions_are_answered_in_words(staff: Client, companies: DataModel, where: Any) -> None:
    answer = preview(staff, companies, where)
    assert answer.status_code == 400
    assert answer.json()["message"]


def test_only_people_with_the_permission_may_look(companies: DataModel) -> None:
    path = f"/api/models/{companies.pk}/preview/"
    assert Client().get(path).status_code == 403
    viewer = User.objects.create_user("viewer", is_staff=True)
    browser = Client()
    browser.force_login(viewer)
    assert browser.get(path).status_code == 403
    viewer.user_permissions.add(Permission.objects.get(codename="view_datamodel"))
    assert browser.get(path).status_code == 200
