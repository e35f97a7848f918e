"""PURE. What a change needs next, and how changes are grouped into jobs for the sender threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from activations.reasons import CONTESTED
from destinations.contract import Mode, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from activations.models import Change
    from core.errors import Problem


class Step(StrEnum):
    """What a change needs next: to be looked up, or one of the three writes."""

    FIND = "find"
    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


@dataclass(eq=False)
class Item:
    """A change on its way, with what is known of it beyond its row.

    `ambiguous`: a write of it may have been processed without an answer. `looked_up`: the destination was asked and has no
    such record. `unanswered`: it was created after such a look-up, without an answer, so that what is there now is ours.
    `gone`: an update met no such record once.
    """

    change: Change
    ambiguous: bool = False
    looked_up: bool = False
    unanswered: bool = False
    gone: bool = False
    not_before: float = 0.0


@dataclass(eq=False)
class Job:
    """Items of one step that one sender works on: several for a look-up, one for a write."""

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
    """What came back of a job: the ids found, or the outcome of a write, or the problem.

    `ours`: identities of found records that were made after we first tried to, so that it was us.
    """

    job: Job
    waited_seconds: float = 0.0
    found: Mapping[str, str] = field(default_factory=dict)
    ours: frozenset[str] = frozenset()
    outcome: Outcome | None = None
    problem: Problem | None = None
    defect: BaseException | None = None


def next_step(mode: str, change: Change, looked_up: bool, reads_first: bool = False) -> Step:
    """PURE. What a change needs next. Known records are updated by id; who is unknown is looked up unless we may create.

    `reads_first`: creating needs a look-up too (see `Service.reads_first`), as it does where the match value is contested.
    """
    if change.remote_id:
        return Step.UPDATE
    if mode == Mode.UPSERT:
        return Step.FIND if (reads_first or change.code == CONTESTED.code) and not looked_up else Step.UPSERT
    return Step.CREATE if mode == Mode.INSERT and looked_up else Step.FIND


def jobs(mode: str, items: Sequence[Item], find_batch: int, reads_first: bool = False) -> list[Job]:
    """PURE. Groups items into jobs: look-ups in batches, every write alone."""
    made: list[Job] = []
    lookups: list[Item] = []
    for item in items:
        step = next_step(mode, item.change, item.looked_up, reads_first)
        if step == Step.FIND:
            lookups.append(item)
        else:
            made.append(Job(step, [item]))
    batches = [lookups[start : start + find_batch] for start in range(0, len(lookups), find_batch)]
    return [*(Job(Step.FIND, batch) for batch in batches), *made]


def was_created(created_at: datetime | None, first_attempt_at: datetime | None) -> bool:
    """PURE. Whether the destination made the record in answer to us; vendors tell whole seconds."""
    if created_at is None or first_attempt_at is None:
        return False
    return created_at >= first_attempt_at.replace(microsecond=0)
