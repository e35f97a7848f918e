"""PURE. Decides on slots that are due: which one starts a run, and why the others start none."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from activations.scheduling.slots import Slots


class Reason(StrEnum):
    """Why slots started no run. The values of `SkippedSlot.Reason`."""

    RUNNING = "running"
    QUEUED = "queued"
    HELD = "held"
    ON_HOLD = "on_hold"
    VENDOR_WAIT = "vendor_wait"
    MISSED = "missed"
    CAUGHT_UP = "caught_up"


@dataclass(frozen=True)
class Decision:
    """Whether the newest slot starts a run.

    Args:
        starts: the newest slot starts a run.
        late: nothing was there to start a run when the slot was due.
        reason: why the slots start no run; of the older ones alone if the newest one starts a run.
    """

    starts: bool
    late: bool
    reason: Reason | None


def decide(due: Slots, now: datetime, blocker: Reason | None, *, catch_up: bool, grace: timedelta) -> Decision:
    """Decides on the slots that are due.

    Args:
        blocker: why no run can start now; None if one can.
        catch_up: slots that were missed start one run.
        grace: a slot that is older was missed.
    """
    late = now - due.last > grace
    if late and not catch_up:
        return Decision(False, late, Reason.MISSED)
    if blocker:
        return Decision(False, late, blocker)
    missed = Reason.CAUGHT_UP if catch_up else Reason.MISSED
    return Decision(True, late, missed if due.number > 1 else None)
