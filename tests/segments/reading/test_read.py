"""Previews, counts, statements and streams of models and segments, on every engine."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest

from core.errors import Misconfigured, Problem
from segments.contract import ColumnType
from segments.models import Column, DataModel, Segment, Source
from segments.reading import read
from segments.registry import engines
from segments.sources.discovery import check, discover, refresh_columns, tables
from tests.segments.places import Place, make, run_in_sqlite

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
COLUMNS = {"id": "integer", "name": "text", "mrr": "number", "seen_at": "timestamp"}
ROWS: list[dict[str, Any]] = [
    {"id": 1, "name": "Zoë", "mrr": 12.5, "seen_at": datetime.fromisoformat("2026-03-31 13:00")},
    {"id": 2, "name": None, "mrr": 0.0, "seen_at": datetime.fromisoformat("2026-02-01 09:30")},
    {"id": 3, "name": "", "mrr": None, "seen_at": None},
]


@pytest.fixture
def place(slug: str, files: Path) -> Place:
    return make(slug, files, "companies", COLUMNS, ROWS)


@pytest.fixture
def model(place: Place) -> DataModel:
    """A model of the table, with its columns refreshed."""
    secrets = {"password": place.settings["password"]} if "password" in place.settings else {}
    config = {name: value for name, value in place.settings.items() if name not in secrets}
    source = Source.objects.create(
        name="Shop", engine=place.slug, config=config, secrets=secrets, timezone="Europe/Paris"
    )
    model = DataModel.objects.create(name="Companies", source=source, table=place.table, primary_key="id")
    refresh_columns(model)
    return model


def segment(model: DataModel, field: str, operator: str, value: Any = None) -> Segment:
    condition = {"field": field, "is": operator} | ({} if value is None else {"value": value})
    return Segment(name="Some", model=model, where={"all": [condition]})


def test_preview_has_every_column_in_natural_values(model: DataModel) -> None:
    rows = read.preview(read.selection(model), now=NOW)
    assert rows[0] == {
        "id": 1,
        "name": "Zoë",
        "mrr": 12.5,
        "seen_at": datetime(2026, 3, 31, 13, tzinfo=ZoneInfo("Europe/Paris")),
    }
    assert list(rows[0]) == list(COLUMNS)
    assert [row["name"] for row in rows] == ["Zoë", None, ""]
    assert len(read.preview(read.selection(model), now=NOW, limit=2)) == 2


def test_conditions_apply_to_count_and_preview_of_a_segment(model: DataModel) -> None:
    recent = read.selection(segment(model, "seen_at", "in_the_last", "2 hours"))
    assert read.count(recent, now=NOW) == 1
    assert [row["id"] for row in read.preview(recent, now=NOW)] == [1]
    assert read.count(read.selection(model), now=NOW) == 3


def test_days_are_those_of_the_sources_time_zone(model: DataModel) -> None:
    today = read.selection(segment(model, "seen_at", "on", "2026-03-31"))
    assert read.count(today, now=NOW) == 1


def test_stream_has_the_requested_columns_in_the_requested_order(model: DataModel) -> None:
    with read.stream(read.selection(model), ["mrr", "id"], now=NOW) as stream:
        assert stream.types == {"mrr": ColumnType.NUMBER, "id": ColumnType.INTEGER}
        assert list(stream.types) == ["mrr", "id"]
        assert stream.zone == ZoneInfo("Europe/Paris")
        batches = list(stream.batches)
    assert [batch.schema.names for batch in batches] == [["mrr", "id"]]
    assert sum(batch.num_rows for batch in batches) == 3


@pytest.mark.parametrize("columns", [["id", "gone"], ["gone"]])
def test_error_names_a_missing_column_and_what_to_do(columns: list[str], model: DataModel) -> None:
    with pytest.raises(Misconfigured) as missing, read.stream(read.selection(model), columns, now=NOW):
        pass
    assert (missing.value.code, missing.value.where) == ("column_missing", "gone")
    assert "“Companies” has no column “gone”" in missing.value.message
    assert "Restore it in the source" in missing.value.message


def test_error_reports_a_missing_column_that_a_condition_needs(model: DataModel) -> None:
    for operation in (read.count, read.preview, read.sql):
        with pytest.raises(Misconfigured) as missing:
            operation(read.selection(segment(model, "gone", "empty")), now=NOW)
        assert missing.value.code == "column_missing"


def test_sql_is_shown_with_its_values(model: DataModel) -> None:
    shown = read.sql(read.selection(segment(model, "name", "equals", "100% O'Brien")), now=NOW)
    assert shown.startswith("SELECT")
    assert "'100% O''Brien'" in shown


def test_model_of_a_query_is_read_like_a_table(model: DataModel) -> None:
    table = model.table.rpartition(".")[2]
    query = DataModel.objects.create(
        name="Rich", source=model.source, sql=f"select id, mrr from {table} where mrr > 1;", primary_key="id"
    )
    assert [info.name for info in refresh_columns(query)] == ["id", "mrr"]
    assert read.preview(read.selection(query), now=NOW) == [{"id": 1, "mrr": 12.5}]
    assert read.count(read.selection(segment(query, "mrr", "less_than", 1)), now=NOW) == 0


def test_model_without_stored_columns_is_read_by_the_columns_of_the_source(model: DataModel) -> None:
    model.columns.all().delete()
    assert read.count(read.selection(segment(model, "mrr", "greater_than", 1)), now=NOW) == 1
    assert "mrr" in read.sql(read.selection(model), now=NOW)


def test_refresh_stores_columns_in_order_and_removes_missing_ones(model: DataModel) -> None:
    kept = model.columns.get(name="id").pk
    Column.objects.create(model=model, name="vanished", type="text")
    model.columns.filter(name="name").update(type="number", position=9)
    infos = refresh_columns(model)
    assert [info.name for info in infos] == list(COLUMNS)
    assert model.column_types() == {"id": "integer", "name": "text", "mrr": "number", "seen_at": "timestamp"}
    assert list(model.column_types()) == list(COLUMNS)
    assert model.columns.get(name="id").pk == kept


def test_failed_refresh_keeps_the_stored_columns(model: DataModel) -> None:
    model.table = "nope"
    with pytest.raises(Misconfigured):
        refresh_columns(model)
    assert list(model.column_types()) == list(COLUMNS)


def test_successful_check_is_stored_on_the_source(model: DataModel) -> None:
    message = check(model.source, NOW)
    assert re.search(r"connected and signed in \(|opened the file \(", message.lower())
    assert (model.source.health, model.source.health_message, model.source.health_at) == ("ok", message, NOW)
    assert model.table in tables(model.source)


def test_failed_check_is_stored_on_the_source(model: DataModel) -> None:
    model.source.config = {**model.source.config, "path": "gone.csv", "port": 1, "host": "127.0.0.1"}
    with pytest.raises(Problem) as failed:
        check(model.source, NOW)
    assert (model.source.health, model.source.health_message) == ("failed", failed.value.message)


def test_unknown_time_zone_is_refused_with_an_example(model: DataModel) -> None:
    model.source.timezone = "Mars/Olympus"
    for operation in (lambda: check(model.source, NOW), lambda: read.count(read.selection(model), now=NOW)):
        with pytest.raises(Misconfigured, match="Europe/Paris"):
            operation()


def test_column_without_a_name_is_refused(files: Path) -> None:
    run_in_sqlite(files / "twins.sqlite3", "create table if not exists t (id integer)")
    source = Source.objects.create(name="Twins", engine="sqlite", config={"path": "twins.sqlite3"})
    with pytest.raises(Misconfigured) as refused:
        discover(source, sql='select 1 as "", 2 as x')
    assert refused.value.code == "column_name"


def test_file_with_values_that_no_longer_fit_keeps_the_types_of_its_model(files: Path) -> None:
    (files / "prices.csv").write_text("id,price\n1,10\n2,20\n")
    source = Source.objects.create(name="Prices", engine="csv", config={"path": "prices.csv"})
    model = DataModel.objects.create(name="Prices", source=source, table="prices", primary_key="id")
    refresh_columns(model)
    (files / "prices.csv").write_text("id,price\n1,10\n2,20\n3,on request\n")
    expensive = segment(model, "price", "greater_than", 15)
    assert read.preview(read.selection(expensive), now=NOW) == [{"id": 2, "price": 20}]
    assert [row["price"] for row in read.preview(read.selection(model), now=NOW)] == [10, 20, "on request"]


def test_registry_finds_the_engines() -> None:
    assert {"sqlite", "postgres", "csv", "parquet"} <= set(engines.all)
    with pytest.raises(Misconfigured, match="oracle"):
        engines["oracle"]


def test_sql_that_needs_our_own_functions_has_a_note(model: DataModel) -> None:
    shown = read.sql(read.selection(segment(model, "mrr", "at_least", 5)), now=NOW)
    assert shown.startswith("-- as_number: added by this application") == (model.source.engine == "sqlite")
    assert not read.sql(read.selection(segment(model, "name", "equals", "x")), now=NOW).startswith("--")
