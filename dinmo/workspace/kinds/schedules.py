"""The schedules of an activation in the file, each with one key for its kind, and optionally a start and an end."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from activations import models
from activations.scheduling import definition
from core.errors import Misconfigured
from dinmo.workspace import entities
from dinmo.workspace.kinds.accounts import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope

_EVERY = re.compile(r"([0-9]{1,6}) *(minute|hour|day)s?")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_YEAR = 366 * 1440
_AT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
PURPOSES = ("run", "drift")
KEYS = ("every", "cron", "days", "after", "when_changed")


def read(block: Block, scope: Scope, name: str) -> tuple[entities.Schedule, ...]:
    """The key `schedules` of an activation.

    Args:
        name: of the activation.
    """
    result: list[entities.Schedule] = []
    for row in block.blocks("schedules", "A schedule"):
        before = len(row.problems.items)
        schedule = _schedule(row)
        row.close()
        if schedule in result and len(row.problems.items) == before:
            row.problems.add(row.line, "This schedule appears twice.")
        if schedule:
            result.append(schedule)
        if schedule and schedule.after:
            scope.deferred["activations"].append(_check_after(row, scope, name))
    return tuple(result)


def columns(schedule: entities.Schedule) -> dict[str, Any]:
    """The values of the database's columns for a schedule, without the activation that it follows."""
    return {
        "purpose": schedule.purpose,
        "kind": schedule.kind,
        "every": schedule.every,
        "unit": schedule.unit,
        "cron": schedule.cron,
        "days": list(schedule.days),
        "at": time.fromisoformat(schedule.at) if schedule.at else None,
        "timezone": ZoneInfo(schedule.timezone),
        "watch_column": schedule.column,
        "starts_at": datetime.fromisoformat(schedule.starts) if schedule.starts else None,
        "ends_at": datetime.fromisoformat(schedule.ends) if schedule.ends else None,
    }


def written(schedule: entities.Schedule) -> dict[str, Any]:
    """The keys of a schedule in the file."""
    every = f"{schedule.every} {schedule.unit}"
    kinds: dict[str, dict[str, Any]] = {
        "interval": {"every": every},
        "cron": {"cron": schedule.cron},
        "weekly": {"days": list(schedule.days), "at": schedule.at},
        "after": {"after": schedule.after},
        "data_changed": {"when_changed": {"every": every, **({"column": schedule.column} if schedule.column else {})}},
    }
    zone = schedule.timezone if schedule.timezone != "UTC" else None
    purpose = schedule.purpose if schedule.purpose != "run" else None
    return {
        **kinds[schedule.kind],
        "purpose": purpose,
        "timezone": zone,
        "starts": schedule.starts,
        "ends": schedule.ends,
    }


def _schedule(row: Block) -> entities.Schedule | None:
    kinds = [key for key in KEYS if row.has(key)]
    if len(kinds) != 1:
        row.problems.add(
            row.line,
            "A schedule needs exactly one of `every`, `cron`, `days` with `at`, `after` or `when_changed`.",
        )
        row.rest()
        return None
    readers: dict[str, Callable[[Block], entities.Schedule | None]] = {
        "every": _interval,
        "cron": _cron,
        "days": _weekly,
        "after": _after,
        "when_changed": _when_changed,
    }
    schedule = _bounded(row, readers[kinds[0]](row))
    purpose = row.choice("purpose", PURPOSES, "run")
    schedule = replace(schedule, purpose=purpose) if schedule else None
    return schedule if schedule and _is_valid(row, kinds[0], schedule) else None


def _interval(row: Block) -> entities.Schedule | None:
    match = _EVERY.fullmatch(row.text("every", required=True).strip())
    if not match or not 1 <= int(match[1]) * _MINUTES[match[2]] <= _YEAR:
        row.report(
            "every",
            "`every` must be a number of minutes, hours or days from one minute to one year, such as `15 minutes`.",
        )
        return None
    return entities.Schedule(kind="interval", every=int(match[1]), unit=f"{match[2]}s")


def _cron(row: Block) -> entities.Schedule:
    return entities.Schedule(
        kind="cron", cron=" ".join(row.text("cron", required=True, longest=100).split()), timezone=timezone(row)
    )


def _weekly(row: Block) -> entities.Schedule | None:
    chosen = [day.lower() for _, day in row.texts("days")]
    zone = timezone(row)
    match = _AT.fullmatch(row.text("at", required=True))
    if not match:
        row.report("at", '`at` must be a time of day, such as "09:00".')
        return None
    unknown = [day for day in chosen if day not in entities.WEEK]
    if unknown or not chosen or len(set(chosen)) != len(chosen):
        row.report("days", f"`days` must list each day only once. Choose from: {', '.join(entities.WEEK)}.")
        return None
    days = tuple(day for day in entities.WEEK if day in chosen)
    return entities.Schedule(kind="weekly", days=days, at=f"{int(match[1]):02}:{match[2]}", timezone=zone)


def _after(row: Block) -> entities.Schedule | None:
    name = row.name("after")
    return entities.Schedule(kind="after", after=name) if name else None


def _when_changed(row: Block) -> entities.Schedule | None:
    block = row.block("when_changed", "`when_changed`")
    every = _interval(block) if block else None
    if block is None or every is None:
        return None
    column = block.text("column")
    block.close()
    return replace(every, kind="data_changed", column=column)


def _bounded(row: Block, schedule: entities.Schedule | None) -> entities.Schedule | None:
    """The schedule with its start and its end."""
    # Of a schedule without times of day, the zone is only that of its start and its end.
    zone = ZoneInfo(schedule.timezone if schedule and schedule.kind in ("cron", "weekly") else timezone(row))
    starts, ends = _moment(row, "starts", zone), _moment(row, "ends", zone)
    return replace(schedule, starts=starts, ends=ends) if schedule else None


def _moment(row: Block, key: str, zone: ZoneInfo) -> str:
    text = row.text(key)
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        row.report(key, f'`{key}` must be a date and time in ISO 8601, such as "2026-12-01T08:00".')
        return ""
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC).isoformat()


def _check_after(row: Block, scope: Scope, name: str) -> Callable[[], None]:
    """A check that the activation exists, and does not run after this one. It waits until all have been read."""

    def check() -> None:
        followed = {
            each.name: [schedule.after for schedule in each.schedules if schedule.after]
            for each in scope.visible("activations").values()
        }
        if scope.find("activations", row, "after") and definition.circle(name, followed):
            row.report("after", f"“{name}” would run after itself.")

    return check


def _is_valid(row: Block, key: str, schedule: entities.Schedule) -> bool:
    # Whether the activation exists is checked once all of them have been read.
    after_id = 0 if schedule.after else None
    try:
        definition.check(models.Schedule(**columns(schedule), after_id=after_id))
    except Misconfigured as problem:
        row.report("ends" if problem.where == "ends_at" else key, problem.message)
        return False
    return True
