"""PURE. What one answer of the vendor means for one change: its outcome, or the step that it needs next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from activations import reasons
from activations.delivery import policies, retry
from activations.delivery.policies import Difference
from activations.delivery.steps import Progress, Step, was_created
from activations.reasons import Reason
from destinations.contract import Created, Mode, Outcome, Purpose, Result

if TYPE_CHECKING:
    import random
    from datetime import datetime

    from activations.models import Change
    from core.errors import Rejected, Unavailable
    from destinations.contract import Held


@dataclass(frozen=True)
class Sending:
    """What has to be known about a change to interpret an answer.

    Args:
        step: what was sent.
        names: the names of all its attributes.
        attempts: requests that got no usable answer so far.
        first_attempt_at: when its first request was sent.
        remote_id: the vendor's ID of its record, if it is known.
        needs_read: what may be written depends on the record, so it is read again after a write without an answer.
        is_new: nothing of it was ever accepted.
        links: the names of its attributes that take a request of their own.
    """

    mode: str
    step: Step
    progress: Progress
    names: tuple[str, ...] = ()
    attempts: int = 0
    first_attempt_at: datetime | None = None
    remote_id: str = ""
    needs_read: bool = False
    is_new: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True)
class Judgement:
    """What to record about a change. Without an outcome, it goes back to be sent.

    Args:
        outcome: a `Change.Outcome`, or "".
        accepted: what the vendor accepted, if it did.
        created: our request created the record.
        reason: why it was not accepted, or not completely.
        waiting: the attributes that the vendor did not take yet, although it accepted the record.
        attempted: the request counts as an attempt.
        remote_id: the vendor's ID of the record from now on; None leaves it as it is.
        difference: what is to be sent, and what is left as it is, because the record was read.
        resend_all: send every field, because what was accepted belongs to a different ID.
        wait_seconds: how long to wait before it is sent again.
        pause: the budget that has to pause, and for how many seconds.
    """

    progress: Progress
    outcome: str = ""
    accepted: Outcome | None = None
    created: bool = False
    reason: Reason | None = None
    waiting: tuple[str, ...] = ()
    attempted: bool = False
    remote_id: str | None = None
    difference: Difference | None = None
    resend_all: bool = False
    wait_seconds: float = 0.0
    pause: tuple[Purpose, float] | None = None

    def redirect(self, change: Change) -> None:
        """Points the change at the record that it goes to from now on, and lists what is to be sent there."""
        if self.remote_id is not None:
            change.remote_id = self.remote_id
        if self.difference is not None:
            change.changed = list(self.difference.send)
            policies.keep(change, self.difference.kept)
        if self.resend_all:
            change.changed, change.kept = list(change.values), None


def found(
    sending: Sending,
    held: Held | None,
    *,
    created_by_us: bool,
    difference: Difference | None = None,
    rejection: Rejected | None = None,
) -> Judgement:
    """A lookup was answered.

    Args:
        held: the record that has the match value, if there is one.
        created_by_us: the record was created after our first attempt to create it.
        difference: what the change would do to its record; None if that makes no difference.
        rejection: the record belongs to a different row.
    """
    progress = replace(sending.progress, looked_up=True)
    if rejection:
        return rejected(progress, rejection)
    if difference is not None and sending.mode != Mode.INSERT:
        return _compared(sending, progress, held, difference)
    if sending.remote_id:
        return Judgement(progress)
    if sending.mode == Mode.UPSERT or (sending.mode == Mode.INSERT and not held):
        return Judgement(progress)
    if sending.mode == Mode.UPDATE and held:
        return Judgement(progress, remote_id=held.remote_id, resend_all=True)
    if held and sending.mode == Mode.INSERT and (progress.unanswered or created_by_us):
        return _ours(sending, progress, held.accepted(sending.names), created=created_by_us)
    return skipped(sending.mode, progress)


def _compared(sending: Sending, progress: Progress, held: Held | None, difference: Difference) -> Judgement:
    """The record was compared. If nothing is left to send, no write is needed.

    After a request without an answer, it holds what is equal because that request was processed. After a worker died,
    that is certain only for a record that was created since. A known record that can't be read is None.
    """
    remote_id = held.remote_id if held else None
    if difference.send:
        return Judgement(progress, remote_id=remote_id, difference=difference)
    if held is None:
        return kept(progress, difference)
    outcome = held.accepted()
    created = sending.mode == Mode.UPSERT and was_created(held.created_at, sending.first_attempt_at)
    was_sent = progress.ambiguous and (created or not progress.resumed)
    if was_sent and (difference.equal or not difference.kept):
        sent = replace(outcome, sent=difference.equal)
        return replace(accepted(progress, sent, created=created), difference=difference)
    settled = kept(progress, difference) if difference.kept else Judgement(progress, "matched", difference=difference)
    return replace(settled, accepted=outcome, remote_id=remote_id)


def kept(progress: Progress, difference: Difference | None = None) -> Judgement:
    """Write policies leave nothing to send."""
    reason = Reason(reasons.KEPT.code, reasons.KEPT.message)
    return Judgement(progress, reasons.KEPT.outcome, reason=reason, difference=difference)


def written(sending: Sending, outcome: Outcome, rejection: Rejected | None = None) -> Judgement:
    """A write was answered.

    Args:
        rejection: the record that was written turned out to belong to a different row.
    """
    progress = sending.progress
    if rejection:
        return rejected(progress, rejection)
    if outcome.waiting:
        return _incomplete(sending, outcome)
    if outcome.result == Result.ACCEPTED:
        return accepted(progress, outcome, created=_created(sending, outcome))
    if outcome.result == Result.EXISTS:
        return _exists(sending, outcome)
    if progress.gone and sending.mode != Mode.UPSERT:
        return skipped(sending.mode, progress)
    # The vendor no longer has the record: all of it is created again, or its match leads to a different record.
    gone = replace(progress, gone=True, looked_up=progress.gone and progress.looked_up)
    return Judgement(gone, remote_id="", resend_all=True)


def _incomplete(sending: Sending, outcome: Outcome) -> Judgement:
    """The vendor did not take some attributes yet. The next run sends them again, whatever else it sends.

    If nothing else was sent for a known record, it is skipped. Everything else of a new one is there already.
    """
    names, first = tuple(outcome.waiting), next(iter(outcome.waiting.values()))
    message = " ".join(dict.fromkeys(rejection.message for rejection in outcome.waiting.values()))
    judged = accepted(sending.progress, outcome, created=_created(sending, outcome))
    if not outcome.sent:
        judged = replace(judged, outcome="matched") if sending.is_new else Judgement(sending.progress, "skipped")
    return replace(judged, reason=Reason(first.code, message, names[0], first.request_id), waiting=names)


def _ours(sending: Sending, progress: Progress, outcome: Outcome, *, created: bool = False) -> Judgement:
    """In insert mode, an earlier create of ours got no answer, but was processed. Its links may be missing still."""
    if sending.links:
        return Judgement(progress, remote_id=outcome.remote_id, difference=Difference(sending.links))
    return accepted(progress, outcome, created=created)


def _created(sending: Sending, outcome: Outcome) -> bool:
    """Whether this write created the record. An update never does, whatever the response says."""
    if sending.step == Step.UPDATE or outcome.created == Created.NO:
        return False
    return outcome.created == Created.YES or was_created(outcome.created_at, sending.first_attempt_at)


def _exists(sending: Sending, outcome: Outcome) -> Judgement:
    """The record to create already exists. It is ours if an earlier create got no answer, else it is left alone."""
    if not sending.progress.unanswered:
        return skipped(sending.mode, sending.progress)
    if outcome.remote_id:
        return _ours(sending, sending.progress, Outcome(Result.ACCEPTED, outcome.remote_id, sent=sending.names))
    return Judgement(replace(sending.progress, looked_up=False))


def unanswered(sending: Sending, problem: Unavailable, *, stopping: bool, chance: random.Random) -> Judgement:
    """A request got no usable answer. It is retried after a wait, or settled after the last attempt.

    Args:
        stopping: the run can't continue, so nothing is sent again in it.
    """
    progress = sending.progress
    if problem.code in retry.NEVER_SENT and not problem.ambiguous:
        return Judgement(progress)
    if problem.ambiguous and sending.step not in (Step.FIND, Step.NONE):
        progress = replace(progress, ambiguous=True, looked_up=progress.looked_up and not sending.needs_read)
    if problem.ambiguous and sending.step == Step.CREATE:
        progress = replace(progress, looked_up=False, unanswered=True)
    following = retry.after(problem, sending.attempts, stopping=stopping, chance=chance)
    if following.pause_seconds:
        purpose = Purpose.LOOKUP if sending.step == Step.FIND else Purpose.WRITE
        return Judgement(progress, pause=(purpose, following.pause_seconds))
    if following.given_up:
        outcome = "unknown" if progress.ambiguous else "not_sent"
        return Judgement(progress, outcome, reason=Reason(problem.code, problem.message), attempted=True)
    return Judgement(progress, attempted=following.attempted, wait_seconds=following.wait_seconds)


def accepted(progress: Progress, outcome: Outcome, *, created: bool = False) -> Judgement:
    """The destination accepted the change."""
    return Judgement(progress, "accepted", accepted=outcome, created=created, remote_id=outcome.remote_id or None)


def rejected(progress: Progress, rejection: Rejected) -> Judgement:
    """The destination rejected the change, or a rule of ours about its answer did."""
    reason = Reason(rejection.code, rejection.message, rejection.field, rejection.request_id)
    return Judgement(progress, "rejected", reason=reason, attempted=True)


def skipped(mode: str, progress: Progress) -> Judgement:
    """The mode leaves the record alone: insert mode because it exists, update mode because it doesn't."""
    settled = reasons.ALREADY_THERE if mode == Mode.INSERT else reasons.NOT_THERE
    return Judgement(progress, settled.outcome, reason=Reason(settled.code, settled.message), remote_id="")
