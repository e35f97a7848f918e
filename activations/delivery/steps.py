"""PURE. What a change needs next, and how changes are grouped into jobs for the sender threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from destinations.contract import Mode, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from activations.models import Change
    from core.errors import Problem


class Step(StrEnum):
    """What a change needs next: a lookup, or one of the three writes."""

    FIND = "find"
    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


@dataclass(frozen=True)
class Progress:
    """What is known about a change in delivery that is not stored in its row.

    Args:
        ambiguous: a write may have been processed although no answer came.
        looked_up: a lookup was answered, so the next step is a write.
        unanswered: after a lookup, a create got no answer, so a record that exists now is one of ours.
        gone: an update reported that the record no longer exists.
    """

    ambiguous: bool = False
    looked_up: bool = False
    unanswered: bool = False
    gone: bool = False


@dataclass(eq=False)
class Item:
    """A change in delivery. `not_before`: when it may be sent, on the monotonic clock."""

    change: Change
    progress: Progress = Progress()
    not_before: float = 0.0


@dataclass(eq=False)
class Job:
    """Items that need the same step and go to one sender: any number for a lookup, one for a write."""

    step: Step
    items: list[Item]
    handed_out_at: float = 0.0

    @property
    def identities(self) -> set[str]:
        return {item.change.match_identity for item in self.items}

    @property
    def not_before(self) -> float:
        return max(item.not_before for item in self.items)


@dataclass
class Sent:
    """The answer to a job: the IDs found, or the outcome of a write, or the problem.

    Args:
        waited_seconds: how long it waited for the rate limiter.
        found: the vendor's IDs by match identity.
        created_by_us: the identities among them whose record was created after our first attempt.
        defect: an exception that is not a `Problem`: a defect of ours.
    """

    job: Job
    waited_seconds: float = 0.0
    found: Mapping[str, str] = field(default_factory=dict)
    created_by_us: frozenset[str] = frozenset()
    outcome: Outcome | None = None
    problem: Problem | None = None
    defect: BaseException | None = None


def next_step(mode: str, change: Change, looked_up: bool, reads_first: bool = False) -> Step:
    """What a change needs next. Known records are updated by ID; new ones are looked up unless an upsert is enough.

    Args:
        reads_first: an upsert needs a lookup first (see `Service.reads_first`), as it does for a contested match value.
    """
    if change.remote_id:
        return Step.UPDATE
    if mode == Mode.UPSERT:
        return Step.FIND if (reads_first or change.lookup_first) and not looked_up else Step.UPSERT
    return Step.CREATE if mode == Mode.INSERT and looked_up else Step.FIND


def jobs(mode: str, items: Sequence[Item], find_batch: int, reads_first: bool = False) -> list[Job]:
    """Groups items into jobs: lookups in batches, and every write on its own."""
    writes: list[Job] = []
    lookups: list[Item] = []
    for item in items:
        step = next_step(mode, item.change, item.progress.looked_up, reads_first)
        if step == Step.FIND:
            lookups.append(item)
        else:
            writes.append(Job(step, [item]))
    batches = [lookups[start : start + find_batch] for start in range(0, len(lookups), find_batch)]
    return [*(Job(Step.FIND, batch) for batch in batches), *writes]
