"""PURE. What the headers of an answer say about waiting: Retry-After, and the state of the request budget."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from core import http
from destinations.contract import Quota

if TYPE_CHECKING:
    from collections.abc import Mapping

CLOCK_TOLERANCE_SECONDS = 2.0
"""The Date header has whole seconds, and the answer took time to arrive. Smaller differences are no wrong clock."""


def vendor_time(
    headers: Mapping[str, str], now: datetime, *, tolerance_seconds: float = CLOCK_TOLERANCE_SECONDS
) -> datetime:
    """The vendor's time according to the Date header, so that a wrong clock on our side does not change a wait."""
    date = http.date(headers.get("Date", ""))
    return now if date is None or abs((date - now).total_seconds()) < tolerance_seconds else date


def retry_after(
    headers: Mapping[str, str], now: datetime, *, tolerance_seconds: float = CLOCK_TOLERANCE_SECONDS
) -> float | None:
    """The wait in seconds that a Retry-After header requests; a date in it is read by the vendor's clock."""
    return http.retry_after(headers, vendor_time(headers, now, tolerance_seconds=tolerance_seconds))


@dataclass(frozen=True)
class QuotaHeaders:
    """The names of the headers in which a vendor reports its request budget, and how to read them.

    Args:
        reset: the header with the end of the window; "" if there is none, and `window_seconds` is assumed to be left.
        reset_is: `moment`: Unix time in seconds. `seconds`: the seconds that are left.
        window_seconds: the length of a window, if the vendor documents one.
        counts_itself: whether `remaining` already excludes the request that it answers.
        rolling: see `Quota.rolling`.
    """

    limit: str = "X-RateLimit-Limit"
    remaining: str = "X-RateLimit-Remaining"
    reset: str = "X-RateLimit-Reset"
    reset_is: Literal["moment", "seconds"] = "moment"
    window_seconds: float | None = None
    counts_itself: bool = True
    rolling: bool = False

    def read(self, headers: Mapping[str, str], now: datetime) -> Quota | None:
        """The quota, with its end on our clock; None if the headers are missing or can't be read.

        An end further away than a vendor can make anyone wait is not believed.
        """
        try:
            remaining = int(headers[self.remaining])
            limit = int(headers[self.limit]) if self.limit in headers else None
            reset_at = min(self._reset_at(headers, now), now + timedelta(seconds=http.LONGEST_WAIT_SECONDS))
        except (KeyError, ValueError, OverflowError):
            return None
        return Quota(
            max(0, remaining if self.counts_itself else remaining - 1),
            reset_at,
            limit,
            self.window_seconds,
            self.rolling,
        )

    def _reset_at(self, headers: Mapping[str, str], now: datetime) -> datetime:
        if not self.reset:
            return now + timedelta(seconds=self.window_seconds or 0.0)
        reset = float(headers[self.reset])
        if self.reset_is == "seconds":
            return now + timedelta(seconds=reset)
        return now + timedelta(seconds=reset - vendor_time(headers, now).timestamp())
