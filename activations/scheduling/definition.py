"""What a schedule says: whether it is valid, when it is due, and in words."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING, TypeVar

from activations.models import Activation, Schedule
from activations.scheduling import cron, slots
from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
LONGEST_INTERVAL = timedelta(days=366)
UPCOMING = 5
"""How many of the next runs are shown."""
_REPEATED = (Schedule.Kind.INTERVAL, Schedule.Kind.DATA_CHANGED)
Key = TypeVar("Key", int, str)
_SHORT = "%-d %b %Y, %H:%M"


def interval(schedule: Schedule) -> timedelta:
    """The time between two slots of an interval, or between two looks at the data."""
    return slots.length(schedule.every, schedule.unit)


def expression(schedule: Schedule) -> str:
    """The cron expression of a cron or weekly schedule.

    Raises:
        Misconfigured: the day or the time of a weekly schedule is missing.
    """
    return " ".join(schedule.cron.split()) if schedule.kind == Schedule.Kind.CRON else _weekly(schedule)


def timing(schedule: Schedule) -> slots.Timing:
    """When runs are due, or when the data is looked at. Not for schedules that follow another activation.

    Raises:
        Misconfigured: as for `expression`.
    """
    repeats = schedule.kind in _REPEATED
    return slots.Timing(
        anchored_at=schedule.anchored_at,
        every=interval(schedule) if repeats else None,
        expression="" if repeats else expression(schedule),
        zone=schedule.timezone,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
    )


def check(schedule: Schedule) -> None:
    """Raises Misconfigured if the schedule is not valid or could never start a run."""
    if schedule.purpose == Schedule.Purpose.DRIFT and schedule.kind == Schedule.Kind.DATA_CHANGED:
        raise Misconfigured("drift_by_time", "A check for drift starts at fixed times.", where="kind")
    if schedule.starts_at and schedule.ends_at and schedule.ends_at <= schedule.starts_at:
        raise Misconfigured("ends_before_start", "The end must be after the start.", where="ends_at")
    if schedule.kind in _REPEATED:
        _check_interval(schedule)
    elif schedule.kind == Schedule.Kind.AFTER:
        if schedule.after_id is None:
            raise Misconfigured("after_missing", "Choose the activation that runs before.", where="after")
    elif not cron.fires_ever(expression(schedule)):
        raise Misconfigured(
            "cron_invalid", f"{schedule} names a day that doesn't exist, so it would never fire.", where="cron"
        )


def words(schedule: Schedule) -> str:
    """When the schedule starts runs, in words. Raises Misconfigured like `check`."""
    check(schedule)
    zone = schedule.timezone
    start = f", from {schedule.starts_at.astimezone(zone):{_SHORT}}" if schedule.starts_at else ""
    end = f", until {schedule.ends_at.astimezone(zone):{_SHORT}}" if schedule.ends_at else ""
    named = schedule.kind in (Schedule.Kind.CRON, Schedule.Kind.WEEKLY) or start or end
    text = f"{_words(schedule)}{start}{end}{f' ({zone})' if named else ''}"
    return f"Check for drift: {text[0].lower()}{text[1:]}" if schedule.purpose == Schedule.Purpose.DRIFT else text


def of_runs(activation: Activation) -> list[Schedule]:
    """The schedules that start runs, without those that check for drift. Uses what was prefetched."""
    return [each for each in activation.schedules.all() if each.purpose == Schedule.Purpose.RUN]


def next_runs(schedule: Schedule, now: datetime, count: int = 3) -> list[datetime]:
    """The next `count` slots after `now`. None are known if a run depends on something else than time."""
    if schedule.kind in (Schedule.Kind.AFTER, Schedule.Kind.DATA_CHANGED):
        return []
    return list(islice(slots.upcoming(timing(schedule), now), count))


def note(schedule: Schedule, upcoming: Sequence[datetime]) -> str:
    """What people should know about the next runs, in the schedule's time zone; "" if there is nothing to know."""
    if schedule.purpose == Schedule.Purpose.DRIFT:
        return "" if upcoming else "It starts as soon as one of that activation has completed."
    if schedule.kind == Schedule.Kind.AFTER:
        return "A run starts as soon as one of that activation has completed."
    if schedule.kind == Schedule.Kind.DATA_CHANGED:
        return "A run starts when the data differs from the last look."
    if not upcoming:
        return "No more runs: the schedule has ended."
    offsets = {moment.utcoffset() for moment in upcoming}
    return "The clocks change between these runs." if len(offsets) > 1 else ""


def circle(start: Key, followed: Mapping[Key, Iterable[Key]]) -> bool:
    """PURE. Whether an activation would run after itself, directly or by way of others.

    Args:
        start: the activation, by its ID or name.
        followed: each activation with those that it runs after.
    """
    seen: set[Key] = set()
    todo = list(followed.get(start, ()))
    while todo:
        one = todo.pop()
        if one == start:
            return True
        if one not in seen:
            seen.add(one)
            todo.extend(followed.get(one, ()))
    return False


def followed_by_all(without: int | None = None) -> dict[int, set[int]]:
    """Each activation with those that it runs after.

    Args:
        without: an activation whose schedules are left out, because they are about to change.
    """
    found: dict[int, set[int]] = {}
    pairs = Schedule.objects.filter(kind=Schedule.Kind.AFTER).exclude(activation=without)
    for activation, after in pairs.values_list("activation", "after"):
        if after is not None:
            found.setdefault(activation, set()).add(after)
    return found


def _check_interval(schedule: Schedule) -> None:
    if not schedule.every:
        raise Misconfigured("interval_invalid", "The interval must be at least one minute.", where="every")
    if interval(schedule) > LONGEST_INTERVAL:
        raise Misconfigured("interval_invalid", "The interval must be at most one year.", where="every")


def _words(schedule: Schedule) -> str:
    every = f"{schedule.every} {schedule.unit}" if schedule.every != 1 else f"{schedule.unit}"[:-1]
    if schedule.kind == Schedule.Kind.INTERVAL:
        return f"Every {every}"
    if schedule.kind == Schedule.Kind.AFTER:
        return f"After “{schedule.after}” has completed"
    if schedule.kind == Schedule.Kind.DATA_CHANGED:
        column = f" by the column “{schedule.watch_column}”" if schedule.watch_column else ""
        return f"When the data changed, checked every {every}{column}"
    return cron.words(expression(schedule))


def _weekly(schedule: Schedule) -> str:
    days = [WEEKDAYS.index(day) for day in schedule.days if day in WEEKDAYS]
    if not days or len(days) != len(schedule.days):
        raise Misconfigured(
            "days_invalid", f"Choose one or more days of the week: {', '.join(WEEKDAYS)}.", where="days"
        )
    if schedule.at is None:
        raise Misconfigured("time_missing", "A weekly schedule needs a time of day.", where="at")
    return f"{schedule.at.minute} {schedule.at.hour} * * {','.join(map(str, sorted(days)))}"
