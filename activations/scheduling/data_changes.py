"""Looks at intervals whether a source's data changed, and starts a run when it did."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from django.db import transaction

from activations.models import Run, Schedule
from activations.scheduling import outcomes
from activations.scheduling.decision import Reason
from activations.scheduling.slots import Slots
from core.errors import Problem
from segments.reading import change_signal

if TYPE_CHECKING:
    from datetime import datetime

log = logging.getLogger(__name__)
NO_SIGNAL = "The source has no change counter for this data. Choose a column that grows whenever the data changes."
_SEEN = (None, Reason.QUEUED)
"""The reasons with which a change needs no second look: a run reads the data later than the signal."""


def poll(schedule: Schedule, due_at: datetime, now: datetime) -> None:
    """Reads the signal of the data, and starts a run if it differs from the last one.

    The signal is read before the run plans. A change while it plans is therefore seen by the next look. A change that
    starts no run, because one is in progress, is seen again by the next look.
    """
    if not _claim(schedule, due_at):
        return
    activation = schedule.activation
    try:
        signal = change_signal.read(activation.rows, activation.columns, schedule.watch_column, now)
    except Problem as problem:
        log.info("The schedule %s could not look at its data: %s", schedule.pk, problem.code)
        _store(schedule, due_at, signal_problem=problem.message)
        return
    if signal is None:
        _store(schedule, due_at, signal_problem=NO_SIGNAL)
    elif signal == schedule.signal:
        _store(schedule, due_at, signal_problem="", signal_at=now)
    else:
        _react(schedule, signal, due_at, now)


@transaction.atomic
def _react(schedule: Schedule, signal: str, due_at: datetime, now: datetime) -> None:
    """Stores a new signal with the run that it starts. The first signal starts one only if there never was a run."""
    if not _store(schedule, due_at, signal_problem="", signal_at=now):
        return
    is_first = not schedule.signal
    if not is_first or not Run.objects.filter(activation=schedule.activation, **Run.WHOLE).exists():
        decision = outcomes.act(schedule, Slots(due_at, due_at, 1), None, now)
        if decision.reason not in _SEEN:
            return
    _store(schedule, due_at, signal=signal)


def _claim(schedule: Schedule, until: datetime) -> bool:
    """Whether this look is ours. A look that is lost afterwards loses nothing: the next one finds the same change."""
    unchanged = Schedule.objects.filter(pk=schedule.pk, settled_until=schedule.settled_until)
    return bool(unchanged.update(settled_until=until))


def _store(schedule: Schedule, due_at: datetime, **values: object) -> bool:
    """Stores the result of a look, unless a later look has overtaken it or the schedule was changed meanwhile."""
    return bool(Schedule.objects.filter(pk=schedule.pk, settled_until=due_at).update(**values))
