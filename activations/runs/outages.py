"""Continues what an outage of the vendor or the source cut short, and waits as long as the vendor asked for."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from activations.models import Activation, Run
from activations.runs import requests
from core.http import LONGEST_WAIT_SECONDS

CONTINUE_AFTER = timedelta(minutes=2)
CONTINUE_AT_MOST = timedelta(hours=1)
CONTINUE_WITHIN = timedelta(seconds=LONGEST_WAIT_SECONDS + 60)
"""A moment later than this is none that a vendor could have requested: the clock was set back since."""


def continue_later(now: datetime) -> list[Run]:
    """Queues a run for each activation whose last one was cut short, or was requested during a one-record run.

    After an outage of the vendor or the source, the wait doubles with each such failure in a row, from two minutes to
    an hour. If the vendor said when it accepts requests again, the run starts then.
    """
    started = []
    for activation in Activation.objects.filter(paused=False, is_draft=False, system_pause=None):
        latest = list(Run.objects.filter(activation=activation, dry_run=False).order_by("-pk")[:6])
        whole = [run for run in latest if not run.is_partial]
        if was_kept_waiting(latest) or is_due_to_continue(whole, now):
            with suppress(requests.Held):
                started.append(requests.request(activation, Run.Trigger.CATCH_UP))
    return started


def was_kept_waiting(latest: list[Run]) -> bool:
    """PURE. Whether the first of these runs, newest first, was a one-record run that other requests waited for."""
    return bool(latest) and latest[0].is_partial and latest[0].missed_firings > 0 and not latest[0].is_live


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
    return Run.objects.filter(activation=activation, **Run.WHOLE).order_by("-pk").first()
