"""A run has one lease holder at a time, and a previous holder can no longer write."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from activations.models import Activation, Run
from activations.runs import lease
from tests.activations.scheduling.test_periodic_tasks import activation  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(activation: Activation) -> Run:  # noqa: F811
    return Run.objects.create(activation=activation, number=1, trigger="manual")


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_held_run_can_not_be_claimed(run: Run) -> None:
    assert lease.claim(run.pk) is not None
    assert lease.claim(run.pk) is None


def test_expired_run_can_be_claimed_and_its_previous_holder_is_fenced(run: Run) -> None:
    first = lease.claim(run.pk)
    expire(run)
    second = lease.claim(run.pk)
    assert first
    assert second
    assert second.epoch == first.epoch + 1
    with pytest.raises(lease.Lost), first.fenced(accepted=5):
        pytest.fail("a fenced worker wrote")
    first.release()
    with second.fenced(accepted=1):
        pass
    assert Run.objects.get(pk=run.pk).accepted == 1


def test_ended_run_accepts_no_writes(run: Run) -> None:
    held = lease.claim(run.pk)
    assert held
    Run.objects.filter(pk=run.pk).update(state="cancelled")
    with pytest.raises(lease.Lost):
        held.renew()
    assert lease.claim(run.pk) is None


def test_failed_fenced_block_changes_nothing(run: Run) -> None:
    held = lease.claim(run.pk)
    assert held
    with pytest.raises(RuntimeError), held.fenced(accepted=9):
        raise RuntimeError
    assert Run.objects.get(pk=run.pk).accepted == 0


@pytest.mark.parametrize(
    ("age", "changes", "found"),
    [
        (0, {}, False),
        (31, {}, True),
        (31, {"owner": "x", "lease_until": 5}, False),
        (31, {"owner": "x", "lease_until": -5}, True),
        (99, {"lease_until": -5}, False),
        (99, {"lease_until": -31}, True),
        (99, {"state": "succeeded"}, False),
    ],
)
def test_sweep_finds_runs_that_no_worker_holds(run: Run, age: int, changes: dict[str, Any], found: bool) -> None:
    if isinstance(changes.get("lease_until"), int):
        changes = {**changes, "lease_until": Now() + timedelta(seconds=changes["lease_until"])}
    Run.objects.filter(pk=run.pk).update(created_at=Now() - timedelta(seconds=age), **changes)
    assert lease.abandoned() == ([run.pk] if found else [])
