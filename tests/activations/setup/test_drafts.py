"""A draft is complete and saved, but was never started: nothing starts it but a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from activations import tasks
from activations.alerts.state import issues, state_of
from activations.models import Activation, Run, Schedule
from activations.scheduling import periodic_tasks
from dinmo.workspace import export, from_database
from tests.activations.conftest import Shop, run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def draft(to_attio: Activation, shop: Shop) -> Activation:
    """A draft with a schedule."""
    shop.fill(2)
    Activation.objects.update(is_draft=True)
    activation = Activation.objects.get()
    periodic_tasks.sync(Schedule.objects.create(activation=activation, kind="interval", every=15, unit="minutes"))
    return activation


def enabled() -> bool:
    task = Schedule.objects.get().task
    assert task
    return task.enabled


def test_a_draft_is_started_by_no_schedule_and_complains_about_nothing(draft: Activation) -> None:
    state = state_of(draft, timezone.now())
    assert (state.slug, state.tone, state.next_run) == ("draft", "calm", None)
    assert not enabled()
    tasks.fire(Schedule.objects.get().pk)
    tasks.sweep()
    assert not Run.objects.exists()
    assert issues(timezone.now()) == []


@pytest.mark.parametrize("trigger", ["manual", "api", "cli"])
def test_a_run_that_a_person_starts_ends_the_draft(draft: Activation, attio: Sandbox, trigger: str) -> None:
    run(draft, trigger, only_key="1")
    run(draft, trigger, dry_run=True)
    assert (Activation.objects.get().is_draft, enabled()) == (True, False)
    assert run(draft, trigger).accepted == 1
    assert (Activation.objects.get().is_draft, enabled()) == (False, True)
    assert state_of(Activation.objects.get(), timezone.now()).slug == "on"


def test_a_draft_is_not_exported(draft: Activation) -> None:
    assert "activations:" not in export.text(from_database.read())
    periodic_tasks.start(draft)
    assert "name: To Attio" in export.text(from_database.read())


def test_a_failed_test_says_nothing_about_the_activation(to_attio: Activation, shop: Shop, attio: Sandbox) -> None:
    shop.fill(1)
    assert run(to_attio, "manual", only_key="9").state == "failed"
    assert state_of(to_attio, timezone.now()).slug == "on"
