"""The reporting views and their Parquet files: stable columns, no values, and the numbers of the runs."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from activations.models import Activation, Change, Run
from dinmo.reporting import installed
from dinmo.reporting.export import export
from dinmo.reporting.views import VIEWS
from tests.activations.conftest import attio as attio
from tests.activations.conftest import companies as companies
from tests.activations.conftest import fast_services as fast_services
from tests.activations.conftest import run
from tests.activations.conftest import shop as shop
from tests.activations.conftest import to_attio as to_attio

if TYPE_CHECKING:
    from pathlib import Path

    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = django_settings.BASE_DIR / "docs/reporting.md"


def query(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def test_views_report_what_the_run_counted(shop: Shop, to_attio: Activation) -> None:
    shop.fill(4)
    shop.add((5, "No domain", None, "", "", 1))
    done = run(to_attio)
    assert query("SELECT activation, number, state, rows_read, accepted, invalid FROM reporting_runs") == [
        ("To Attio", 1, done.state, 5, 4, 1)
    ]
    assert sorted(query("SELECT outcome, records FROM reporting_outcomes")) == [("accepted", 4), ("invalid", 1)]
    assert query("SELECT count(*), count(DISTINCT record_digest) FROM reporting_changes") == [(5, 5)]
    assert query("SELECT activation, model, source, service FROM reporting_activations") == [
        ("To Attio", "Companies", "Shop", "attio.companies")
    ]


def test_views_have_no_values_and_no_keys(one_of_each: Activation) -> None:
    Change.objects.update(key="jane@example.com", name="Jane", values={"x": "Jane"}, message="Jane is wrong")
    for view in VIEWS:
        assert "ane" not in str(query(f"SELECT * FROM {view.name}"))


def test_previews_of_a_request_are_left_out(one_of_each: Activation, staff: Any) -> None:
    Run.objects.update(previewed_by=User.objects.get())
    assert query("SELECT * FROM reporting_runs") == query("SELECT * FROM reporting_changes") == []


def test_files_have_the_rows_of_the_views(shop: Shop, to_attio: Activation, tmp_path: Path) -> None:
    shop.fill(3)
    run(to_attio)
    call_command("report", to=tmp_path / "out")
    written = {path.name: pq.read_table(path) for path in (tmp_path / "out").iterdir()}
    assert {name: table.num_rows for name, table in written.items()} == {
        "activations.parquet": 1,
        "runs.parquet": 1,
        "changes.parquet": 3,
        "outcomes.parquet": 1,
    }
    (row,) = written["runs.parquet"].to_pylist()
    assert (row["accepted"], row["is_dry_run"], row["created_at"]) == (3, False, Run.objects.get().created_at)
    assert not {"key", "name", "values"} & set(written["changes.parquet"].column_names)


def test_values_are_written_only_on_request(shop: Shop, to_attio: Activation, tmp_path: Path) -> None:
    shop.fill(1)
    run(to_attio)
    export(tmp_path, None, with_values=True)
    (row,) = pq.read_table(tmp_path / "changes.parquet").to_pylist()
    assert row["key"] == "1"
    assert "Company 1" in row["values"]


def test_since_leaves_out_earlier_runs(one_of_each: Activation, tmp_path: Path) -> None:
    Run.objects.update(created_at=datetime(2026, 1, 31, tzinfo=UTC))
    rows = {"activations.parquet": 1, "runs.parquet": 1, "changes.parquet": 1, "outcomes.parquet": 0}
    assert export(tmp_path, datetime(2026, 1, 31, tzinfo=UTC), with_values=False) == rows
    later = export(tmp_path, datetime(2026, 2, 1, tzinfo=UTC), with_values=True)
    assert later == {**rows, "runs.parquet": 0, "changes.parquet": 0}


def test_views_are_there_again_after_a_migration_of_their_tables() -> None:
    installed.before_migrations(plan=[object()])
    with pytest.raises(Exception, match="reporting_runs"):
        query("SELECT * FROM reporting_runs")
    installed.after_migrations(plan=[object()])
    assert query("SELECT * FROM reporting_runs") == []


def test_every_column_is_documented_and_every_documented_query_works(one_of_each: Activation) -> None:
    text = PAGE.read_text()
    for view in VIEWS:
        section = text.partition(f"### `{view.name}`")[2].partition("\n### ")[0]
        assert re.findall(r"^\| `(\w+)`", section, re.MULTILINE) == [name for name, _, _ in view.columns]
    queries = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert len(queries) >= 3
    for sql in queries:
        query(sql)


def test_moments_are_read_with_their_zone(one_of_each: Activation, tmp_path: Path) -> None:
    Change.objects.update(settled_at=timezone.now(), state="settled")
    export(tmp_path, None, with_values=False)
    (row,) = pq.read_table(tmp_path / "outcomes.parquet").to_pylist()
    assert row["last_settled_at"] == Change.objects.get().settled_at
