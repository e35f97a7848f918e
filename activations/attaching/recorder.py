"""Records the results of attaching: that of each hidden record, its next attempt, counters and lease in one commit."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import F

from activations.attaching import rules
from activations.models import Attachment, HiddenRecord
from core.errors import Rejected
from core.failpoints import reach
from core.secrets import hide

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Problem
    from destinations.contract import Candidate, Revealed

_DUE = ["attempts", "tried_run", "retry_run", "retry_at", "attached_at"]


@dataclass(eq=False)
class Task:
    """A hidden record with its people.

    Args:
        is_hidden: this run's answer reported it as hidden.
        attempts: requests that got no usable answer so far.
        not_before: when it may be sent, on the monotonic clock.
    """

    record: HiddenRecord
    candidates: Sequence[Candidate]
    is_hidden: bool
    attempts: int = 0
    not_before: float = 0.0
    handed_out_at: float = 0.0


@dataclass
class Answer:
    """The answer to a task. Without candidates, nothing was sent, and there is neither an answer nor a problem.

    Args:
        given_up: the destination did not answer as often as is tried in one run.
    """

    task: Task
    revealed: Revealed | None = None
    problem: Problem | None = None
    defect: BaseException | None = None
    waited_seconds: float = 0.0
    given_up: bool = False

    @property
    def is_settled(self) -> bool:
        """Whether it settles the record. Otherwise, the record stays due as it was."""
        return self.defect is None and (self.problem is None or self.given_up or isinstance(self.problem, Rejected))


class Recorder:
    """The only writer of the stage."""

    def __init__(self, context: Context, lease: Lease) -> None:
        assert context.service.reveals is not None
        self.context = context
        self.lease = lease
        self.run = context.run
        self.nouns = context.service.reveals.nouns
        self.secrets = list(context.activation.destination.connection.secrets.values())
        self.throttled = 0

    def record(self, answers: Sequence[Answer], now: datetime) -> None:
        """Commits the results of these records.

        Raises:
            Lost: a different worker has claimed the run. Nothing was recorded.
        """
        results = [(answer.task, self._result(answer)) for answer in answers]
        reach("before_attach_commit")
        counts = self._counts(results) + Counter(self.context.counts())
        with self.lease.fenced(**{name: F(name) + number for name, number in counts.items() if number}):
            self._lower_hidden(results)
            Attachment.objects.bulk_create([self._attachment(task, result, now) for task, result in results])
            due = [self._due(task.record, result, now) for task, result in results]
            HiddenRecord.objects.bulk_update(due, _DUE)

    def _result(self, answer: Answer) -> rules.Result:
        candidates = len(answer.task.candidates)
        if answer.problem is not None:
            return rules.refused(answer.problem)
        if answer.revealed is None:
            return rules.unknown(candidates, self.nouns)
        return rules.result(answer.revealed, candidates, self.nouns)

    def _counts(self, results: Sequence[tuple[Task, rules.Result]]) -> Counter[str]:
        attached = sum(result.outcome == Attachment.Outcome.ATTACHED for _, result in results)
        still = sum(not result.is_visible for _, result in results)
        throttled, self.throttled = self.throttled, 0
        return Counter(made_visible=attached, still_hidden=still, throttled=throttled)

    def _lower_hidden(self, results: Sequence[tuple[Task, rules.Result]]) -> None:
        """What the run itself created and made visible is no longer counted as hidden."""
        seen = sum(
            result.is_visible and task.record.is_created and task.record.reported_run == self.run.number
            for task, result in results
        )
        if seen:
            self.lease.update(hidden=F("hidden") - seen)

    def _attachment(self, task: Task, result: rules.Result, now: datetime) -> Attachment:
        record = task.record
        return Attachment(
            run=self.run,
            key=record.key,
            key_digest=record.key_digest,
            name=record.name,
            candidates=len(task.candidates),
            outcome=result.outcome,
            attached=list(result.attached),
            code=result.code,
            message=hide(result.message, self.secrets),
            request_id=result.request_id,
            at=now,
        )

    def _due(self, record: HiddenRecord, result: rules.Result, now: datetime) -> HiddenRecord:
        record.tried_run = self.run.number
        if result.is_visible:
            record.attached_at = now
            return record
        record.attempts += 1
        record.retry_run, record.retry_at = rules.next_attempt(record.attempts, self.run.number, now)
        return record
