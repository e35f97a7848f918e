"""Models and segments over time: schema drift, key warnings, sizes, breakdowns and overlaps."""

from __future__ import annotations

import sqlite3
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Problem
from segments import tasks
from segments.integrity import column_usage
from segments.models import FIRST_COMPUTED, Column, DataModel, Relation, Segment, SegmentSize, Source
from segments.reading import read, sizes
from segments.sources import drift, key_check
from segments.sources.discovery import refresh_columns
from segments.sql.query import other_spelling

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 10, 30, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path, settings: Any) -> Path:
    settings.SOURCE_FILES_ROOT = tmp_path
    path = tmp_path / "shop.sqlite3"
    run(path, "create table companies (id integer, name text, country text, mrr real)")
    for number in range(1, 41):
        country = ("null", "'FR'", "'DE'")[number % 3]
        run(path, f"insert into companies values ({number}, 'N{number}', {country}, {number})")
    return path


@pytest.fixture
def companies(file: Path) -> DataModel:
    source = Source.objects.create(name="Shop", engine="sqlite", config={"path": file.name})
    model = DataModel.objects.create(name="Companies", source=source, table="companies", primary_key="id")
    refresh_columns(model)
    return model


@pytest.fixture
def rich(companies: DataModel) -> Segment:
    return Segment.objects.create(
        name="Rich", model=companies, where={"all": [{"field": "mrr", "is": "greater_than", "value": 10}]}
    )


def run(path: Path, statement: str) -> None:
    with sqlite3.connect(path) as database:
        database.execute(statement)
    database.close()


def test_renamed_column_in_use_is_detected_and_so_is_its_return(file: Path, rich: Segment) -> None:
    assert drift.check_model(rich.model, NOW) == ""
    run(file, "alter table companies rename column mrr to revenue")
    assert (
        drift.check_model(rich.model, NOW)
        == "The source has changed: the column “mrr” is gone (possibly renamed to “revenue”)."
    )
    refresh_columns(rich.model)
    assert "“mrr” is gone" in drift.check_model(rich.model, NOW)
    run(file, "alter table companies rename column revenue to mrr")
    assert drift.check_model(rich.model, NOW) == ""
    assert DataModel.objects.get().problem == ""


def test_dropping_an_unused_column_is_not_a_problem(file: Path, rich: Segment) -> None:
    run(file, "alter table companies drop column name")
    assert drift.check_model(rich.model, NOW) == ""


def test_changed_type_is_reported_with_both_types(file: Path, rich: Segment) -> None:
    run(file, "alter table companies drop column mrr")
    run(file, "alter table companies add column mrr text")
    assert (
        drift.check_model(rich.model, NOW)
        == "The source has changed: the type of the column “mrr” changed from number to text."
    )


def test_dropped_table_is_a_problem_on_the_page_of_the_model(staff: Client, file: Path, rich: Segment) -> None:
    run(file, "drop table companies")
    answer = staff.post(f"/admin/segments/datamodel/{rich.model_id}/do/check/", follow=True).content.decode()
    assert "Source changed" in answer
    assert "are paused by the system. They resume automatically once" in answer
    assert DataModel.objects.get().problem


def test_times_within_the_last_minute_are_shown_as_just_now(staff: Client, rich: Segment) -> None:
    page = f"/admin/segments/datamodel/{rich.model_id}/"
    assert "Checked just now. Checks run daily." in staff.post(f"{page}do/check/", follow=True).content.decode()
    assert "refreshed just now." in staff.get(f"/admin/segments/source/{rich.model.source_id}/tables/").content.decode()
    DataModel.objects.update(checked_at=datetime.now(UTC) - timedelta(minutes=3))
    assert "Checked 3\xa0minutes ago" in staff.get(f"{page}change/").content.decode()


def test_reading_the_columns_again_repeats_the_check(staff: Client, file: Path, rich: Segment) -> None:
    def press() -> str:
        answer = staff.post(f"/admin/segments/datamodel/{rich.model_id}/do/refresh/", follow=True)
        return answer.content.decode().replace("&#x27;", "'")

    run(file, "alter table companies rename column mrr to revenue")
    page = press()
    assert "the column “mrr” is gone" in page
    assert "Source changed" in page
    run(file, "alter table companies rename column revenue to mrr")
    page = press()
    assert "Found 4 columns. All columns in use are present." in page
    assert "Source changed" not in page
    run(file, "alter table companies rename to firms")
    page = press()
    assert "Source changed" in page
    assert "no table “companies”" in DataModel.objects.get().problem


def test_unreachable_source_leaves_stored_problems_unchanged(file: Path, rich: Segment) -> None:
    DataModel.objects.update(problems={"name": "Something"})
    Source.objects.update(engine="postgres", config={"host": "127.0.0.1", "port": 1, "database": "x", "user": "x"})
    tasks.look_at_models()
    assert DataModel.objects.get().problems == {"name": "Something"}


def test_check_before_a_run_covers_only_the_columns_it_reads(file: Path, rich: Segment) -> None:
    Segment.objects.create(name="French", model=rich.model, where={"field": "country", "is": "equals", "value": "FR"})
    run(file, "alter table companies rename column country to land")
    drift.look_before(rich, ["name"])
    assert "“country” is gone (possibly renamed to “land”)" in DataModel.objects.get().problem
    assert drift.held(rich, ["name"]) == ""
    with pytest.raises(Misconfigured) as refused:
        drift.look_before(rich, ["country"])
    assert (refused.value.code, refused.value.where) == ("source_changed", "Companies")
    assert "“country” is gone" in drift.held(rich, ["country"])


def test_check_before_a_run_follows_related_models_and_segments(file: Path, rich: Segment) -> None:
    run(file, "create table orders (id integer, company integer, amount real)")
    orders = DataModel.objects.create(name="Orders", source=rich.model.source, table="orders", primary_key="id")
    refresh_columns(orders)
    Relation.objects.create(from_model=orders, from_column="company", to_model=rich.model, to_column="id")
    large = {
        "related": "Orders",
        "has": "at_least",
        "count": 2,
        "where": {"all": [{"field": "amount", "is": "at_least", "value": 100}]},
    }
    Segment.objects.create(name="Large", model=rich.model, where={"all": [large]})
    best = Segment.objects.create(name="Best", model=rich.model, where={"segment": "Large", "is": "member"})
    assert column_usage.needed_columns(best, ["name"]) == {"Companies": {"id", "name"}, "Orders": {"company", "amount"}}
    spent = {"related": "Orders", "sum": "amount"}
    rich.model.columns.create(name="spent", type="number", definition=spent, position=FIRST_COMPUTED)
    assert column_usage.needed_columns(rich, ["spent"]) == {"Companies": {"id", "mrr"}, "Orders": {"company", "amount"}}
    run(file, "alter table orders drop column amount")
    drift.look_before(rich, ["name"])
    for rows, column in ((best, "name"), (rich, "spent")):
        with pytest.raises(Misconfigured, match="“amount” is gone"):
            drift.look_before(rows, [column])
    assert set(DataModel.objects.exclude(problems={}).values_list("name", flat=True)) == {"Orders"}


@pytest.mark.parametrize("query", ["", "select id, seats from export"])
def test_odd_value_in_a_file_does_not_count_as_a_changed_type(query: str, tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    export = tmp_path / "export.csv"
    export.write_text("id,seats\n1,5\n2,7\n")
    source = Source.objects.create(name="Export", engine="csv", config={"path": "export.csv"})
    model = DataModel.objects.create(
        name="Export", source=source, table="" if query else "export", sql=query, primary_key="id"
    )
    refresh_columns(model)
    many = Segment.objects.create(name="Many", model=model, where={"field": "seats", "is": "at_least", "value": 6})
    export.write_text("id,seats\n1,many\n2,7\n3,8\n")
    drift.look_before(many, ["seats"])
    assert drift.check_model(model, NOW) == ""
    assert [row["id"] for row in read.preview(read.selection(many), now=NOW)] == [2, 3]
    export.write_text("id,places\n1,5\n")
    with pytest.raises(Problem) as refused:
        drift.look_before(many, ["seats"])
    assert "seats" in refused.value.message
    assert DataModel.objects.get().problem


def test_daily_check_sets_and_clears_key_warnings(file: Path, companies: DataModel) -> None:
    run(file, "insert into companies values (1, 'twice', 'FR', 5)")
    tasks.look_at_models()
    assert "1 repeats the “id” of another row (2.4%)" in DataModel.objects.get().key_warning
    run(file, "delete from companies where name = 'twice'")
    tasks.look_at_models()
    assert DataModel.objects.get().row_count == 40
    assert DataModel.objects.get().key_warning == ""


def test_last_count_of_a_day_is_stored_as_its_size(rich: Segment) -> None:
    sizes.store(rich, 5, NOW)
    sizes.store(rich, 7, NOW + timedelta(hours=2))
    sizes.store(rich, 9, NOW + timedelta(days=1))
    assert list(rich.sizes.values_list("day", "rows")) == [(date(2026, 3, 31), 7), (date(2026, 4, 1), 9)]
    tasks.count_segments()
    assert rich.sizes.get(day=datetime.now(UTC).date()).rows == 30


def test_size_chart_spans_all_days_and_scales_to_the_largest_size() -> None:
    days = [SegmentSize(day=date(2026, 3, day), rows=rows) for day, rows in ((1, 0), (2, 50), (5, 100))]
    assert sizes.svg_points(days) == "0.0,80.0 150.0,40.0 600.0,0.0"


def test_breakdown_counts_nulls_too(staff: Client, rich: Segment) -> None:
    answer = staff.post(
        f"/api/segments/{rich.pk}/breakdown/", {"column": "country"}, content_type="application/json"
    ).json()
    assert answer["total"] == 30
    assert {group["value"]: group["rows"] for group in answer["groups"]} == {"FR": 10, "DE": 10, None: 10}


def test_breakdown_respects_the_size_limit(staff: Client, companies: DataModel) -> None:
    top = Segment.objects.create(name="Top", model=companies, limit={"rows": 6, "order_by": "mrr", "descending": True})
    answer = staff.post(
        f"/api/segments/{top.pk}/breakdown/", {"column": "country"}, content_type="application/json"
    ).json()
    assert answer["total"] == sum(group["rows"] for group in answer["groups"]) == 6


def test_overlap_counts_shared_and_exclusive_rows(staff: Client, rich: Segment) -> None:
    french = Segment.objects.create(
        name="French", model=rich.model, where={"all": [{"field": "country", "is": "equals", "value": "FR"}]}
    )
    answer = staff.post(
        f"/api/segments/{rich.pk}/overlap/", {"other": french.pk}, content_type="application/json"
    ).json()
    assert (answer["both"], answer["only"], answer["other_only"]) == (10, 20, 4)
    assert (
        staff.post(f"/api/segments/{rich.pk}/overlap/", {"other": 0}, content_type="application/json").status_code
        == 400
    )


def test_segment_page_draws_the_size_chart(staff: Client, rich: Segment) -> None:
    for days, rows in ((2, 5), (0, 30)):
        sizes.store(rich, rows, datetime.now(UTC) - timedelta(days=days))
    page = staff.get(f"/admin/segments/segment/{rich.pk}/change/").content.decode()
    assert "<polyline" in page
    assert "now 30 rows" in page


@pytest.mark.parametrize(
    ("name", "columns", "other"),
    [
        ("Name", ["NAME", "Domain"], "NAME"),
        ("Name", [" name ", "id"], " name "),
        ("first name", ["first_name", "id"], "first_name"),
        ("Name", ["NAME", "name"], ""),
        ("Name", ["Title"], ""),
        ("!", ["?"], ""),
    ],
)
def test_column_in_a_different_spelling_is_suggested(name: str, columns: list[str], other: str) -> None:
    assert other_spelling(name, columns) == other


def test_header_in_a_different_spelling_is_named(tmp_path: Path, settings: Any) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path
    (tmp_path / "companies.csv").write_text("ID,NAME,DOMAIN\n1,A,a.com\n")
    source = Source.objects.create(name="File", engine="csv", config={"path": "companies.csv"})
    rows = DataModel.objects.create(name="Companies of the file", source=source, table="companies", primary_key="id")
    for name in ("id", "Name", "Domain"):
        Column.objects.create(model=rows, name=name, type="text", native="VARCHAR")
    with pytest.raises(Misconfigured) as caught:
        read.preview(read.selection(rows), now=NOW, columns=["Name"])
    assert "perhaps it is called “NAME” now" in caught.value.message
    with pytest.raises(Misconfigured, match="Perhaps it is called “ID” now"):
        key_check.key_share(rows)
