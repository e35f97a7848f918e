"""Ends runs: every change gets an outcome, every run a state and a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from activations.alerts import rules
from activations.models import Change, Run
from activations.runs.lease import Lease, Lost
from activations.storage import bundles
from activations.storage.baseline import void
from core.errors import Problem, Unavailable
from core.failpoints import reach

if TYPE_CHECKING:
    from datetime import datetime

_NOT_SENT = "The run ended before this record was sent. The next run takes it up."
_UNKNOWN = "The run ended before the destination's answer was known. The next run sends the record again."


def complete(run: Run, lease: Lease, now: datetime) -> None:
    """Everything was delivered."""
    opened = rules.update(run, now)
    troubled = opened or run.rejected or run.invalid or run.unknown or run.not_sent or run.waiting
    _end(run, lease, now, state=Run.State.COMPLETED_WITH_WARNINGS if troubled else Run.State.SUCCEEDED)


def fail(run: Run, lease: Lease, problem: Problem, now: datetime) -> None:
    """The run can't go on; what was accepted stays accepted."""
    code, message = problem.code, problem.message
    if isinstance(problem, Unavailable):
        later = "with the next run" if run.activation.paused else "by itself in a later run"
        code, message = "unavailable", f"{message} What was accepted is kept, and the rest goes on {later}."
    _end_early(run, lease, now, state=Run.State.FAILED, error_code=code, error_message=message)


def cancel(run: Run, lease: Lease, now: datetime) -> None:
    """A person asked for the end."""
    _end_early(
        run,
        lease,
        now,
        state=Run.State.CANCELLED,
        error_message="Cancelled by a person. What was accepted stays accepted.",
    )


def break_off(run: Run, lease: Lease, now: datetime) -> None:
    """A defect of ours ended it."""
    message = "An error in this program ended the run; the log tells more. What was accepted is kept."
    _end_early(run, lease, now, state=Run.State.FAILED, error_code="defect", error_message=message)


def count(lease: Lease, requests: dict[str, int]) -> None:
    """Adds requests to the run's counters, also after its end; not where another worker holds it."""
    if requests:
        mine = Run.objects.filter(pk=lease.run_id, epoch=lease.epoch)
        mine.update(**{name: F(name) + number for name, number in requests.items()})


def settle_rest(run: Run, lease: Lease, now: datetime) -> None:
    """What was not sent is not sent; what may have been sent is unknown, and its baseline is void."""
    slots = dict(run.activation.mappings.values_list("target", "slot"))
    uncounted = bundles.list_rest(run, lease)
    unsettled = Change.objects.filter(run=run)
    sending = list(unsettled.filter(state=Change.State.SENDING))
    with lease.fenced(unknown=F("unknown") + len(sending)):
        for change in sending:
            assert run.generation_id is not None
            void(run.generation_id, change.key_digest, change.changed, slots)
        _settle(unsettled.filter(state=Change.State.SENDING), Change.Outcome.UNKNOWN, _UNKNOWN, now)
        pending = _settle(unsettled.filter(state=Change.State.PENDING), Change.Outcome.NOT_SENT, _NOT_SENT, now)
        Run.objects.filter(pk=run.pk).update(not_sent=F("not_sent") + pending + uncounted)


def _settle(changes: Any, outcome: str, message: str, now: datetime) -> int:
    settled: int = changes.update(state=Change.State.SETTLED, outcome=outcome, code="", message=message, settled_at=now)
    return settled


def _end_early(run: Run, lease: Lease, now: datetime, **changes: Any) -> None:
    """Settles the rest and ends the run at once: a worker that dies between the two would leave a run that looks complete."""
    with transaction.atomic():
        settle_rest(run, lease, now)
        _end(run, lease, now, **changes)


def _end(run: Run, lease: Lease, _now: datetime, **changes: Any) -> None:
    """The one fenced step out of the live states."""
    reach("in_finish")
    mine = Run.objects.filter(pk=run.pk, owner=lease.owner, epoch=lease.epoch, state__in=Run.LIVE)
    if not mine.update(finished_at=timezone.now(), owner="", lease_until=None, **changes):
        raise Lost
