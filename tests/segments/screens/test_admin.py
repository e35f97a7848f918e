"""Admin screens of sources, models and segments, with a real SQLite file."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from dinmo.celery import app
from segments import tasks
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
NO_COLUMNS = {
    f"{inline}-{count}": 0 for inline in ("columns", "relations") for count in ("TOTAL_FORMS", "INITIAL_FORMS")
}


@pytest.fixture
def shop(tmp_path: Path, settings: Any) -> Source:
    settings.SOURCE_FILES_ROOT = tmp_path
    with sqlite3.connect(tmp_path / "shop.sqlite3") as database:
        database.execute("create table companies (id integer primary key, name text, country text)")
        database.executemany(
            "insert into companies values (?, ?, ?)", [(1, "Acme", "FR"), (2, "Bolt", "DE"), (3, "Crux", None)]
        )
    return Source.objects.create(name="Shop", engine="sqlite", config={"path": "shop.sqlite3"})


@pytest.fixture
def companies(staff: Client, shop: Source) -> DataModel:
    staff.post("/admin/segments/datamodel/add/", model_form(shop))
    return DataModel.objects.get()


def model_form(source: Source, **more: Any) -> dict[str, Any]:
    values = {"name": "Companies", "source": source.pk, "kind": "custom", "primary_key": "id"}
    return {**values, "shape": "table", "table": "companies", "sql": "", "_save": "Save", **NO_COLUMNS, **more}


def test_adding_a_source_starts_with_its_type(staff: Client) -> None:
    choices = staff.get("/admin/segments/source/add/").content.decode()
    assert 'href="?engine=postgres"' in choices
    form = staff.get("/admin/segments/source/add/?engine=postgres").content.decode()
    assert 'type="password"' in form
    assert "setting_host" in form


def test_stored_password_is_never_shown_and_is_kept_if_left_empty(staff: Client) -> None:
    values = {"setting_host": "db", "setting_port": 5432, "setting_database": "shop", "setting_user": "reader"}
    staff.post(
        "/admin/segments/source/add/?engine=postgres",
        {"name": "Db", "timezone": "UTC", **values, "setting_password": "hunter2"},
    )
    source = Source.objects.get()
    page = f"/admin/segments/source/{source.pk}/change/"
    assert "hunter2" not in staff.get(page).content.decode()
    staff.post(
        page, {"name": "Db", "timezone": "Europe/Paris", **values, "setting_database": "shop2", "setting_password": ""}
    )
    source = Source.objects.get()
    assert (source.config["database"], source.secrets["password"], source.timezone) == (
        "shop2",
        "hunter2",
        "Europe/Paris",
    )


@pytest.mark.parametrize("button", ["_save", "_test"])
@pytest.mark.parametrize(("setting", "value"), [("host", "db.example.net"), ("port", 6432)])
def test_stored_password_is_not_kept_for_a_different_server(
    staff: Client, setting: str, value: Any, button: str
) -> None:
    values = {"setting_host": "db", "setting_port": 5432, "setting_database": "shop", "setting_user": "reader"}
    config = {name.removeprefix("setting_"): each for name, each in values.items()}
    source = Source.objects.create(name="Db", engine="postgres", config=config, secrets={"password": "hunter2"})
    page = f"/admin/segments/source/{source.pk}/change/"
    changed = {"name": "Db", "timezone": "UTC", **values, f"setting_{setting}": value, button: ""}
    answer = staff.post(page, {**changed, "setting_password": ""})
    assert answer.context["adminform"].form.errors == {
        "setting_password": [f"Enter the password again, because the {setting} has changed."]
    }
    assert Source.objects.get().config == config
    staff.post(page, {**changed, "setting_password": "entered again", "_save": ""})
    source = Source.objects.get()
    assert (source.config[setting], source.secrets["password"]) == (value, "entered again")


def test_certificate_of_an_authority_is_kept_for_a_different_server(staff: Client) -> None:
    """It is no secret, and the password is what must be entered again."""
    config = {"host": "db", "port": 3306, "database": "shop", "user": "me", "sslmode": "verify-ca"}
    pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
    secrets = {"password": "old", "ssl_ca": pem}
    source = Source.objects.create(name="Db", engine="mysql", config=config, secrets=secrets)
    values = {f"setting_{name}": value for name, value in {**config, "host": "db2", "password": "new"}.items()}
    staff.post(f"/admin/segments/source/{source.pk}/change/", {"name": "Db", "timezone": "UTC", **values})
    source = Source.objects.get()
    assert (source.config["host"], source.secrets["password"], source.secrets["ssl_ca"]) == ("db2", "new", pem)


def test_missing_setting_is_reported_at_its_field(staff: Client) -> None:
    answer = staff.post(
        "/admin/segments/source/add/?engine=sqlite", {"name": "Shop", "timezone": "UTC", "setting_path": ""}
    )
    assert "setting_path" in answer.context["adminform"].form.errors


def test_source_test_reports_success_and_failure(staff: Client, shop: Source) -> None:
    works = staff.post(f"/admin/segments/source/{shop.pk}/do/test/", follow=True)
    assert "The source works" in works.content.decode()
    Source.objects.update(config={"path": "gone.sqlite3"})
    broken = staff.post(f"/admin/segments/source/{shop.pk}/do/test/", follow=True)
    assert Source.objects.get().health == "failed"
    assert Source.objects.get().health_message in broken.content.decode().replace("&#x27;", "'")


def test_saving_a_model_discovers_its_columns(companies: DataModel) -> None:
    assert companies.column_types() == {"id": "integer", "name": "text", "country": "text"}


def test_primary_key_cannot_be_changed(staff: Client, shop: Source, companies: DataModel) -> None:
    staff.post(f"/admin/segments/datamodel/{companies.pk}/change/", model_form(shop, primary_key="name", name="Firms"))
    companies.refresh_from_db()
    assert (companies.name, companies.primary_key) == ("Firms", "id")


@pytest.mark.parametrize(
    ("values", "field", "message"),
    [
        ({"table": "nowhere"}, "table", "nowhere"),
        ({"primary_key": "nokey"}, "primary_key", "There is no column"),
        ({"primary_key": "country"}, "primary_key", "Choose a primary key that is unique in every row"),
        ({"shape": "sql", "sql": "selec"}, "sql", ""),
        ({"shape": "sql", "sql": ""}, "sql", "Enter a query."),
    ],
)
def test_unreadable_model_is_refused_at_its_field(
    staff: Client, shop: Source, values: dict[str, str], field: str, message: str
) -> None:
    answer = staff.post("/admin/segments/datamodel/add/", model_form(shop, **values))
    assert message in answer.context["adminform"].form.errors[field][0]
    assert not DataModel.objects.exists()


def test_refused_key_is_reported_with_examples(staff: Client, shop: Source) -> None:
    answer = staff.post(
        "/admin/segments/datamodel/add/",
        model_form(shop, shape="sql", sql="select 'FR' as id from companies", table=""),
    )
    assert "For example: FR (3 rows)." in answer.context["adminform"].form.errors["primary_key"][0]


SLOW = "with recursive n(x) as (select 1 union all select x + 1 from n limit 5000000) select x as id from n"


def test_slow_key_is_saved_with_a_warning_until_it_is_checked(staff: Client, shop: Source, settings: Any) -> None:
    settings.SOURCE_PREVIEW_SECONDS = 0.3
    staff.post("/admin/segments/datamodel/add/", model_form(shop, shape="sql", sql=SLOW, table=""))
    model = DataModel.objects.get()
    page = f"/admin/segments/datamodel/{model.pk}/"
    assert "Key not checked yet" in staff.get(f"{page}change/").content.decode()
    assert "Key warning" in staff.get("/admin/segments/datamodel/").content.decode()
    staff.post(f"{page}change/", model_form(shop, shape="sql", sql=SLOW, table="", name="Numbers"))
    assert "Key not checked yet" in DataModel.objects.get(name="Numbers").key_warning
    staff.post(f"{page}do/check/")
    assert DataModel.objects.get().key_warning == ""


def test_conditions_are_validated_against_the_columns(staff: Client, companies: DataModel) -> None:
    values = {"name": "French", "model": companies.pk, "description": ""}
    wrong = staff.post(
        "/admin/segments/segment/add/",
        {**values, "where": '{"all": [{"field": "gone", "is": "equals", "value": "FR"}]}'},
    )
    assert "no column “gone”" in wrong.context["adminform"].form.errors["where"][0]
    staff.post(
        "/admin/segments/segment/add/",
        {**values, "where": '{"all": [{"field": "country", "is": "equals", "value": "FR"}]}'},
    )
    assert Segment.objects.get().where == {"all": [{"field": "country", "is": "equals", "value": "FR"}]}
    assert "country is FR" in staff.get("/admin/segments/segment/").content.decode()


def test_empty_lists_explain_what_to_do(staff: Client) -> None:
    for path, text in {
        "/admin/segments/source/": "No sources yet",
        "/admin/segments/datamodel/": "No models yet",
        "/admin/segments/segment/": "No segments yet",
        "/admin/segments/segment/?q=nothing": "No matches",
        "/admin/": "No activation sends data yet",
    }.items():
        assert text in staff.get(path).content.decode(), path


def test_lost_encryption_key_is_reported_and_the_secret_can_be_entered_again(staff: Client, settings: Any) -> None:
    config = {"host": "db", "database": "shop", "user": "me"}
    source = Source.objects.create(name="Db", engine="postgres", config=config, secrets={"password": "old"})
    settings.ENCRYPTION_KEYS = ["0" * 43 + "="]
    page = f"/admin/segments/source/{source.pk}/change/"
    assert staff.get("/admin/segments/source/").status_code == 200
    assert "enter the secret again" in staff.get(page).content.decode()
    values = {
        "name": "Db",
        "timezone": "UTC",
        "setting_host": "db",
        "setting_database": "shop",
        "setting_user": "me",
        "setting_port": 5432,
    }
    staff.post(page, {**values, "setting_password": "new"})
    assert Source.objects.get().secrets["password"] == "new"


def test_save_and_test_reports_each_stage(staff: Client, shop: Source) -> None:
    add = "/admin/segments/source/add/?engine=sqlite"
    values = {"name": "Second", "timezone": "UTC", "setting_path": "shop.sqlite3", "_test": ""}
    page = staff.post(add, values, follow=True).content.decode()
    assert "✓ Opened the file (" in page
    assert "✓ Found 1 readable table (" in page
    assert "✓ Read the first 3 rows of companies (" in page
    assert "Save &amp; test" in page
    source = Source.objects.get(name="Second")
    assert (source.health, source.health_at is not None) == ("ok", True)
    change = f"/admin/segments/source/{source.pk}/change/"
    page = staff.post(change, {**values, "setting_path": "gone.sqlite3"}, follow=True).content.decode()
    assert "✗ Connect to the source: There is no file" in page
    assert Source.objects.get(name="Second").health == "failed"


def test_saving_alone_does_not_test(staff: Client, shop: Source) -> None:
    values = {"name": "Second", "timezone": "UTC", "setting_path": "gone.sqlite3", "_save": ""}
    staff.post("/admin/segments/source/add/?engine=sqlite", values)
    assert Source.objects.get(name="Second").health == "unknown"


def test_certificate_is_a_multiline_secret_and_is_never_shown(staff: Client) -> None:
    add = "/admin/segments/source/add/?engine=mysql"
    assert '<textarea name="setting_ssl_ca"' in staff.get(add).content.decode()
    pem = "-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----"
    values = {
        "setting_host": "db",
        "setting_database": "shop",
        "setting_user": "me",
        "setting_ssl_ca": pem,
        "setting_sslmode": "verify-ca",
    }
    assert (
        "abc" not in staff.post(add, {**values, "timezone": "UTC", "name": "", "setting_port": 3306}).content.decode()
    )
    staff.post(add, {**values, "timezone": "UTC", "name": "Db", "setting_port": 3306})
    source = Source.objects.get(name="Db")
    assert source.secrets["ssl_ca"].splitlines() == pem.splitlines()
    assert "abc" not in staff.get(f"/admin/segments/source/{source.pk}/change/").content.decode()


def test_nightly_check_tests_every_source_and_pauses_nothing(shop: Source) -> None:
    broken = Source.objects.create(name="Gone", engine="sqlite", config={"path": "gone.sqlite3"})
    tasks.check_source(shop.pk)
    tasks.check_source(broken.pk)
    tasks.check_source(0)
    assert {source.name: source.health for source in Source.objects.all()} == {"Shop": "ok", "Gone": "failed"}
    scheduled = app.conf.beat_schedule["check-sources"]
    assert scheduled["task"] == tasks.check_sources.name


def test_renaming_a_model_together_with_a_mistake_shows_the_mistake(staff: Client, companies: DataModel) -> None:
    values = model_form(companies.source, name="Firms", kind="nonsense")
    page = staff.post(f"/admin/segments/datamodel/{companies.pk}/change/", values)
    assert page.status_code == 200
    assert "Select a valid choice" in page.content.decode()
    assert not DataModel.objects.filter(name="Firms").exists()


def test_renaming_a_segment_together_with_a_mistake_still_shows_what_uses_it(
    staff: Client, companies: DataModel
) -> None:
    segment = Segment.objects.create(name="French", model=companies)
    Segment.objects.create(name="Others", model=companies, where={"segment": "French", "is": "not_member"})
    values = {"name": "Les Français", "where": "no JSON", "limit": "{}", "tags": "[]", "_save": "Save"}
    page = staff.post(f"/admin/segments/segment/{segment.pk}/change/", values).content.decode()
    assert "Others" in page


@pytest.mark.parametrize(
    "text", ["[" * 3000, "{", '{"a": NaN}', '{"a": 1e999}', r'{"a": "\ud800"}', r'{"a": "\u0000"}']
)
@pytest.mark.parametrize("field", ["where", "limit"])
def test_conditions_that_no_editor_writes_are_refused(
    staff: Client, companies: DataModel, field: str, text: str
) -> None:
    values = {"name": "French", "model": companies.pk, "where": "{}", "limit": "{}", "tags": "", field: text}
    page = staff.post("/admin/segments/segment/add/", values)
    assert page.status_code == 200
    assert page.context["errors"]
    definition = {"name": "tier", "definition": text}
    page = staff.post(f"/admin/segments/computedfield/add/?model={companies.pk}", definition)
    assert page.status_code == 200
    assert page.context["errors"]


def test_display_column_is_guessed_and_can_be_chosen(staff: Client, companies: DataModel, shop: Source) -> None:
    page = f"/admin/segments/datamodel/{companies.pk}/change/"
    assert companies.display_column == "name"
    shown = staff.get(page).content.decode()
    assert '<option value="name" selected' in shown
    assert "The key alone" in shown
    staff.post(page, model_form(shop, display_column="country"))
    assert DataModel.objects.get().display_column == "country"
    refused = staff.post(page, model_form(shop, display_column="nope")).content.decode()
    assert "The model has no such column" in refused
    staff.post(page, model_form(shop, display_column="id"))
    assert DataModel.objects.get().display_column == "id"
