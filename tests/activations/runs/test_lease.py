"""The lease: one holder at a time, and a former one can write nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now

from activations.models import Activation, Run
from activations.runs import lease
from tests.activations.setup.test_schedules import activation  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(activation: Activation) -> Run:  # noqa: F811
    return Run.objects.create(activation=activation, number=1, trigger="manual")


def expire(run: Run) -> None:
    Run.objects.filter(pk=run.pk).update(lease_until=Now() - timedelta(seconds=1))


def test_a_held_run_can_not_be_claimed(run: Run) -> None:
    assert lease.claim(run.pk) is not None
    assert lease.claim(run.pk) is None


def test_an_expired_one_can_and_the_former_holder_is_fenced(run: Run) -> None:
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


def test_an_ended_run_takes_no_writes(run: Run) -> None:
    held = lease.claim(run.pk)
    assert held
    Run.objects.filter(pk=run.pk).update(state="cancelled")
    with pytest.raises(lease.Lost):
        held.renew()
    assert lease.claim(run.pk) is None


def test_what_fails_inside_a_fenced_block_leaves_nothing(run: Run) -> None:
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
def test_the_sweep_finds_what_nobody_works_on(run: Run, age: int, changes: dict[str, Any], found: bool) -> None:
    if isinstance(changes.get("lease_until"), int):
        changes = {**changes, "lease_until": Now() + timedelta(seconds=changes["lease_until"])}
    Run.objects.filter(pk=run.pk).update(created_at=Now() - timedelta(seconds=age), **changes)
    assert lease.abandoned() == ([run.pk] if found else [])
