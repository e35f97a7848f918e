"""PURE. When a record that was rejected or skipped is due again."""

from __future__ import annotations

from datetime import datetime, timedelta

SKIP_AGAIN = timedelta(days=1)
REJECTED_AT_MOST = timedelta(days=1)


def next_attempt(attempts: int, run_number: int, now: datetime) -> tuple[int, datetime]:
    """When a row that was rejected `attempts` times is due: after 1, 2, 4, 8 … runs, or after a day if that is sooner.

    Returns:
        The number of the run, and the time.
    """
    return run_number + 2 ** min(attempts - 1, 20), now + REJECTED_AT_MOST
