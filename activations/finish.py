"""Ends runs: every change gets an outcome, and every run a final state with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from activations.alerts import rules
from activations.delivery.drift import outcome as drift
from activations.delivery.retry import with_one_wait
from activations.models import Change, HeldPlan, Run
from activations.pauses import act as pauses
from activations.pauses.rules import failure_of
from activations.storage import bundles
from activations.storage.baseline import void
from core.errors import Problem, Unavailable
from core.failpoints import reach
from core.health import Health
from destinations.registry import platforms

if TYPE_CHECKING:
    from datetime import datetime

    from activations.runs.lease import Lease

_NOT_SENT = "The run ended before this record was sent. The next run sends it."
_NOT_COMPARED = "The dry run ended before this record was compared with the destination."
_UNKNOWN = "The run ended before the destination's answer was known. The next run sends the record again."


def complete(run: Run, lease: Lease, now: datetime) -> None:
    """Everything was delivered."""
    if run.kind == Run.Kind.DRIFT:
        with transaction.atomic():
            _end(lease, **drift.conclude(run, now))
        return
    if run.dry_run:
        _end(lease, state=Run.State.PLANNED)
        return
    # A test of one record tells nothing about the activation as a whole, and neither does what is restored.
    found = [] if run.is_partial else rules.update_warnings(run, now)
    incomplete = found or run.rejected or run.invalid or run.unknown or run.not_sent or run.waiting or run.incomplete
    state = Run.State.COMPLETED_WITH_WARNINGS if incomplete else Run.State.SUCCEEDED
    with transaction.atomic():
        _end(lease, state=state, found_warnings=found)
        pauses.recovered(run, now)


def fail(run: Run, lease: Lease, problem: Problem, now: datetime) -> None:
    """The run can't continue; what was accepted stays accepted. If the next run would fail too, the system pauses."""
    code, message, continue_at = problem.code, problem.message, None
    if isinstance(problem, Unavailable):
        continue_at = with_one_wait(problem, now).not_before
        code, message = "unavailable", message if run.dry_run else _continues(run, message, continue_at)
    source_works = run.activation.data_model.source.health != Health.State.FAILED
    failure = failure_of(problem, source_works=source_works)
    found = {"problem_code": problem.code, "culprit": failure.culprit, "continue_at": continue_at}
    with transaction.atomic():
        _end_failed(run, lease, now, code, message, **found)
        pauses.pause_after(run, failure, now)


def _continues(run: Run, message: str, continue_at: datetime | None) -> str:
    """Adds to the message of an outage when the rest is sent."""
    later = "with the next run" if run.activation.paused else "automatically in a later run"
    if continue_at:
        label = platforms[run.activation.destination.connection.platform].label
        message = f"{message} {label} accepts no more requests until {continue_at:%Y-%m-%d %H:%M} UTC."
        later = "with the next run after that" if run.activation.paused else "automatically then"
    return f"{message} What was accepted is kept, and the rest is sent {later}."


def cancel(run: Run, lease: Lease, now: datetime, message: str = "") -> None:
    """A person cancelled the run, or discarded its plan. `message`: why it ended, if it is neither of these."""
    if not message and run.decision == Run.Decision.DISCARDED:
        message = f"Discarded by {run.decided_by}. Nothing was sent."
    kept = "Nothing was sent." if run.dry_run else "What was accepted stays accepted."
    message = message or f"Cancelled by a person. {kept}"
    _end_early(run, lease, now, state=Run.State.CANCELLED, error_message=message)


def fail_on_defect(run: Run, lease: Lease, now: datetime) -> None:
    """A defect of ours ended the run."""
    kept = "Nothing was sent." if run.dry_run else "What was accepted is kept."
    message = f"An internal error ended the run. See the log for details. {kept}"
    _end_failed(run, lease, now, "defect", message)


def settle_rest(run: Run, lease: Lease, now: datetime) -> None:
    """Settles pending changes as not sent, and those that may have been sent as unknown, with their baseline voided."""
    uncounted = bundles.list_rest(run, lease)
    unsettled = Change.objects.filter(run=run).exclude(state=Change.State.SETTLED)
    if run.dry_run:
        with lease.fenced():
            rest = _settle(unsettled, Change.Outcome.NOT_SENT, _NOT_COMPARED, now) + uncounted
            lease.update(not_sent=F("not_sent") + rest)
        return
    slots = dict(run.activation.mappings.values_list("target", "slot"))
    sending = list(unsettled.filter(state=Change.State.SENDING))
    with lease.fenced(unknown=F("unknown") + len(sending)):
        for change in sending:
            assert run.generation_id is not None
            void(run.generation_id, change.key_digest, change.changed, slots)
        _settle(unsettled.filter(state=Change.State.SENDING), Change.Outcome.UNKNOWN, _UNKNOWN, now)
        pending = _settle(unsettled.filter(state=Change.State.PENDING), Change.Outcome.NOT_SENT, _NOT_SENT, now)
        lease.update(not_sent=F("not_sent") + pending + uncounted)
        HeldPlan.objects.filter(run=run).delete()


def _settle(changes: Any, outcome: str, message: str, now: datetime) -> int:
    settled: int = changes.update(state=Change.State.SETTLED, outcome=outcome, code="", message=message, settled_at=now)
    return settled


def _end_failed(run: Run, lease: Lease, now: datetime, code: str, message: str, **changes: Any) -> None:
    with transaction.atomic():
        found = [] if run.only_key else rules.warn_of_failure(run, code, message, now)
        changes |= {"error_code": code, "error_message": message, "found_warnings": found}
        _end_early(run, lease, now, state=Run.State.FAILED, **changes)


def _end_early(run: Run, lease: Lease, now: datetime, **changes: Any) -> None:
    """Settles the rest and ends the run in one transaction.

    If a worker died between the two, the next one would find nothing left to deliver and complete the run.
    """
    with transaction.atomic():
        settle_rest(run, lease, now)
        _end(lease, **changes)


def _end(lease: Lease, **changes: Any) -> None:
    reach("in_finish")
    lease.end(finished_at=timezone.now(), **changes)
