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
    """What is known about a change on its way, beyond its row.

    Args:
        ambiguous: a write of it may have been processed although no answer came.
        looked_up: the destination was asked and has no such record.
        unanswered: after such a lookup it was created, without an answer, so a record that exists now is ours.
        gone: an update found that its record no longer exists.
    """

    ambiguous: bool = False
    looked_up: bool = False
    unanswered: bool = False
    gone: bool = False


@dataclass(eq=False)
class Item:
    """A change on its way. `not_before`: when it may be sent, on the monotonic clock."""

    change: Change
    progress: Progress = Progress()
    not_before: float = 0.0


@dataclass(eq=False)
class Job:
    """Items of one step that one sender works on: several for a lookup, one for a write."""

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
    """The answer to a job: the ids found, or the outcome of a write, or the problem.

    Args:
        ours: identities of found records that were created after our first attempt, so that it was us.
    """

    job: Job
    waited_seconds: float = 0.0
    found: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    outcome: Outcome | None = None
    problem: Problem | None = None
    defect: BaseException | None = None


def next_step(mode: str, change: Change, looked_up: bool, reads_first: bool = False) -> Step:
    """What a change needs next. Known records are updated by id; unknown ones are looked up unless we may create them.

    Args:
        reads_first: creating needs a lookup too (see `Service.reads_first`), as it does for a contested match value.
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
