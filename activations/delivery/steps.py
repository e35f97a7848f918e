"""PURE. What a change needs next, and how changes are grouped into jobs for the sender threads."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from activations.delivery.policies import NO_READS
from activations.digests import of_text
from core.errors import Rejected
from destinations.contract import Mode, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from activations.delivery.policies import Difference, Reads
    from activations.models import Change
    from core.errors import Problem
    from destinations.contract import Held, Limits


SETTLED_TOGETHER = 500
"""How many changes of which nothing is sent are settled with one commit."""


class Step(StrEnum):
    """What a change needs next: a lookup, one of the three writes, or nothing because write policies left nothing."""

    NONE = "none"
    FIND = "find"
    UPSERT = "upsert"
    UPDATE = "update"
    CREATE = "create"


@dataclass(frozen=True)
class Progress:
    """What is known about a change in delivery that is not stored in its row.

    Args:
        ambiguous: a write may have been processed although no answer came.
        resumed: a worker that died had taken it, and nobody knows whether it sent anything.
        looked_up: a lookup was answered, so the next step is a write.
        unanswered: after a lookup, a create got no answer, so a record that exists now is one of ours.
        gone: an update reported that the record no longer exists.
    """

    ambiguous: bool = False
    resumed: bool = False
    looked_up: bool = False
    unanswered: bool = False
    gone: bool = False


@dataclass(eq=False)
class Kept:
    """An exchange in delivery, with the fields of `Exchange`. `stored`: it is in the database."""

    id: UUID
    method: str
    url: str
    request: str
    status: int | None
    response: str
    sent_at: datetime
    stored: bool = False


@dataclass(eq=False)
class Item:
    """A change in delivery.

    Args:
        not_before: when it may be sent, on the monotonic clock.
        part: of a batch that the vendor refused as a whole, the part that this change is sent with; "" if there was no
            such batch. Changes of different parts share no request, so that the refused one is found.
        former_match: if its match value changes, the digest of the one that the record has at the destination; else 0.
        exchange: the last request that was sent to write it, and the response.
    """

    change: Change
    progress: Progress = Progress()
    not_before: float = 0.0
    part: str = ""
    former_match: int = 0
    exchange: Kept | None = None

    @property
    def matches(self) -> set[int]:
        """The digests of the match values that it takes or gives up."""
        taken = {of_text(self.change.match_identity)}
        return taken | {self.former_match} if self.former_match else taken

    @property
    def names(self) -> set[int | str]:
        """What no other change in the same request may have: the match values, and the vendor's ID."""
        ids = {self.change.remote_id} if self.change.remote_id else set()
        return {*self.matches, *ids}


@dataclass(eq=False)
class Job:
    """Items that need the same step and go to the vendor together, in one request if it takes several records."""

    step: Step
    items: list[Item]
    handed_out_at: float = 0.0

    @property
    def matches(self) -> set[int]:
        """What no other job may be about at the same time: the digests of the match values."""
        return {match for item in self.items for match in item.matches}

    @property
    def not_before(self) -> float:
        return max(item.not_before for item in self.items)

    def can_grow(self, limits: Limits) -> bool:
        """Whether changes that are ready later may be sent with these."""
        if self.step == Step.NONE:
            return False
        most = limits.find_batch if self.step == Step.FIND else limits.write_batch
        return len(self.items) < most and not any(item.not_before or item.part for item in self.items)

    def halves(self, number: int) -> list[Item]:
        """The items, each in one of two parts.

        Args:
            number: a number that no other job in this delivery has.
        """
        middle = len(self.items) // 2
        for place, item in enumerate(self.items):
            item.part = f"{number}{'a' if place < middle else 'b'}"
        return self.items


@dataclass
class Sent:
    """The answer to a job: the IDs found, or the outcome of a write, or the problem.

    Args:
        waited_seconds: how long it waited for the rate limiter.
        found: the records by match identity.
        differences: by the ID of each change whose record was read, what it would do to the record.
        created_by_us: the identities among them whose record was created after our first attempt.
        results: the outcome or problem of each item of a write, in their order.
        exchanges: the request that wrote each item, in their order; none if nothing was sent or nothing is kept.
        problem: the problem of the whole job, instead of results.
        defect: an exception that is not a `Problem`: a defect of ours.
    """

    job: Job
    waited_seconds: float = 0.0
    found: Mapping[str, Held] = field(default_factory=dict)
    differences: Mapping[int, Difference] = field(default_factory=dict)
    created_by_us: frozenset[str] = frozenset()
    results: Sequence[Outcome | Problem] = ()
    exchanges: Sequence[Kept] = ()
    problem: Problem | None = None
    defect: BaseException | None = None

    @property
    def problems(self) -> list[Problem | None]:
        """The problem of each item, or None if it was answered."""
        if self.problem or not self.results:
            return [self.problem] * len(self.job.items)
        return [None if isinstance(result, Outcome) else result for result in self.results]

    @property
    def was_refused_whole(self) -> bool:
        """Whether the vendor refused a batch because of any of its records, without saying which."""
        return isinstance(self.problem, Rejected) and len(self.job.items) > 1


def next_step(mode: str, change: Change, looked_up: bool, reads: Reads = NO_READS) -> Step:
    """What a change needs next. Known records are updated by ID; new ones are looked up unless an upsert is enough.

    A contested match value is looked up too.
    """
    if change.remote_id:
        if reads.needs(change) and not looked_up:
            return Step.FIND
        return Step.NONE if change.kept and not change.changed else Step.UPDATE
    if mode == Mode.UPSERT:
        return Step.FIND if reads.needs(change) and not looked_up else Step.UPSERT
    return Step.CREATE if mode == Mode.INSERT and looked_up else Step.FIND


def jobs(mode: str, items: Sequence[Item], limits: Limits, reads: Reads = NO_READS) -> list[Job]:
    """Groups items into jobs: lookups of up to `find_batch` match values, and writes of up to `write_batch` records.

    The writes of one job have the same verb, and no two of them the same match value.
    """
    steps = [(next_step(mode, item.change, item.progress.looked_up, reads), item) for item in items]
    lookups = _batches(Step.FIND, steps, limits.find_batch)
    rest = [entry for entry in steps if entry[0] not in (Step.FIND, Step.NONE)]
    return [*lookups, *_batches(Step.NONE, steps, SETTLED_TOGETHER), *_writes(rest, limits.write_batch)]


def _batches(step: Step, steps: Sequence[tuple[Step, Item]], size: int) -> list[Job]:
    """The jobs of all items that need this step."""
    items = [item for needed, item in steps if needed == step]
    return [Job(step, items[start : start + size]) for start in range(0, len(items), size)]


def _writes(steps: Sequence[tuple[Step, Item]], write_batch: int) -> list[Job]:
    """The jobs of all writes, in the order of their first items.

    Changes that have to wait before they are sent again don't delay the others.
    """
    jobs: list[Job] = []
    growing: dict[tuple[Step, bool, str], list[_Batch]] = {}
    for step, item in steps:
        batches = growing.setdefault((step, item.not_before > 0, item.part), [])
        batch = next((batch for batch in batches if batch.names.isdisjoint(item.names)), None)
        if batch is None:
            batch = _Batch(Job(step, []))
            jobs.append(batch.job)
            batches.append(batch)
        batch.job.items.append(item)
        batch.names |= item.names
        if len(batch.job.items) >= write_batch:
            batches.remove(batch)
    return jobs


@dataclass(eq=False)
class _Batch:
    """A job to which more items can be added."""

    job: Job
    names: set[int | str] = field(default_factory=set)


def was_created(created_at: datetime | None, first_attempt_at: datetime | None) -> bool:
    """Whether our request created the record. Vendors report whole seconds, so fractions of our time are dropped."""
    if created_at is None or first_attempt_at is None:
        return False
    return created_at >= first_attempt_at.replace(microsecond=0)
