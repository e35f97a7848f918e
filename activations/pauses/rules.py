"""PURE. What made a run fail, whether that pauses its activation, and when the cause is checked again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from core.errors import Misconfigured, Problem, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

SOURCE, CONNECTION, CONFIGURATION = "source", "connection", "configuration"
"""The values of `SystemPause.Cause`."""
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15, 60))
"""Before the first check of a cause, the second, and so on. The last one repeats."""


@dataclass(frozen=True)
class Failure:
    """Why a run failed.

    Args:
        culprit: what has to work again; "" if it is nothing that a pause would wait for, such as a defect of ours.
        is_outage: the same run may work later, without anybody changing anything.
    """

    culprit: str
    code: str
    message: str
    is_outage: bool = False


def failure_of(problem: Problem, *, source_works: bool) -> Failure:
    """What a problem that ended a run was about.

    Args:
        source_works: the test of the source after the failure succeeded. A query that the source refuses is then a
            matter of the model or the segment.
    """
    return Failure(_culprit(problem, source_works), problem.code, problem.message, isinstance(problem, Unavailable))


def _culprit(problem: Problem, source_works: bool) -> str:
    if isinstance(problem, Unavailable):
        return problem.origin
    if not isinstance(problem, Misconfigured):
        return ""
    if problem.origin == CONNECTION:
        return CONNECTION
    return SOURCE if problem.origin == SOURCE and not source_works else CONFIGURATION


def pauses(failure: Failure, failures: int, limit: int) -> bool:
    """Whether the failure pauses its activation.

    What only a person can correct does so immediately. A source that can't be reached gets `limit` tries, and a
    destination that can't be reached any number of them: its runs continue automatically.

    Args:
        failures: how many runs in a row failed for the same reason, including this one.
    """
    if not failure.is_outage:
        return bool(failure.culprit)
    return failure.culprit == SOURCE and failures >= limit


def in_a_row(culprits: Iterable[str], culprit: str) -> int:
    """How many of the latest runs failed because of `culprit`, until the first that did not.

    Args:
        culprits: of the runs, newest first; "" for a run that did not fail because of one.
    """
    number = 0
    for one in culprits:
        if one != culprit:
            break
        number += 1
    return number


def wait(checks: int) -> timedelta:
    """How long after a check the next one is due. `checks`: how many there were."""
    return WAITS[min(checks, len(WAITS) - 1)]


def starts_run(cause: str, *, has_schedules: bool) -> bool:
    """Whether a run starts when an activation resumes.

    Without a schedule, nobody expects a run after saving a change of the mapping. After an outage, the run that
    somebody started is still to be done.
    """
    return has_schedules or cause != CONFIGURATION
