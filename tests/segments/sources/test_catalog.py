"""The table browser of a source."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from segments.models import Catalog, Source
from segments.sources import catalog
from tests.segments.places import make, run_in_mysql, run_in_postgres

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, tzinfo=UTC)


@pytest.fixture
def staff() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


@pytest.fixture
def large(tmp_path: Path, settings: Any) -> Source:
    """A source of five hundred tables."""
    settings.SOURCE_FILES_ROOT = tmp_path
    with sqlite3.connect(tmp_path / "large.sqlite3") as database:
        database.execute("pragma synchronous = off")
        for number in range(499):
            columns = ", ".join(f"column_{place} text" for place in range(20))
            database.execute(
                f"create table table_{number:03} (id integer primary key, {columns}, only_{number:03} text)"
            )
        database.execute('create view odd as select \'a <b> & "c"\' as "na\'me"')
        database.executemany(
            "insert into table_007 (id, column_0) values (?, 'secret')", [(number,) for number in range(50)]
        )
    return Source.objects.create(name="Large", engine="sqlite", config={"path": "large.sqlite3"})


def page(source: Source, query: str = "") -> str:
    return f"/admin/segments/source/{source.pk}/tables/?q={query}"


def test_catalog_lists_the_same_columns_as_each_table_does(slug: str, files: Path) -> None:
    columns = {
        "id": "integer",
        "name": "text",
        "mrr": "number",
        "active": "boolean",
        "day": "date",
        "at": "timestamp",
        "zoned": "timestamptz",
    }
    row = dict.fromkeys(columns) | {"id": 1}
    place = make(slug, files, "browsed", columns, [row] * 3)
    with place.open() as reader:
        tables = {table.name: table for table in reader.catalog()}
        assert list(tables) == reader.tables()
        infos = reader.columns(table=place.table)
    table = tables[place.table]
    assert [(info.name, info.type, info.native) for info in table.columns] == [
        (info.name, info.type, info.native) for info in infos
    ]
    assert not table.is_view


def test_row_counts_are_estimated_and_views_are_marked(files: Path, postgres: None, mysql: None) -> None:
    for slug, run, prepare in (
        ("postgres", run_in_postgres, "analyze guessed"),
        ("mysql", run_in_mysql, "analyze table guessed"),
        ("duckdb", None, ""),
    ):
        place = make(slug, files, "guessed", {"id": "integer"}, [{"id": number} for number in range(500)])
        if run:
            run(prepare, "drop view if exists seen_guessed", "create view seen_guessed as select * from guessed")
        with place.open() as reader:
            tables = {table.name.rpartition(".")[2]: table for table in reader.catalog()}
        assert 400 <= (tables["guessed"].rows or 0) <= 600, slug
        if run:
            assert (tables["seen_guessed"].is_view, tables["seen_guessed"].rows) == (True, None), slug


def test_five_hundred_tables_are_listed_and_searchable_by_table_and_column(staff: Client, large: Source) -> None:
    unfiltered = staff.get(page(large)).content.decode()
    assert "500 of 500 tables" in unfiltered
    assert "secret" not in unfiltered
    assert "Page 1 of 5" in unfiltered
    last = staff.get(page(large, "table&page=5")).content.decode()
    assert "499 of 500 tables" in last
    assert ("table_498" in last, "table_399" in last) == (True, False)
    filtered = staff.get(page(large, "only_042")).content.decode()
    assert "1 of 500 tables" in filtered
    assert "table_042" in filtered
    assert "table_041" not in filtered
    assert "0 of 500" in staff.get(page(large, "nothing")).content.decode()
    assert "na&#x27;me" in staff.get(page(large, "odd")).content.decode()


def test_table_list_is_cached_until_it_is_refreshed(staff: Client, large: Source, tmp_path: Path) -> None:
    staff.get(page(large))
    with sqlite3.connect(tmp_path / "large.sqlite3") as database:
        database.execute("create table later (id integer)")
    assert "500 of 500" in staff.get(page(large)).content.decode()
    assert "501 of 501" in staff.post(page(large), follow=True).content.decode()


def test_changed_settings_clear_the_cached_table_list(staff: Client, large: Source) -> None:
    catalog.get(large, NOW)
    form = {"name": "Large", "timezone": "UTC", "setting_path": "large.sqlite3"}
    staff.post(f"/admin/segments/source/{large.pk}/change/", form)
    assert Catalog.objects.filter(source=large).exists()
    staff.post(f"/admin/segments/source/{large.pk}/change/", {**form, "setting_path": "other.sqlite3"})
    assert not Catalog.objects.filter(source=large).exists()


def test_sample_reads_only_the_first_rows(staff: Client, large: Source) -> None:
    answer = staff.get(f"/api/sources/{large.pk}/sample/?table=table_007").json()
    assert len(answer["rows"]) == 10
    assert answer["rows"][0][:2] == ["0", "secret"]
    assert staff.get(f"/api/sources/{large.pk}/sample/?table=nope").status_code == 400


def test_unreachable_source_is_reported_on_the_page(staff: Client, large: Source) -> None:
    Source.objects.update(config={"path": "gone.sqlite3"})
    assert "There is no file" in staff.get(page(large)).content.decode()
    assert "There is no file" in staff.post(page(large), follow=True).content.decode()


def test_tables_require_the_permission_to_view_and_refreshing_them_to_change_sources(large: Source) -> None:
    browser = Client()
    user = User.objects.create_user("guest", is_staff=True)
    browser.force_login(user)
    assert browser.get(page(large)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_source"))
    assert browser.get(page(large)).status_code == 200
    assert browser.post(page(large)).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="change_source"))
    assert browser.post(page(large)).status_code == 302
