"""Rate limits: what a vendor allows, what its headers report, and the gate that every request passes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


LONGEST_PAUSE_SECONDS = 120.0
"""The longest wait that a vendor can request while runs stay live. For a longer one, they end and continue then."""


class Purpose(StrEnum):
    """Why a request is sent. Each purpose has its own counter on the run. Only WRITE changes records at the vendor."""

    DISCOVERY = "discovery"
    LOOKUP = "lookup"
    WRITE = "write"


@dataclass(frozen=True)
class Limits:
    """An initial estimate of the vendor's limits, in requests per second. Response headers correct it.

    Args:
        shared: reads and writes draw on one budget of `writes` requests per second.
        find_batch: how many match values one `find` call may look up.
        write_batch: how many records one `write_all` call may write.
    """

    reads: float
    writes: float
    shared: bool = False
    find_batch: int = 1
    write_batch: int = 1

    def lookups(self, records: int) -> int:
        """PURE. How many requests look up these records."""
        return -(-records // self.find_batch)

    def lookup_seconds(self, records: int) -> float:
        """PURE. How many seconds looking up these records takes at least."""
        return self.lookups(records) / (self.writes if self.shared else self.reads)


@dataclass(frozen=True)
class Quota:
    """The state of a request budget, as the vendor's headers report it.

    `remaining` requests until `reset_at`; `limit` requests per window of `window_seconds`.

    Args:
        rolling: the window moves with the clock, so that each request is available again `window_seconds` after it was
            sent, and nothing special happens at `reset_at`.
    """

    remaining: int
    reset_at: datetime
    limit: int | None = None
    window_seconds: float | None = None
    rolling: bool = False


class Gate(Protocol):
    """What a client calls around every request: `wait` before it, `answered` after it, and `learn` with the quota."""

    def wait(self, purpose: Purpose) -> None: ...

    def answered(self, status: int | None, seconds: float) -> None: ...

    def learn(self, purpose: Purpose, quota: Quota) -> None: ...


class OpenGate:
    """A gate that never waits, for forms and single checks."""

    def wait(self, purpose: Purpose) -> None:
        return None

    def answered(self, status: int | None, seconds: float) -> None:
        return None

    def learn(self, purpose: Purpose, quota: Quota) -> None:
        return None
