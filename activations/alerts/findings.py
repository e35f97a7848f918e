"""PURE. What is wrong with a completed run: its numbers, compared with the limits of its activation."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from activations import warning_kinds as kinds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

FEWEST_RUNS, MOST_RUNS = 5, 10
"""How many earlier runs the usual size is derived from."""
FEWEST_ROWS = 20
"""Smaller differences are no trend and no turnover."""


@dataclass(frozen=True)
class Summary:
    """A run in numbers.

    Args:
        sizes: the rows of the completed runs before, the newest first.
        accepted: with the records that were there already.
        retried: how many of the planned records were rejected before, and are the same.
        waiting: rejected before, and not tried again in this run.
        left: how many records were in the last run and are not in this one.
        duplicates, empties: rows with a key or match value that is shared, or missing.
        minutes: how long it took.
        full_reason: why it sent every record again, if nobody requested it.
        lossy: by attribute, how many values lost something when they were converted, and how many were planned.
        missing: mapped attributes that it had to leave out, or whose type changed.
    """

    rows: int
    sizes: Sequence[int] = ()
    accepted: int = 0
    rejected: int = 0
    retried: int = 0
    waiting: int = 0
    invalid: int = 0
    skipped: int = 0
    left: int = 0
    duplicates: int = 0
    empties: int = 0
    minutes: float = 0
    full_reason: str = ""
    lossy: Mapping[str, Sequence[int]] = field(default_factory=dict)
    missing: Sequence[Mapping[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """A reason for a warning to be open. `subject`: the attribute that it is about, if it is about one."""

    kind: str
    message: str
    details: dict[str, Any]
    subject: str = ""

    @property
    def label(self) -> str:
        """The kind in words."""
        return kinds.label(self.kind)


def findings(run: Summary, limits: Mapping[str, kinds.Value], *, enabled: bool = True) -> Iterator[Finding]:
    """The warnings that should be open after a run.

    Attributes with a problem always get one, whatever the settings: otherwise nobody would notice that their values
    no longer arrive.

    Args:
        limits: every limit by key, as `warning_kinds.effective` returns them.
        enabled: whether the activation wants warnings about its numbers.
    """
    yield from _attributes(run)
    if enabled:
        yield from _shares(run, limits)
        yield from _size(run, limits)
        yield from _losses(run, limits["lossy_percent"])
        yield from _course(run, limits)


def _attributes(run: Summary) -> Iterator[Finding]:
    for problem in run.missing:
        kind = kinds.OF_ATTRIBUTES.get(problem["code"], kinds.MISSING_ATTRIBUTE)
        yield Finding(kind, problem["message"], dict(problem), problem["attribute"])


def _shares(run: Summary, limits: Mapping[str, kinds.Value]) -> Iterator[Finding]:
    shares = (
        _rejections(run),
        (kinds.INVALID, "invalid", run.invalid, run.rows, "of the rows can't be sent"),
        (kinds.SKIPPED, "skipped", run.skipped, run.rows, "of the rows were skipped"),
        (kinds.DUPLICATE_MATCH, "duplicate_match", run.duplicates, run.rows, "of the rows share a key or match value"),
        (kinds.EMPTY_MATCH, "empty_match", run.empties, run.rows, "of the rows have no key or match value"),
    )
    for kind, name, part, whole, words in shares:
        share = 100 * part / whole if whole else 0.0
        percent, records = limits[f"{name}_percent"], limits.get(f"{name}_records")
        facts = {"share": share, "part": part, "whole": whole}
        if percent is not None and share > percent:
            yield Finding(kind, f"{share:.1f}% {words} ({part} of {whole}). The limit is {percent}%.", facts)
        elif records is not None and part > records:
            yield Finding(kind, f"{part:,} {words}. The limit is {records:,}.", facts)


def _rejections(run: Summary) -> tuple[str, str, int, int, str]:
    """The share of rejected records: among new attempts, or among all rows if that is larger.

    Records that only were tried again are most of a run if nothing else changed. They are few among all rows.
    """
    part = max(0, run.rejected - run.retried)
    whole, refused = run.accepted + part, run.rejected + run.waiting
    if part * run.rows >= refused * whole and part:
        return kinds.REJECTED, "rejected", part, whole, "of the records sent were rejected"
    return kinds.REJECTED, "rejected", refused, max(run.rows, refused), "of the rows are rejected"


def _losses(run: Summary, limit: kinds.Value) -> Iterator[Finding]:
    """Attributes whose values lost something when they were converted. Their contents are not mentioned."""
    for attribute, (lost, values) in run.lossy.items():
        share = 100 * lost / values
        if _above(share, limit):
            words = (
                f"{share:.1f}% of the values for “{attribute}” were converted with loss ({lost:,} of {values:,}): "
                f"decimals, the time of day or control characters are missing. The limit is {limit}%."
            )
            facts = {"attribute": attribute, "share": share, "part": lost, "whole": values}
            yield Finding(kinds.LOSSY, words, facts, attribute)


def _size(run: Summary, limits: Mapping[str, kinds.Value]) -> Iterator[Finding]:
    if run.rows == 0:
        if limits["empty"]:
            message = "The source returned no rows. If you expected some, check the segment and its source."
            yield Finding(kinds.EMPTY_SEGMENT, message, {"rows": 0})
        return
    if not run.sizes or not run.sizes[0]:
        return
    before = run.sizes[0]
    change = 100 * (run.rows - before) / before
    if _above(abs(change), limits["size_change_percent"]):
        words = f"The number of rows changed by {change:+.1f}% since the last run, from {before} to {run.rows}."
        facts = {"rows": run.rows, "rows_before": before, "change_percent": change}
        yield Finding(kinds.SIZE_CHANGE, f"{words} The limit is {limits['size_change_percent']}%.", facts)
    else:
        yield from _trend(run, limits["size_median_percent"])
    yield from _turnover(run, before, limits["turnover_percent"])


def _trend(run: Summary, limit: kinds.Value) -> Iterator[Finding]:
    """A change that no single run shows. A sudden one is reported as such."""
    sizes = run.sizes[:MOST_RUNS]
    usual = median(sizes)
    if len(sizes) < FEWEST_RUNS or not usual or abs(run.rows - usual) < FEWEST_ROWS:
        return
    change = 100 * (run.rows - usual) / usual
    if _above(abs(change), limit):
        words = f"{run.rows:,} rows: {change:+.1f}% against {usual:,.0f}, the median of the last {len(sizes)} runs."
        facts = {"rows": run.rows, "median": usual, "runs": len(sizes), "change_percent": change}
        yield Finding(kinds.SIZE_TREND, f"{words} The limit is {limit}%.", facts)


def _turnover(run: Summary, before: int, limit: kinds.Value) -> Iterator[Finding]:
    """Rows that entered or left. A segment can keep its size and still consist of different rows."""
    entered = max(0, run.rows - before + run.left)
    moved = min(entered, run.left)
    share = 100 * (entered + run.left) / before
    # Rows that only entered, or only left, are a change in size.
    if moved >= FEWEST_ROWS and _above(share, limit):
        words = (
            f"{entered:,} rows entered and {run.left:,} left since the last run, {share:.1f}% of its {before:,} rows."
        )
        facts = {"entered": entered, "left": run.left, "rows_before": before, "share": share}
        yield Finding(kinds.TURNOVER, f"{words} The limit is {limit}%.", facts)


def _course(run: Summary, limits: Mapping[str, kinds.Value]) -> Iterator[Finding]:
    if _above(run.minutes, limits["run_minutes"]):
        words = f"The run took {run.minutes:,.0f} minutes. The limit is {limits['run_minutes']}."
        yield Finding(kinds.SLOW_RUN, words, {"minutes": round(run.minutes, 1)})
    if run.full_reason and limits["full_sync"]:
        words = f"The run sent every record again. {run.full_reason}."
        yield Finding(kinds.FULL_SYNC, words, {"reason": run.full_reason})


def _above(number: float, limit: kinds.Value) -> bool:
    return limit is not None and number > limit
