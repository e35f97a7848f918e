"""PURE. When a record that was rejected or skipped is due again."""

from __future__ import annotations

from datetime import datetime, timedelta

SKIP_AGAIN = timedelta(days=1)
REFUSED_AT_MOST = timedelta(days=1)


def refused_again(attempts: int, run_number: int, now: datetime) -> tuple[int, datetime]:
    """When a row that was refused `attempts` times is due: after 1, 2, 4, 8 … runs, at most a day."""
    return run_number + 2 ** min(attempts - 1, 20), now + REFUSED_AT_MOST
