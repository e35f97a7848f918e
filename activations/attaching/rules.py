"""PURE. What an attempt to make a hidden record visible amounts to, and when the next one is due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.errors import Problem
    from destinations.contract import Revealed

ATTACHED, VISIBLE, UNKNOWN, REFUSED = "attached", "visible", "unknown", "refused"
"""The values of `Attachment.Outcome`."""
RETRY_AT_MOST = timedelta(days=7)
MOST_DOUBLINGS = 20


@dataclass(frozen=True)
class Result:
    """What became of one hidden record: the fields of `Attachment` that say so."""

    outcome: str
    attached: tuple[str, ...] = ()
    code: str = ""
    message: str = ""
    request_id: str = ""

    @property
    def is_visible(self) -> bool:
        return self.outcome in (ATTACHED, VISIBLE)


def next_attempt(attempts: int, run_number: int, now: datetime) -> tuple[int, datetime]:
    """When a record is tried again after `attempts` failures: after 1, 2, 4, 8 … runs, or a week if that is sooner.

    Returns:
        The number of the run, and the time.
    """
    return run_number + 2 ** min(attempts - 1, MOST_DOUBLINGS), now + RETRY_AT_MOST


def result(revealed: Revealed, candidates: int, nouns: tuple[str, str]) -> Result:
    """What the destination's answer means.

    Args:
        candidates: how many people were tried.
        nouns: the words for one of the records that are attached, and for several.
    """
    if revealed.was_visible:
        return Result(VISIBLE, request_id=revealed.request_id)
    if revealed.attached:
        return Result(ATTACHED, revealed.attached, request_id=revealed.request_id)
    if revealed.refusals:
        return refused(revealed.refusals[0])
    return unknown(candidates, nouns)


def unknown(candidates: int, nouns: tuple[str, str]) -> Result:
    """Nobody was attached, because nobody is known."""
    if candidates:
        people = "one person" if candidates == 1 else f"{candidates} people"
        message = f"The source has {people} for it, but none of them is one of the destination's {nouns[1]} yet."
    else:
        message = "The source has no person for it who can be found by the chosen columns."
    return Result(UNKNOWN, message=message)


def refused(problem: Problem) -> Result:
    """The destination refused to attach anybody, or did not answer."""
    return Result(REFUSED, code=problem.code, message=problem.message, request_id=getattr(problem, "request_id", ""))
