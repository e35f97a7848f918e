"""PURE. How fast a run sends, and how long the rest takes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from core.text.listing import counted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

WINDOW = timedelta(minutes=1)
LEAST_SETTLED, LEAST_SECONDS = 20, 5.0
"""Before a run has settled as many records for as long, nothing is said about its end."""


def per_second(settled: Sequence[datetime], now: datetime) -> float:
    """Records per second in the last minute; 0 if too few were settled to tell.

    Args:
        settled: when the latest records were settled, in any order. They may reach back less than a minute.
    """
    recent = [time for time in settled if now - WINDOW <= time <= now]
    seconds = (now - min(recent)).total_seconds() if recent else 0.0
    if len(recent) < LEAST_SETTLED or seconds < LEAST_SECONDS:
        return 0.0
    return len(recent) / seconds


def time_left(remaining: int, rate: float) -> str:
    """How long the rest takes, such as "about 4 minutes left"; "" if that is not known.

    Args:
        rate: records per second.
    """
    if remaining <= 0 or rate <= 0:
        return ""
    minutes = remaining / rate / 60
    if minutes < 1:
        return "less than a minute left"
    if minutes < 90:
        return f"about {counted(round(minutes), 'minute')} left"
    return f"about {counted(round(minutes / 60), 'hour')} left"
