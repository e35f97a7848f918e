"""PURE. The kinds of warnings: what each compares, its limits with their defaults, and the event that it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Unit = Literal["percent", "records", "minutes", "times", "switch"]
Value = int | bool | None
HIGHEST = {"percent": 100, "records": 1_000_000_000, "minutes": 100_000, "times": 1_000, "switch": 1}
HIGHEST_CHANGE = 32_767
"""The highest limit of a change in percent: a segment may grow to many times its size."""

REJECTED, INVALID, SKIPPED = "rejected_share", "invalid_share", "skipped_share"
DUPLICATE_MATCH, EMPTY_MATCH = "duplicate_match", "empty_match"
EMPTY_SEGMENT, SIZE_CHANGE, SIZE_TREND, TURNOVER = "empty_segment", "size_change", "size_trend", "turnover"
MISSING_ATTRIBUTE, READ_ONLY_ATTRIBUTE = "missing_attribute", "read_only_attribute"
CHANGED_ATTRIBUTE, LOSSY = "changed_attribute", "lossy_values"
SLOW_RUN, FULL_SYNC, MISSED, STALE = "slow_run", "full_sync", "schedule_missed", "stale"
RUN_FAILED, PAUSED, HELD, DRIFT = "run_failed", "paused", "held", "drift"

EVENTS = {
    "run_failed": "A run failed",
    "paused": "The system paused an activation",
    "held": "A run waits for approval",
    "stale": "An activation is out of date",
    "warning": "A warning opened",
}
"""What a channel can receive. Warnings are sent of activations that turned them on."""


@dataclass(frozen=True)
class Limit:
    """A number above which a warning opens, or a switch that turns it on.

    Args:
        key: its name in `Activation.thresholds` and in the workspace file.
        default: None turns it off.
    """

    key: str
    unit: Unit
    default: Value
    label: str
    help: str = ""
    highest: int = 0

    @property
    def most(self) -> int:
        """The largest value that a person can set."""
        return self.highest or HIGHEST[self.unit]


_AMONG = "Among the records that were sent, or all rows."
_HELD = "The values that the destination holds differently than they were sent, in a scheduled check for drift."
_RESTORE = "Open the activation, then its drift, to restore your values or to leave theirs."
_ATTRIBUTES = "The mapped attributes, compared with those of the destination."
_DROP = "A sudden drop often means that something broke in the source."
_DRIFT = "Compared with the median of the last ten runs, from five runs and 20 rows of difference. Finds a slow drift."
_MOVED, _RESIZED = "Rows that entered or left since the last run", "More or fewer rows than in the last run"
_LOST = "The values that lost decimals, the time of day, fractions of a second or control characters."
_TURNS = "Among the rows of the last run, from 20 rows. The size may be the same."
_CHECKED = "Nothing is sent until this works. DinMo checks it regularly, and then resumes the activation automatically."
_DECIDE = "Nothing has been sent. Open the run to see what it would change, then approve or discard it."
_OVERDUE = "The destination is out of date once this many runs were due."


@dataclass(frozen=True)
class Kind:
    """A kind of warning. `compares` says what it looks at, and `event` is a key of `EVENTS`."""

    slug: str
    label: str
    compares: str
    limits: tuple[Limit, ...] = ()
    event: str = "warning"
    advice: str = ""


KINDS = (
    Kind(
        REJECTED,
        "Many records rejected",
        "The records that the destination rejected, among those that were sent or all rows.",
        (
            Limit("rejected_percent", "percent", 5, "Rejected by the destination", _AMONG),
            Limit("rejected_records", "records", None, "Rejected by the destination"),
        ),
        advice="Open the run to see why they were rejected, by reason.",
    ),
    Kind(
        INVALID,
        "Many records can't be sent",
        "The rows that were not sent because a value is missing, shared or can't be converted.",
        (
            Limit("invalid_percent", "percent", 5, "Can't be sent", "Among all rows."),
            Limit("invalid_records", "records", None, "Can't be sent"),
        ),
        advice="Open the run to see which rows, and correct them in the source.",
    ),
    Kind(
        SKIPPED,
        "Many records skipped",
        "The rows without a record at the destination in update mode, or with one in insert mode.",
        (
            Limit("skipped_percent", "percent", None, "Skipped", "Among all rows."),
            Limit("skipped_records", "records", None, "Skipped"),
        ),
        advice="If these records should be created, change the mode of the activation.",
    ),
    Kind(
        DUPLICATE_MATCH,
        "Duplicate match values",
        "The rows that share their primary key or their match value with a different row.",
        (Limit("duplicate_match_percent", "percent", None, "Duplicate keys and match values", "Among all rows."),),
        advice="Each row needs a key and a match value of its own. Remove the duplicates in the source.",
    ),
    Kind(
        EMPTY_MATCH,
        "Empty match values",
        "The rows without a primary key or a usable match value.",
        (Limit("empty_match_percent", "percent", None, "Empty keys and match values", "Among all rows."),),
        advice="Open the run to see which rows, and complete them in the source.",
    ),
    Kind(
        EMPTY_SEGMENT,
        "No rows",
        "The rows that a run read.",
        (Limit("empty", "switch", True, "No rows", "The run read no rows at all."),),
    ),
    Kind(
        SIZE_CHANGE,
        "Large change in size",
        "The number of rows, compared with the last run.",
        (Limit("size_change_percent", "percent", 30, _RESIZED, _DROP, HIGHEST_CHANGE),),
        advice="Check whether the source is complete.",
    ),
    Kind(
        SIZE_TREND,
        "Unusual size",
        "The number of rows, compared with the median of the last ten runs.",
        (Limit("size_median_percent", "percent", 50, "More or fewer rows than usual", _DRIFT, HIGHEST_CHANGE),),
    ),
    Kind(
        TURNOVER,
        "High turnover",
        "The rows that entered or left since the last run, although the size may be the same.",
        (Limit("turnover_percent", "percent", 50, _MOVED, _TURNS, HIGHEST_CHANGE),),
        advice="Check whether the primary keys of the source changed.",
    ),
    Kind(MISSING_ATTRIBUTE, "Attribute missing or archived", _ATTRIBUTES),
    Kind(
        READ_ONLY_ATTRIBUTE,
        "Attribute is read-only",
        _ATTRIBUTES,
        advice="Make the attribute writable at the destination, or map a different one.",
    ),
    Kind(
        CHANGED_ATTRIBUTE,
        "Attribute type changed",
        "The types of the mapped attributes, compared with those when they were mapped.",
        advice="Check the mapping, and save the activation to confirm the type.",
    ),
    Kind(
        LOSSY,
        "Values converted with loss",
        _LOST,
        (Limit("lossy_percent", "percent", None, "Converted with loss", "Among the values of one attribute."),),
        advice="Map an attribute of a type that fits, or convert the values in the source.",
    ),
    Kind(
        SLOW_RUN,
        "Slow run",
        "How long a run takes.",
        (Limit("run_minutes", "minutes", None, "A run takes longer than", "From its start."),),
    ),
    Kind(
        FULL_SYNC,
        "Full sync",
        "Whether a run sent every record again although nobody requested it.",
        (Limit("full_sync", "switch", False, "Full sync", "A run sends every record again, and nobody requested it."),),
    ),
    Kind(
        MISSED,
        "Schedule missed",
        "The runs that a schedule could not start because DinMo was not running, and that nothing caught up.",
        (Limit("missed_slots", "times", 0, "Missed runs", "In a row, while DinMo was not running."),),
        advice="Check why DinMo was not running. To start missed runs later, turn on “catch up once”.",
    ),
    Kind(
        STALE,
        "Out of date",
        "The time since the last run that completed, compared with the schedules.",
        (Limit("stale_intervals", "times", 2, "Scheduled runs in a row without one that completes", _OVERDUE),),
        event="stale",
        advice="Open the activation to see what keeps its runs from completing.",
    ),
    Kind(
        DRIFT,
        "Edited at the destination",
        _HELD,
        (Limit("drifted_values", "records", 0, "Edited at the destination", "Values found by a scheduled check."),),
        advice=_RESTORE,
    ),
    Kind(RUN_FAILED, "Run failed", "Whether the last run failed.", event="run_failed"),
    Kind(
        PAUSED, "Paused by the system", "Whether what an activation depends on works.", event="paused", advice=_CHECKED
    ),
    Kind(HELD, "Waiting for approval", "What a run would do, compared with the guards.", event="held", advice=_DECIDE),
)
BY_SLUG: Mapping[str, Kind] = {kind.slug: kind for kind in KINDS}
OF_ATTRIBUTES = {"attribute_read_only": READ_ONLY_ATTRIBUTE, "attribute_changed": CHANGED_ATTRIBUTE}
"""The kind of a problem of a mapped attribute by its code. All others are missing."""
CAUSED = frozenset({RUN_FAILED, PAUSED, STALE})  # Kinds that may have a cause in common with other activations.
OPENED_ELSEWHERE = frozenset({PAUSED, HELD, DRIFT})
"""Kinds that no run closes just by completing: whoever opened them does."""


def limits() -> Iterator[Limit]:
    """Every limit, in the order of the kinds."""
    for kind in KINDS:
        yield from kind.limits


DEFAULTS: Mapping[str, Value] = {limit.key: limit.default for limit in limits()}


def label(slug: str) -> str:
    """A kind in words."""
    return BY_SLUG[slug].label if slug in BY_SLUG else slug.replace("_", " ").capitalize()


def event(slug: str) -> str:
    """The event that a kind is, a key of `EVENTS`."""
    return BY_SLUG[slug].event if slug in BY_SLUG else "warning"


def effective(differing: Mapping[str, Value]) -> dict[str, Value]:
    """Every limit by key: the default, or what an activation stores in its place."""
    return {key: differing.get(key, default) for key, default in DEFAULTS.items()}


def differing(values: Mapping[str, Value]) -> dict[str, Value]:
    """What an activation stores: the limits that differ from their defaults."""
    return {key: values[key] for key in DEFAULTS if key in values and values[key] != DEFAULTS[key]}
