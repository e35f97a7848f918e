"""PURE. Why a record was, or wasn't, updated by an activation: one sentence, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from activations.screens.plain_values import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from segments.reading.one_row import Membership

MOST_FIELDS = 6
LONGEST_VALUE = 60


@dataclass(frozen=True)
class Decision:
    """The last change of the record that a run decided on. Dry runs don't count.

    Args:
        outcome: a value of `Change.Outcome`; "" if it is not settled.
        fields: the attributes that were accepted.
        live: the run is still going on.
    """

    run: int
    outcome: str
    at: datetime
    message: str = ""
    created: bool = False
    fields: tuple[str, ...] = ()
    live: bool = False


@dataclass(frozen=True)
class Now:
    """The record as it is in the source at this moment.

    Args:
        exists: the source has a row with its key.
        membership: of the activation's segment; None if it sends a whole model.
    """

    exists: bool
    membership: Membership | None = None


@dataclass(frozen=True)
class Facts:
    """What is known about a record in an activation.

    Args:
        vendor: the name of the platform.
        segment: the name of the activation's segment; "" if it sends a whole model.
        now: None if the source was not read, or can't be.
        held: why its schedules start no runs, as a sentence; "" if they do.
        failed: the message of the last run, if it failed.
        draft: the activation was never started.
        compared_at: when a run last compared all rows with the sync history.
        next_run: when a schedule starts the next run.
        accepted_at: when the destination last accepted something of the record.
        left_at: when a run noticed that it is no longer in the data.
        tried: the last outcome if it was not accepted, and the row has not changed since.
        retry_at: when such a record is tried again at the latest.
    """

    vendor: str
    segment: str = ""
    now: Now | None = None
    decision: Decision | None = None
    held: str = ""
    failed: str = ""
    draft: bool = False
    compared_at: datetime | None = None
    next_run: datetime | None = None
    accepted_at: datetime | None = None
    left_at: datetime | None = None
    tried: str = ""
    retry_at: datetime | None = None


Tone = Literal["good", "bad", "warn", "busy", "calm"]


@dataclass(frozen=True)
class Answer:
    """The answer for one activation.

    Args:
        label: the state in one to three words.
        sentence: why the record was, or wasn't, updated.
        notes: what else matters: what happens next, or what to fix.
    """

    label: str
    tone: Tone
    sentence: str
    notes: tuple[str, ...] = ()


def answer(facts: Facts, when: Callable[[datetime], str]) -> Answer:
    """Why the record was, or wasn't, updated.

    Args:
        when: writes a time as the viewer reads it.
    """
    found = _not_in_data(facts, when) or _decided(facts, when) or _never(facts, when)
    return Answer(found.label, found.tone, found.sentence, (*found.notes, *_notes(facts, when)))


def _not_in_data(facts: Facts, when: Callable[[datetime], str]) -> Answer | None:
    """The source says that the record is not to be sent."""
    now = facts.now
    if now is None or (now.exists and (now.membership is None or now.membership.is_member)):
        return None
    stays = _stays(facts, when)
    if not now.exists:
        return Answer("Not in the source", "warn", f"The source has no row with this key. {stays}")
    assert now.membership is not None
    reason = _reason(now.membership)
    return Answer(
        "Not in the segment", "warn", f"Not in the segment “{facts.segment}”, because {reason}. {stays}".strip()
    )


def _stays(facts: Facts, when: Callable[[datetime], str]) -> str:
    if facts.accepted_at is None:
        return "It was never sent."
    return f"It was last sent on {when(facts.accepted_at)}, and stays in {facts.vendor} as it was then."


def _reason(membership: Membership) -> str:
    if membership.beyond_limit:
        return "its size limit leaves the record out"
    parts = []
    for one in membership.unmet:
        values = " and ".join(f"{name} is {in_words(value, LONGEST_VALUE)}" for name, value in one.values.items())
        inside = f" of the segment “{one.segment}”" if one.segment else ""
        parts.append(f"the condition “{one.words}”{inside} is not met" + (f" ({values})" if values else ""))
    return ", and ".join(parts)


def _decided(facts: Facts, when: Callable[[datetime], str]) -> Answer | None:
    """A run decided about the record."""
    last = facts.decision
    if last is None:
        return None
    if last.outcome == "":
        return _in_progress(last)
    if facts.left_at and facts.left_at > last.at:
        return _left(facts, when)
    if last.outcome == "accepted":
        return _accepted(facts, last, when)
    if last.outcome == "matched" and last.message:
        return Answer("Up to date", "good", f"Nothing was sent on {when(last.at)}. {last.message}")
    if last.outcome == "matched":
        return Answer("Up to date", "good", f"{facts.vendor} had all of its values already on {when(last.at)}.")
    moment, message = when(last.at), last.message
    labels: dict[str, tuple[str, Tone, str]] = {
        "rejected": ("Rejected", "bad", f"{facts.vendor} rejected it on {moment}: {message}"),
        "invalid": ("Can't be sent", "bad", f"Could not be sent on {moment}: {message}"),
        "skipped": ("Skipped", "calm", f"Skipped on {moment}: {message}"),
        "unknown": (
            "Unknown",
            "warn",
            f"Sent on {moment}, but {facts.vendor} didn't answer in time: it may or may not have the new values.",
        ),
        "not_sent": ("Not sent", "warn", f"Run {last.run} ended on {moment} before the record was sent. {message}"),
    }
    label, tone, sentence = labels[last.outcome]
    return Answer(label, tone, sentence.strip(), tuple(_again(facts, last, when)))


def _in_progress(last: Decision) -> Answer:
    if last.live:
        return Answer("Being sent", "busy", f"Run {last.run} is sending it now.")
    return Answer("Not sent", "warn", f"Run {last.run} ended before the record was sent.")


def _left(facts: Facts, when: Callable[[datetime], str]) -> Answer:
    assert facts.left_at is not None
    where = f"the segment “{facts.segment}”" if facts.segment else "the data"
    back = f"It is in {where} again, and the next run compares it." if facts.now else ""
    sentence = f"It left {where} by {when(facts.left_at)}. {back or _stays(facts, when)}"
    return Answer("Left", "warn", sentence.strip())


def _accepted(facts: Facts, last: Decision, when: Callable[[datetime], str]) -> Answer:
    verb = "Created" if last.created else "Updated"
    fields = ", ".join(last.fields[:MOST_FIELDS]) + (" and more" if len(last.fields) > MOST_FIELDS else "")
    what = f": {fields}" if fields and not last.created else ""
    if facts.compared_at and facts.compared_at > last.at and not last.live:
        sentence = f"Up to date since {when(last.at)}. {verb} in {facts.vendor} then{what}."
        unchanged = f"Nothing that is sent had changed when the last run compared it on {when(facts.compared_at)}."
        return Answer("Up to date", "good", sentence, (unchanged,))
    return Answer("Up to date", "good", f"{verb} in {facts.vendor} on {when(last.at)}{what}.")


def _again(facts: Facts, last: Decision, when: Callable[[datetime], str]) -> Iterator[str]:
    """When a record that was not accepted is sent again."""
    if last.outcome in ("unknown", "not_sent"):
        yield "The next run sends it again."
    elif last.outcome == "invalid":
        yield "It is sent by the next run after its row in the source, or the mapping, is corrected."
    elif facts.retry_at:
        yield f"The first run after {when(facts.retry_at)} tries it again, or an earlier one if its row changes."


def _never(facts: Facts, when: Callable[[datetime], str]) -> Answer:
    """No run is known to have decided about the record."""
    if facts.left_at:
        return _left(facts, when)
    if facts.tried:
        words = {"rejected": "rejected it", "skipped": "skipped it", "invalid": "couldn't send it"}
        sentence = f"An earlier run {words[facts.tried]}. It is no longer kept, so the reason is unknown."
        return Answer("Not sent", "bad", sentence)
    if facts.accepted_at:
        sentence = f"Up to date since {when(facts.accepted_at)}. The run that sent it then is no longer kept."
        return Answer("Up to date", "good", sentence)
    if facts.draft:
        return Answer("Not started", "calm", "Never sent, because this activation is a draft that was never started.")
    if facts.compared_at is None:
        return Answer("Not sent yet", "calm", "Never sent, because no run of this activation has read the data yet.")
    sentence = f"Never sent. It was not in the data when the last run read it on {when(facts.compared_at)}."
    return Answer("Not sent yet", "calm", sentence)


def _notes(facts: Facts, when: Callable[[datetime], str]) -> Iterator[str]:
    if facts.held:
        yield facts.held
    if facts.failed:
        yield f"The last run failed: {facts.failed}"
    if facts.next_run and not facts.held and not facts.draft:
        yield f"Next run: {when(facts.next_run)}."
