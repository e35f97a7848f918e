"""What a simulator checks before a request reaches an endpoint: the token, and the rate limit."""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.sandbox.wire import Request

UNLIMITED = 1_000_000


def token_of(request: Request) -> str:
    """The token from either scheme: Bearer, or Basic with the token as the user name and no password."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return credential.strip() if scheme.lower() == "bearer" else ""
    try:
        return base64.b64decode(credential).decode().partition(":")[0]
    except ValueError:
        return ""


class Bucket:
    """A token bucket that refills continuously, up to the tokens of one second. A rate of 0 means no limit."""

    def __init__(self) -> None:
        self.level: float | None = None
        self.refilled_at = 0.0

    def take(self, rate: float, now: float) -> bool:
        """Takes one token if there is one, and returns whether there was. `rate` is per second, `now` in seconds."""
        if not rate:
            return True
        level = rate if self.level is None else min(rate, self.level + (now - self.refilled_at) * rate)
        self.refilled_at = now
        self.level = level - 1 if level >= 1 else level
        return level >= 1


class Window:
    """Counts requests in fixed time windows.

    Args:
        clock: seconds since 1970.
        counts_itself: whether the `Remaining` header already excludes the request that it answers.
    """

    def __init__(self, clock: Callable[[], float], *, counts_itself: bool = True) -> None:
        self.clock = clock
        self.counts_itself = counts_itself
        self.number = -1
        self.used = 0
        self.headers: dict[str, str] = {}

    def take(self, limit: int, seconds: float) -> bool:
        """Counts one request and returns whether the limit of the window allows it. A limit of 0 allows all."""
        unlimited = not limit
        limit = limit or UNLIMITED
        number = int(self.clock() // seconds)
        if number != self.number:
            self.number, self.used = number, 0
        remaining = max(0, limit - self.used)
        shown = remaining - 1 if remaining and self.counts_itself else remaining
        self.headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(shown),
            "X-RateLimit-Reset": str(math.ceil((number + 1) * seconds)),
        }
        if remaining and not unlimited:
            self.used += 1
        return bool(remaining)
