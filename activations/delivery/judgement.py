"""PURE. What one answer of the vendor means for one change: its outcome, or the step that it needs next."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from activations import reasons
from activations.delivery import retry
from activations.delivery.steps import Progress, Step
from core.errors import Rejected, Unavailable
from destinations.contract import Mode, Outcome, Purpose, Result

if TYPE_CHECKING:
    import random
    from datetime import datetime

STOPPED = "stopped"
"""The code of a request that was never sent, because the run stopped."""


@dataclass(frozen=True)
class Sending:
    """A change on its way, as far as judging an answer needs it.

    Args:
        step: what was sent.
        names: of all its attributes.
        attempts: requests that got no usable answer so far.
        first_attempt_at: when the first request of it was sent.
    """

    mode: str
    step: Step
    progress: Progress
    names: tuple[str, ...] = ()
    attempts: int = 0
    first_attempt_at: datetime | None = None


@dataclass(frozen=True)
class Judgement:
    """What to record about a change. Without an outcome, it goes back to be sent.

    Args:
        outcome: a `Change.Outcome`, or "".
        accepted: what the vendor accepted, if it did.
        created: the destination created the record in answer to us.
        reason: why it was not accepted.
        attempted: counts as an attempt.
        remote_id: from now on, the vendor's id of its record; None leaves it as it is.
        resend_all: nothing that was accepted under a different id counts: all of it is sent.
        wait_seconds: before it is sent again.
        pause: how long the rate limiter sends nothing, and to which budget that applies.
    """

    progress: Progress
    outcome: str = ""
    accepted: Outcome | None = None
    created: bool = False
    reason: Reason | None = None
    attempted: bool = False
    remote_id: str | None = None
    resend_all: bool = False
    wait_seconds: float = 0.0
    pause: tuple[Purpose, float] | None = None


@dataclass(frozen=True)
class Reason:
    """A code and a sentence, with the attribute and the vendor's request that it is about."""

    code: str
    message: str
    field: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Breaker:
    """Counts answers that never came, one after another. Once it is open, the vendor is down and the run pauses."""

    failures: int = 0
    at_most: int = field(default_factory=lambda: retry.BREAKER_FAILURES)

    @property
    def is_open(self) -> bool:
        return self.failures >= self.at_most

    def after(self, problem: Exception | None) -> Breaker:
        """The breaker after one more answer. Rate limiting and requests that were never sent don't count."""
        if not isinstance(problem, Unavailable):
            return replace(self, failures=0)
        counts = not problem.throttled and problem.code != STOPPED
        return replace(self, failures=self.failures + 1) if counts else self


def found(sending: Sending, remote_id: str, *, ours: bool, rejection: Rejected | None = None) -> Judgement:
    """A lookup was answered.

    Args:
        remote_id: of the record that has the match value; "" if there is none.
        ours: the record was created after our first attempt to create it.
        rejection: the record belongs to a different row.
    """
    progress = replace(sending.progress, looked_up=True)
    if rejection:
        return rejected(progress, rejection)
    if sending.mode == Mode.UPSERT or (sending.mode == Mode.INSERT and not remote_id):
        return Judgement(progress)
    if sending.mode == Mode.UPDATE and remote_id:
        return Judgement(progress, remote_id=remote_id, resend_all=True)
    if sending.mode == Mode.INSERT and (progress.unanswered or ours):
        return accepted(progress, Outcome(Result.ACCEPTED, remote_id, sent=sending.names), created=ours)
    return skipped(sending.mode, progress)


def written(sending: Sending, outcome: Outcome, rejection: Rejected | None = None) -> Judgement:
    """A write was answered.

    Args:
        rejection: the record that was written turned out to be the one of a different row.
    """
    progress = sending.progress
    if rejection:
        return rejected(progress, rejection)
    if outcome.result == Result.ACCEPTED:
        created = sending.step != Step.UPDATE and was_created(outcome.created_at, sending.first_attempt_at)
        return accepted(progress, outcome, created=created)
    if outcome.result == Result.EXISTS:
        return _exists(sending, outcome)
    if progress.gone and sending.mode != Mode.UPSERT:
        return skipped(sending.mode, progress)
    # The vendor no longer has the record: all of it is created again, or its match leads to a different record.
    return Judgement(replace(progress, gone=True), remote_id="", resend_all=True)


def _exists(sending: Sending, outcome: Outcome) -> Judgement:
    """A create met a record with its match: ours if an earlier create was never answered, else one to leave alone."""
    if not sending.progress.unanswered:
        return skipped(sending.mode, sending.progress)
    if outcome.remote_id:
        return accepted(sending.progress, Outcome(Result.ACCEPTED, outcome.remote_id, sent=sending.names))
    return Judgement(replace(sending.progress, looked_up=False))


def unanswered(sending: Sending, problem: Unavailable, *, stopping: bool, chance: random.Random) -> Judgement:
    """A request got no usable answer: it is sent again after a wait, or settled after its last attempt.

    Args:
        stopping: the run can't continue, so nothing is sent again in it.
    """
    progress = sending.progress
    if problem.code == STOPPED:
        return Judgement(progress)
    if problem.ambiguous and sending.step != Step.FIND:
        progress = replace(progress, ambiguous=True)
    if problem.ambiguous and sending.step == Step.CREATE:
        progress = replace(progress, looked_up=False, unanswered=True)
    if problem.throttled:
        purpose = Purpose.LOOKUP if sending.step == Step.FIND else Purpose.WRITE
        return Judgement(progress, pause=(purpose, problem.retry_after or 1.0))
    attempts = sending.attempts + 1
    if stopping:
        return Judgement(progress, attempted=True)
    if not retry.may_retry(attempts, problem):
        outcome = "unknown" if progress.ambiguous else "not_sent"
        return Judgement(progress, outcome, reason=Reason(problem.code, problem.message), attempted=True)
    return Judgement(progress, attempted=True, wait_seconds=retry.backoff_seconds(attempts, problem, chance))


def accepted(progress: Progress, outcome: Outcome, *, created: bool = False) -> Judgement:
    """The destination accepted it."""
    return Judgement(progress, "accepted", accepted=outcome, created=created, remote_id=outcome.remote_id or None)


def rejected(progress: Progress, rejection: Rejected) -> Judgement:
    """The destination, or a rule of ours about its answer, rejected it."""
    reason = Reason(rejection.code, rejection.message, rejection.field, rejection.request_id)
    return Judgement(progress, "rejected", reason=reason, attempted=True)


def skipped(mode: str, progress: Progress) -> Judgement:
    """The mode leaves it alone: insert mode because the record exists, update mode because it doesn't."""
    why = reasons.ALREADY_THERE if mode == Mode.INSERT else reasons.NOT_THERE
    return Judgement(progress, why.outcome, reason=Reason(why.code, why.message), remote_id="")


def was_created(created_at: datetime | None, first_attempt_at: datetime | None) -> bool:
    """Whether the destination created the record in answer to us; vendors report whole seconds."""
    if created_at is None or first_attempt_at is None:
        return False
    return created_at >= first_attempt_at.replace(microsecond=0)
