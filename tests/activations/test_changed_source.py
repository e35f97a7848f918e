"""A source whose columns changed: noticed before a run, shown on the model, and a pause until it is fixed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from activations import tasks
from activations.models import Activation, Run, Schedule
from activations.pauses.check import check_now
from activations.runs import dispatch
from activations.setup import holds
from segments.models import DataModel
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, map_fields, run, segment, writes
from tests.activations.scheduling.clock import make_due

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def schedule(to_attio: Activation, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Schedule:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    shop.fill(3)
    return Schedule.objects.create(activation=to_attio, every=15)


def fire(schedule: Schedule) -> Run | None:
    """Fires the schedule. Returns the run that this started, if any."""
    make_due(schedule)
    before = Run.objects.count()
    tasks.fire(schedule.pk)
    return Run.objects.latest("pk") if Run.objects.count() > before else None


def test_run_fails_before_planning_and_schedules_wait_until_the_source_is_fixed(
    schedule: Schedule, shop: Shop, attio: Sandbox
) -> None:
    shop.run("alter table companies rename column description to about")
    failed = run(schedule.activation)
    assert (failed.state, failed.error_code, failed.rows) == ("failed", "source_changed", 0)
    assert "“description” is gone (possibly renamed to “about”)" in failed.error_message
    assert not writes(attio)
    assert "“description” is gone" in DataModel.objects.get().problem
    assert "“description” is gone" in holds.reason(Activation.objects.get())
    assert fire(schedule) is None
    shop.run("alter table companies rename column about to description")
    assert fire(schedule) is None, "the sweep checks, not the schedule"
    assert check_now(Activation.objects.get(), timezone.now())
    assert Run.objects.latest("pk").trigger == "catch_up"
    assert (holds.reason(Activation.objects.get()), DataModel.objects.get().problem) == ("", "")


def test_missing_column_pauses_only_its_own_activation(schedule: Schedule, shop: Shop, to_intercom: Activation) -> None:
    shop.run("alter table companies drop column plan")
    assert run(to_intercom).error_code == "source_changed"
    assert "“plan” is gone" in DataModel.objects.get().problem
    assert holds.reason(Activation.objects.get(name="To Intercom"))
    assert holds.reason(Activation.objects.get(name="To Attio")) == ""
    assert run(schedule.activation).state == "succeeded"


def test_missing_column_of_the_segment_or_missing_table_fails_the_run(
    to_attio: Activation, companies: DataModel, shop: Shop
) -> None:
    shop.fill(3)
    Activation.objects.update(model=None, segment=segment(companies, {"field": "seats", "is": "at_least", "value": 2}))
    activation = Activation.objects.get()
    assert run(activation).rows == 2
    shop.run("alter table companies drop column seats")
    assert run(activation).error_code == "source_changed"
    shop.run("drop table companies")
    assert run(activation).error_code == "table_missing"
    assert "no table" in holds.reason(Activation.objects.get())


def test_column_that_was_dropped_and_added_again_is_the_same(schedule: Schedule, shop: Shop) -> None:
    run(schedule.activation)
    shop.run("alter table companies drop column description")
    shop.run("alter table companies add column description text")
    again = run(schedule.activation)
    assert (again.state, again.planned) == ("succeeded", 0)


def test_column_with_a_new_type_is_unchanged_once_the_columns_are_read_again(
    staff: Client, to_intercom: Activation, companies: DataModel, shop: Shop
) -> None:
    map_fields(to_intercom, {"column": "seats", "target": "size"})
    shop.fill(3)
    assert run(to_intercom).state == "succeeded"
    shop.run("alter table companies rename column seats to before")
    shop.run("alter table companies add column seats text")
    shop.run("update companies set seats = before")
    failed = run(to_intercom)
    assert "the type of the column “seats” changed from integer to text" in failed.error_message
    refresh_columns(companies)
    again = run(to_intercom)
    assert (again.state, again.planned, again.unchanged) == ("succeeded", 0, 3)


def test_keys_that_become_floating_point_numbers_are_the_same_records(
    to_attio: Activation, companies: DataModel, shop: Shop
) -> None:
    """As when a program writes 1 as 1.0, because another row has no number."""
    shop.fill(3)
    assert run(to_attio).state == "succeeded"
    shop.run("alter table companies rename to before")
    shop.run(
        "create table companies "
        "(id real primary key, name text, domain text, description text, plan text, seats integer)"
    )
    shop.run("insert into companies select * from before")
    refresh_columns(companies)
    again = run(to_attio)
    assert (again.state, again.planned, again.rows) == ("succeeded", 0, 3)
