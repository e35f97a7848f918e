"""PURE. A schedule of an activation, in one shape whether it is read from a file or from the database."""

from __future__ import annotations

from dataclasses import dataclass

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """When runs start.

    Args:
        every: with `unit`, the interval; of a schedule of kind data_changed, how often the data is looked at.
        cron: five fields.
        days: days of the week, with `at` ("HH:MM").
        timezone: of `cron` and `at`.
        after: the name of the activation that runs before.
        column: the column whose largest value shows that the data changed; "" for the source's own counter.
        purpose: what it starts: "run", or "drift" for a check for drift.
        starts: in UTC, ISO 8601; "" if there is no start.
        ends: in UTC, ISO 8601; "" if there is no end.
    """

    kind: str
    every: int | None = None
    unit: str = "minutes"
    cron: str = ""
    days: tuple[str, ...] = ()
    at: str = ""
    timezone: str = "UTC"
    after: str = ""
    column: str = ""
    starts: str = ""
    ends: str = ""
    purpose: str = "run"
