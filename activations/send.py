"""One request after another for one job, in a sender thread: no database here, only the vendor."""

from __future__ import annotations

import queue
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from activations.models import Change
from activations.reasons import CONTESTED
from activations.vendor_session import Context
from core.checkpoints import reach
from core.errors import Problem
from destinations.contract import Mode, Operation, Outcome, Verb


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


class Sender:
    """Works on jobs and hands back what came of them. Safe for many threads."""

    def __init__(self, context: Context, answers: queue.Queue[Sent]) -> None:
        self.context = context
        self.answers = answers
        # Looked at before the threads start, so that none of them touches the database.
        self.match_name = context.activation.match_field
        self.adds = frozenset(name for _, name, *_, adds in context.run.mapped if adds)

    def send(self, job: Job) -> None:
        """Never raises: whatever happens goes into the answer."""
        sent = Sent(job)
        self.context.pacer.forget_waits()
        try:
            self._send(job, sent)
        except Problem as problem:
            sent.problem = problem
        except BaseException as defect:
            sent.defect = defect
        sent.waited_seconds = self.context.pacer.waited_seconds()
        self.answers.put(sent)

    def _send(self, job: Job, sent: Sent) -> None:
        service, client = self.context.service, self.context.client
        if job.step == Step.FIND:
            sent.found = self._find(job.items)
            sent.ours = frozenset(self._ours(job.items, sent.found))
        else:
            reach("before_send")
            sent.outcome = service.write(client, self._operation(job.step, job.items[0].change))

    def _find(self, items: Sequence[Item]) -> Mapping[str, str]:
        """The vendor's ids by the identity of each item; a match value of several parts is found by any of them."""
        service, field = self.context.service, self.context.match_field
        wanted = {item.change.match_identity: service.identities(field, item.change.match_value) for item in items}
        names = sorted({name for several in wanted.values() for name in several})
        found: dict[str, str] = {}
        for start in range(0, len(names), service.limits.find_batch):
            found |= service.find(self.context.client, field, names[start : start + service.limits.find_batch])
        return {
            identity: next(found[name] for name in several if name in found)
            for identity, several in wanted.items()
            if not found.keys().isdisjoint(several)
        }

    def _ours(self, items: Sequence[Item], found: Mapping[str, str]) -> Iterator[str]:
        """In insert mode a worker may have died between creating a record and recording it."""
        for item in items if self.context.activation.mode == Mode.INSERT else ():
            identity = item.change.match_identity
            if item.ambiguous and identity in found:
                made_at = self.context.service.made_at(self.context.client, found[identity])
                if was_created(made_at, item.change.first_attempt_at):
                    yield identity

    def _operation(self, step: Step, change: Change) -> Operation:
        return Operation(
            verb=Verb(step.value),
            match_field=self.match_name,
            match_value=change.match_value,
            values=change.values,
            changed=frozenset(change.changed),
            add=self.adds & frozenset(change.values),
            remote_id=change.remote_id,
            may_create=self.context.activation.mode == Mode.UPSERT,
        )
