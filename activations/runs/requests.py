"""Requests and cancels runs, and continues those that an outage of the vendor or the source cut short."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from activations.models import Activation, Change, Record, Run
from activations.runs import dispatch
from core.errors import Misconfigured
from core.http import LONGEST_WAIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import Schedule

CONTINUE_AFTER = timedelta(minutes=2)
CONTINUE_AT_MOST = timedelta(hours=1)
CONTINUE_WITHIN = timedelta(seconds=LONGEST_WAIT_SECONDS + 60)
"""A moment later than this is none that a vendor could have requested: the clock was set back since."""
BY_HAND = "Requested by a person"
BY_PERSON = (Run.Trigger.MANUAL, Run.Trigger.CLI, Run.Trigger.API)


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
    enqueue: bool = True,
    only_key: str = "",
) -> Run:
    """Queues a run, or returns the live one. If a schedule fires while a run is live, the run counts that firing.

    A held run is not live, and prevents others: its plan would be about records that have been sent since.

    A live run with a different `only_key` than requested is not the requested run, so compare it. A run of all records
    that is requested while a one-record run is live starts once that one has ended (see `continue_later`).

    Args:
        trigger: a value of `Run.Trigger`.
        full: send every mapped field of every record again. A live run that is still queued becomes a full one.
        dry_run: plan only. Nothing is sent, and the baseline stays as it is. Dry runs ignore live runs.
        enqueue: hand the run to the workers. If false, the caller executes it.
        only_key: send only the record with this key, as a test.

    Raises:
        Held: a run of the activation waits for approval. Dry runs start all the same.
        Misconfigured: no record can have such a key.
    """
    check_key(only_key)
    open_run = None if dry_run else _open_run(activation)
    if open_run is None:
        try:
            return _create(activation, trigger, full, dry_run, enqueue, only_key)
        except IntegrityError:
            open_run = _open_run(activation)
            if open_run is None:
                raise
    if open_run.state == Run.State.HELD:
        raise Held(open_run)
    _join(open_run, trigger, full, only_key)
    return open_run


def start_due(
    activation: Activation, trigger: str, *, schedule: Schedule | None = None, due_at: datetime | None = None
) -> Run | None:
    """Queues a run that is due; None if one is open, or the slot has a run already.

    Args:
        schedule: the schedule whose slot it is.
        due_at: the slot.
    """
    try:
        return _create(activation, trigger, False, False, True, "", schedule=schedule, due_at=due_at)
    except IntegrityError:
        is_open = Run.objects.filter(activation=activation, state__in=Run.OPEN, dry_run=False).exists()
        if is_open or Run.objects.filter(schedule=schedule, due_at=due_at, schedule__isnull=False).exists():
            return None
        raise


def check_key(key: str) -> None:
    """Raises Misconfigured if the key of a one-record run is too long, or no text that every database can store."""
    if len(key) > LONGEST_KEY or "\0" in key or key != key.encode("utf-8", "replace").decode():
        raise Misconfigured("record_absent", f"Enter a key of at most {LONGEST_KEY:,} characters.")


def _join(live: Run, trigger: str, full: bool, only_key: str) -> None:
    """Notes on the live run what was requested meanwhile."""
    is_test = bool(live.only_key)
    queued = Run.objects.filter(pk=live.pk, state=Run.State.QUEUED)
    if full and is_test == bool(only_key) and queued.update(kind=Run.Kind.FULL, reason=BY_HAND):
        live.kind = Run.Kind.FULL
    if trigger in (Run.Trigger.SCHEDULE, Run.Trigger.CATCH_UP) or (is_test and not only_key):
        Run.objects.filter(pk=live.pk).update(missed_firings=F("missed_firings") + 1)


def retry_now(run: Run, trigger: str = Run.Trigger.MANUAL) -> Retried:
    """Starts a run that sends what this run could not send, whatever the back-off. See `make_due`.

    Args:
        trigger: a value of `Run.Trigger`.
    """
    records = make_due(run)
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
    run = _open_run(activation)
    return run if run and run.is_live else None


def held_run(activation: Activation) -> Run | None:
    """The run of the activation that waits for approval."""
    run = _open_run(activation)
    return run if run and not run.is_live else None


def _open_run(activation: Activation) -> Run | None:
    return Run.objects.filter(activation=activation, state__in=Run.OPEN, dry_run=False).first()


def cancel(run: Run) -> None:
    """Cancels a live run. It ends within seconds, and what was accepted stays accepted."""
    Run.objects.filter(pk=run.pk, state__in=Run.LIVE).update(cancel_requested=True)
    dispatch.enqueue_on_commit(run.pk)


def continue_later(now: datetime) -> list[Run]:
    """Queues a run for each activation whose last one was cut short, or was requested during a one-record run.

    After an outage of the vendor or the source, the wait doubles with each such failure in a row, from two minutes to
    an hour. If the vendor said when it accepts requests again, the run starts then.
    """
    started = []
    for activation in Activation.objects.filter(paused=False, is_draft=False, system_pause=None):
        latest = list(Run.objects.filter(activation=activation, dry_run=False).order_by("-pk")[:6])
        whole = [run for run in latest if not run.only_key]
        if was_kept_waiting(latest) or is_due_to_continue(whole, now):
            with suppress(Held):
                started.append(request(activation, Run.Trigger.CATCH_UP))
    return started


def was_kept_waiting(latest: list[Run]) -> bool:
    """PURE. Whether the first of these runs, newest first, was a one-record run that other requests waited for."""
    return bool(latest) and bool(latest[0].only_key) and latest[0].missed_firings > 0 and not latest[0].is_live


def is_due_to_continue(latest: list[Run], now: datetime) -> bool:
    """PURE. Whether the first of these runs, newest first, failed as unavailable, and the wait after it is over."""
    failures = 0
    for run in latest:
        if run.state != Run.State.FAILED or run.error_code != "unavailable":
            break
        failures += 1
    if not failures or latest[0].finished_at is None:
        return False
    if latest[0].continue_at:
        return not must_wait(latest[0], now)
    elapsed = now - latest[0].finished_at
    # A negative time means that the clock was set back.
    return elapsed >= min(CONTINUE_AFTER * 2 ** (failures - 1), CONTINUE_AT_MOST) or elapsed < timedelta(0)


def must_wait(latest: Run | None, now: datetime) -> bool:
    """PURE. Whether no run may start yet, because in the latest one the vendor said when it accepts requests again."""
    if latest is None or latest.state != Run.State.FAILED or latest.continue_at is None:
        return False
    return now < latest.continue_at <= now + CONTINUE_WITHIN


def latest_run(activation: Activation) -> Run | None:
    """The latest run of all records that is not a dry run."""
    return Run.objects.filter(activation=activation, dry_run=False, only_key="").order_by("-pk").first()


def _create(
    activation: Activation, trigger: str, full: bool, dry_run: bool, enqueue: bool, only_key: str, **slot: Any
) -> Run:
    with transaction.atomic():
        run = Run.objects.create(
            activation=activation,
            number=activation.number_of_next_run() if dry_run else activation.take_number("next_run_number"),
            trigger=trigger,
            kind=Run.Kind.FULL if full else Run.Kind.DELTA,
            reason=BY_HAND if full else "",
            dry_run=dry_run,
            only_key=only_key,
            **slot,
        )
        if enqueue:
            dispatch.enqueue_on_commit(run.pk)
    return run
