"""The schedules of an activation in the file: an interval, a cron expression, or a time on days of the week."""

from __future__ import annotations

import re
from datetime import time
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from activations import models
from activations.scheduling import definition
from core.errors import Misconfigured
from dinmo.workspace import entities
from dinmo.workspace.kinds.accounts import timezone

if TYPE_CHECKING:
    from dinmo.workspace.block import Block

_EVERY = re.compile(r"([0-9]{1,6}) *(minute|hour|day)s?")
_MINUTES = {"minute": 1, "hour": 60, "day": 1440}
_YEAR = 366 * 1440
_AT = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")


def read(block: Block) -> tuple[entities.Schedule, ...]:
    """The key `schedules` of an activation."""
    result: list[entities.Schedule] = []
    for row in block.blocks("schedules", "A schedule"):
        before = len(row.problems.items)
        schedule = _schedule(row)
        row.close()
        if schedule in result and len(row.problems.items) == before:
            row.problems.add(row.line, "This schedule appears twice.")
        if schedule:
            result.append(schedule)
    return tuple(result)


def columns(schedule: entities.Schedule) -> dict[str, Any]:
    """The values of the database's columns for a schedule."""
    return {
        "kind": schedule.kind,
        "every": schedule.every,
        "unit": schedule.unit,
        "cron": schedule.cron,
        "days": list(schedule.days),
        "at": time.fromisoformat(schedule.at) if schedule.at else None,
        "timezone": ZoneInfo(schedule.timezone),
    }


def _schedule(row: Block) -> entities.Schedule | None:
    kinds = [key for key in ("every", "cron", "days") if row.has(key)]
    if len(kinds) != 1:
        row.problems.add(row.line, "A schedule needs exactly one of `every`, `cron`, or `days` with `at`.")
        row.rest()
        return None
    schedule = {"every": _interval, "cron": _cron, "days": _weekly}[kinds[0]](row)
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


def _is_valid(row: Block, key: str, schedule: entities.Schedule) -> bool:
    try:
        definition.check(models.Schedule(**columns(schedule)))
    except Misconfigured as problem:
        row.report(key, problem.message)
        return False
    return True
