"""PURE. Which guards hold a run: rules on the counts of its plan, and what a person has already agreed to."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

EMPTY, SIZE, CREATES, CHANGES, FIRST_CREATES = "empty", "size", "creates", "changes", "first_creates"
FEW = 20
"""Percentages hold no run that affects fewer records than these: in small data, they are large every day."""


@dataclass(frozen=True)
class Limits:
    """The guards of an activation. None: the guard is off."""

    empty: bool = True
    size_percent: int | None = 50
    creates: int | None = None
    change_percent: int | None = 50
    first_creates: bool = True


@dataclass(frozen=True)
class Planned:
    """What a run would do, and what it is compared with.

    Args:
        rows: the rows of the source.
        rows_before: those of the last run that completed; None if none has.
        new: records that were never accepted before. Which of them exist at the destination is not known yet.
        changed: known records to send because their data changed, and not because of a field mapping.
        synchronized: the records that were accepted before, without those that left and are still gone.
        creates: whether the mode may create records.
        full: whether every record is sent because somebody requested a full sync.
        agreed: whether a person started this run, or a run that created records was started or approved before.
    """

    rows: int
    rows_before: int | None
    new: int
    changed: int
    synchronized: int
    creates: bool = True
    full: bool = False
    agreed: bool = False


@dataclass(frozen=True)
class Hold:
    """A guard that holds the run.

    Args:
        message: what it found, in one or two sentences.
        facts: the numbers behind it.
    """

    kind: str
    message: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """The form in `Run.hold`."""
        return asdict(self)


def holds(limits: Limits, plan: Planned) -> list[Hold]:
    """The guards that hold a run, the most serious first; none if it may go on."""
    return [*_rows(limits, plan), *_creates(limits, plan), *_changes(limits, plan)]


def _rows(limits: Limits, plan: Planned) -> Iterator[Hold]:
    before = plan.rows_before
    if not before:
        return
    facts = {"rows": plan.rows, "rows_before": before}
    if limits.empty and not plan.rows:
        yield Hold(EMPTY, f"The data has no rows now. The last run that completed read {before:,}.", facts)
        return
    percent = 100 * (plan.rows - before) / before
    if _exceeds(abs(percent), abs(plan.rows - before), limits.size_percent):
        verb = "grew" if percent > 0 else "shrank"
        message = f"The data {verb} by {_shown(abs(percent))}%, from {before:,} to {_rows_of(plan.rows)}."
        limit = limits.size_percent
        yield Hold(SIZE, f"{message} The limit is {limit}%.", {**facts, "percent": percent, "limit": limit})


def _creates(limits: Limits, plan: Planned) -> Iterator[Hold]:
    if not plan.creates or not plan.new:
        return
    verb = "was" if plan.new == 1 else "were"
    found = f"{_records(plan.new)} {verb} never sent before. Those that are missing at the destination are created."
    if limits.creates is not None and plan.new > limits.creates:
        yield Hold(CREATES, f"{found} The limit is {limits.creates:,}.", {"new": plan.new, "limit": limits.creates})
    elif limits.first_creates and not plan.agreed:
        message = f"This is the first run that may create records, and needs your approval once. {found}"
        yield Hold(FIRST_CREATES, message, {"new": plan.new})


def _changes(limits: Limits, plan: Planned) -> Iterator[Hold]:
    if plan.full or not plan.synchronized:
        return
    percent = 100 * plan.changed / plan.synchronized
    if _exceeds(percent, plan.changed, limits.change_percent):
        message = (
            f"{plan.changed:,} of {_records(plan.synchronized)} would change ({_shown(percent)}%). "
            f"The limit is {limits.change_percent}%."
        )
        facts = {"changed": plan.changed, "synchronized": plan.synchronized, "percent": percent}
        yield Hold(CHANGES, message, {**facts, "limit": limits.change_percent})


def _exceeds(percent: float, affected: int, limit: int | None) -> bool:
    return limit is not None and affected >= FEW and percent > limit


def _shown(percent: float) -> str:
    """With one decimal place, but never rounded down to the limit: a limit is a whole number."""
    if percent < 1000 and percent != int(percent):
        return f"{max(percent, int(percent) + 0.1):,.1f}"
    return f"{percent:,.0f}"


def _records(number: int) -> str:
    return f"{number:,} record{'' if number == 1 else 's'}"


def _rows_of(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"
