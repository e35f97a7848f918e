"""Requests and cancels runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from activations.models import Activation, Change, Record, Run
from activations.runs import dispatch
from core.audit import Verb, announce
from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator

BY_HAND = "Requested by a person"
BY_PERSON = (Run.Trigger.MANUAL, Run.Trigger.CLI, Run.Trigger.API)
REQUESTED = (*BY_PERSON, Run.Trigger.TOKEN)
RETRY_CHUNK = 5_000
LONGEST_KEY = 1_000
"""In characters, of the key of a one-record run. It is shown wherever the run is."""


class Held(Misconfigured):
    """No run can start, because one of the activation waits for approval.

    Args:
        run: the run that is held.
    """

    def __init__(self, run: Run) -> None:
        super().__init__(
            "run_held",
            f"Run {run.number} waits for approval. Approve or discard it first. Until then, no other run starts.",
        )
        self.run = run


@dataclass(frozen=True)
class Retried:
    """What a retry started.

    Args:
        records: how many records are due now that waited for a retry.
        run: the run that sends them; None if there are none. If a run was already live, it is that one, and the
            records are due in the next run.
    """

    records: int
    run: Run | None


def request(
    activation: Activation,
    trigger: str,
    *,
    full: bool = False,
    dry_run: bool = False,
    live: bool = False,
    enqueue: bool = True,
    only_key: str = "",
) -> Run:
    """Queues a run, or returns the live one. If a schedule fires while a run is live, the run counts that firing.

    A held run is not live, and prevents others: its plan would be about records that have been sent since. A run with a
    different `only_key` is not the requested one. If all records are requested meanwhile, see `outages.continue_later`.

    Args:
        trigger: a value of `Run.Trigger`.
        full: send every mapped field of every record again. A live run that is still queued becomes a full one.
        dry_run: nothing is sent, and the baseline stays as it is. Dry runs ignore live runs.
        live: of a dry run, compare each change with the destination.
        enqueue: hand the run to the workers. If false, the caller executes it.
        only_key: send only the record with this key, as a test.

    Raises:
        Held: a run waits for approval. Dry runs start all the same.
        Misconfigured: no record can have such a key.
    """
    check_key(only_key)
    run = None if dry_run else open_run(activation)
    if run is None:
        try:
            return create(activation, trigger, full, dry_run, enqueue, only_key, live=dry_run and live)
        except IntegrityError:
            run = open_run(activation)
            if run is None:
                raise
    if run.state == Run.State.HELD:
        raise Held(run)
    _join(run, trigger, full, only_key)
    return run


def check_key(key: str) -> None:
    """Raises Misconfigured if the key of a one-record run is too long, or no text that every database can store."""
    if len(key) > LONGEST_KEY or "\0" in key or key != key.encode("utf-8", "replace").decode():
        raise Misconfigured("record_absent", f"Enter a key of at most {LONGEST_KEY:,} characters.")


def _join(live: Run, trigger: str, full: bool, only_key: str) -> None:
    """Notes on the live run what was requested meanwhile."""
    is_partial = live.is_partial
    queued = Run.objects.filter(pk=live.pk, state=Run.State.QUEUED)
    if full and is_partial == bool(only_key) and queued.update(kind=Run.Kind.FULL, reason=BY_HAND):
        live.kind = Run.Kind.FULL
    if trigger in (Run.Trigger.SCHEDULE, Run.Trigger.CATCH_UP) or (is_partial and not only_key):
        Run.objects.filter(pk=live.pk).update(missed_firings=F("missed_firings") + 1)


def retry_now(run: Run, trigger: str = Run.Trigger.MANUAL) -> Retried:
    """Starts a run that sends what this run could not send, whatever the back-off. See `make_due`.

    Args:
        trigger: a value of `Run.Trigger`.
    """
    records = make_due(run)
    if records:
        announce(Verb.RETRIED, run, {"Records": ("", f"{records:,}")}, run=run.pk)
    return Retried(records, request(run.activation, trigger) if records else None)


def make_due(run: Run) -> int:
    """Makes the records that this run could not send due in the next run, whatever their back-off.

    Those are the records that it rejected, that can't be sent as they are, and whose outcome is unknown, unless they
    have been accepted since. Returns their number.
    """
    now = timezone.now()
    due = _always_due(run)
    for digests in _rejected(run):
        waiting = Record.objects.filter(generation=run.generation_id, key_digest__in=digests)
        due += waiting.filter(tried=Record.Tried.REJECTED).update(retry_at=now)
    return due


def _always_due(run: Run) -> int:
    """How many records are due in every run: those that are invalid or unknown, unless they were accepted since."""
    later = Record.objects.filter(
        generation=run.generation_id, key_digest=OuterRef("key_digest"), accepted_at__gt=OuterRef("settled_at")
    )
    outcomes = (Change.Outcome.INVALID, Change.Outcome.UNKNOWN)
    return run.changes.filter(~Exists(later), state=Change.State.SETTLED, outcome__in=outcomes).count()


def _rejected(run: Run) -> Iterator[list[int]]:
    """The digests of the keys of rejected records, in chunks, so that no statement holds its locks for long."""
    rejected = run.changes.filter(state=Change.State.SETTLED, outcome=Change.Outcome.REJECTED).order_by("pk")
    last = 0
    while rows := list(rejected.filter(pk__gt=last).values_list("pk", "key_digest")[:RETRY_CHUNK]):
        last = rows[-1][0]
        yield [digest for _, digest in rows]


def live_run(activation: Activation) -> Run | None:
    """The run of the activation that is queued, planning or delivering."""
    run = open_run(activation)
    return run if run and run.is_live else None


def held_run(activation: Activation) -> Run | None:
    """The run of the activation that waits for approval."""
    run = open_run(activation)
    return run if run and not run.is_live else None


def open_run(activation: Activation) -> Run | None:
    """The run of the activation that is live or waits for approval."""
    return Run.objects.filter(activation=activation, state__in=Run.OPEN, dry_run=False).first()


def cancel(run: Run) -> None:
    """Cancels a live run. It ends within seconds, and what was accepted stays accepted."""
    if Run.objects.filter(pk=run.pk, state__in=Run.LIVE, cancel_requested=False).update(cancel_requested=True):
        announce(Verb.CANCELLED, run, {"Run": ("", f"{run.number}")}, run=run.pk)
    dispatch.enqueue_on_commit(run.pk)


def create(
    activation: Activation, trigger: str, full: bool, dry_run: bool, enqueue: bool, only_key: str, **columns: Any
) -> Run:
    """Creates a run, whether one is open or not.

    Args:
        columns: further columns of the run, such as those of the slot of a schedule.

    Raises:
        IntegrityError: one is open.
    """
    with transaction.atomic():
        number = activation.number_of_next_run() if dry_run else activation.take_number("next_run_number")
        kind, reason = (Run.Kind.FULL, BY_HAND) if full else (Run.Kind.DELTA, "")
        usual = {"kind": kind, "reason": reason, "dry_run": dry_run, "only_key": only_key}
        run = Run.objects.create(activation=activation, number=number, trigger=trigger, **{**usual, **columns})
        _announce(run)
        if enqueue:
            dispatch.enqueue_on_commit(run.pk)
    return run


def _announce(run: Run) -> None:
    """Only what somebody requests: runs that schedules start are listed among the runs."""
    if run.trigger in REQUESTED and run.only_fields is None:
        kind = "Dry run" if run.dry_run and run.kind != Run.Kind.DRIFT else run.get_kind_display()
        announce(Verb.RAN, run, {"Run": ("", f"{run.number}"), "Kind": ("", kind)}, run=run.pk)
