"""What the settings of a file source make of its file, and models that adopt them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from segments.contract import ColumnType
from segments.models import DataModel, Source
from segments.sources.discovery import refresh_columns
from segments.sources.misfits import misfits

if TYPE_CHECKING:
    from pathlib import Path

PARIS = ZoneInfo("Europe/Paris")
TEXT, NUMBER, TIME = ColumnType.TEXT, ColumnType.NUMBER, ColumnType.TIMESTAMP


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_FILES_ROOT = tmp_path
    return tmp_path


@pytest.mark.parametrize(
    ("values", "column_type", "messages"),
    [
        (["2024-07-01 12:00", "n/a"], TEXT, ["Row 2 of the column “c” is not a time, so the column is text."]),
        (["12", "3.5", "x", "7"], TEXT, ["Row 3 of the column “c” is not a number, so the column is text."]),
        (["12", "x"], NUMBER, ["Row 2 of the column “c” is not a number."]),
        (["x", None, "", "2024-07-01"], TIME, ["Row 1 of the column “c” is not a time."]),
        (["Acme", "Bob", "12"], TEXT, []),
        (["2024-07-01", None, ""], TIME, []),
        (["x"], TEXT, []),
        ([None], TEXT, []),
    ],
)
def test_values_that_do_not_fit_are_named_by_row_and_column(
    values: list[Any], column_type: ColumnType, messages: list[str]
) -> None:
    found = misfits([{"c": value} for value in values], {"c": column_type}, PARIS)
    assert [misfit.message for misfit in found] == messages


def preview(browser: Client, **settings: Any) -> Any:
    body = {"engine": "csv", "timezone": "Europe/Paris", "settings": settings}
    return browser.post("/api/sources/preview/", body, content_type="application/json")


@pytest.mark.django_db
def test_unsaved_settings_are_previewed(staff: Client, files: Path) -> None:
    (files / "a.csv").write_text("id;price;t\n1;1,5;2024-07-01 12:00\n2;2,50;n/a\n3;x;y;z\n")
    refused = preview(staff, path="a.csv")
    assert (refused.status_code, refused.json()["code"]) == (400, "source_file_broken")
    assert "Line 4" in refused.json()["message"]
    answer = preview(
        staff, path="a.csv", bad_lines="skip", decimal="comma", columns="price: number\nt: timestamp"
    ).json()
    assert answer == {
        "types": {"id": "integer", "price": "number", "t": "timestamp"},
        "columns": ["id", "price", "t"],
        "rows": [["1", "1.5", "2024-07-01 12:00:00+02:00"], ["2", "2.5", "n/a"]],
        "misfits": ["Row 2 of the column “t” is not a time."],
        "skipped": 1,
        "bad_lines": ["Line 4 of the file “a.csv” has 4 values, but the first line names 3 columns."],
    }
    assert Source.objects.count() == 0


@pytest.mark.django_db
def test_preview_refuses_invalid_settings_and_engines_without_files(staff: Client, files: Path) -> None:
    assert preview(staff, path="../a.csv").json()["code"] == "source_file_outside"
    assert preview(staff, path="a.csv", columns="price: money").json()["code"] == "parameter_invalid"
    assert preview(staff, path="a.csv", nonsense="x").json()["code"] == "parameter_unknown"
    body = {"engine": "postgres", "settings": {"host": "127.0.0.1"}}
    answer = staff.post("/api/sources/preview/", body, content_type="application/json")
    assert answer.json()["code"] == "engine_unknown"


@pytest.mark.django_db
def test_preview_is_only_for_whoever_may_set_up_sources(files: Path) -> None:
    (files / "a.csv").write_text("id\n1\n")
    viewer = User.objects.create_user("viewer", password="secret", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_source", "view_datamodel"]))
    browser = Client()
    browser.force_login(viewer)
    assert preview(browser, path="a.csv").status_code == 403


@pytest.mark.django_db
def test_models_adopt_the_types_that_a_form_declares(staff: Client, files: Path) -> None:
    (files / "a.csv").write_text("id,zip,seen,note\n1,75001,1704164645,x\n")
    source = Source.objects.create(name="File", engine="csv", config={"path": "a.csv"})
    model = DataModel.objects.create(name="Rows", source=source, table="a", primary_key="id")
    refresh_columns(model)
    assert model.column_types() == {"id": "integer", "zip": "integer", "seen": "integer", "note": "text"}
    form = {"name": "File", "timezone": "UTC", "setting_path": "a.csv"}
    staff.post(
        f"/admin/segments/source/{source.pk}/change/", form | {"setting_columns": "zip: text\nseen: epoch_seconds"}
    )
    source.refresh_from_db()
    assert source.config["columns"] == {"zip": "text", "seen": "epoch_seconds"}
    model = DataModel.objects.get()
    assert model.column_types() == {"id": "integer", "zip": "text", "seen": "timestamp", "note": "text"}
    staff.post(f"/admin/segments/source/{source.pk}/change/", form | {"setting_separator": "semicolon"})
    assert list(DataModel.objects.get().column_types()) == ["id", "zip", "seen", "note"]
