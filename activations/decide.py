"""PURE. What a run does with one row, with one answer of the vendor, and with a refusal that comes again."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from activations import digests
from activations.baseline import Known
from activations.mapping import Converted, Layout, changed_slots, convert
from core.errors import Rejected, Unavailable
from destinations.contract import Mode

ATTEMPTS = 5
BACKOFF_SECONDS = 1.0
BACKOFF_AT_MOST = 30.0
SKIP_AGAIN = timedelta(days=1)
REFUSED_AT_MOST = timedelta(days=1)
BREAKER_FAILURES = 12


@dataclass(frozen=True)
class Send:
    """Write it: all of it where it is new, else only `changed`."""

    converted: Converted
    changed: list[str]
    is_new: bool
    remote_id: str
    match_digest: int
    field_digests: bytes


@dataclass(frozen=True)
class Same:
    """The row looks different, its values are what was accepted: only the prefilter moves."""

    field_digests: bytes
    match_digest: int


@dataclass(frozen=True)
class Settled:
    """Decided without a request: invalid or skipped, with the reason."""

    outcome: str
    code: str
    message: str
    field: str = ""
    match_digest: int = 0


def for_row(layout: Layout, mode: str, row: Mapping[str, Any], known: Known | None, *, full: bool) -> Send | Same | Settled:
    """What to do with a row that differs from its baseline, or has none."""
    try:
        converted = convert(layout, row)
    except Rejected as refusal:
        return Settled("invalid", refusal.code, refusal.message, refusal.field)
    match_digest = digests.of_text(converted.identity)
    if known is None or known.accepted_at is None:
        return _first(converted, known, match_digest)
    if mode == Mode.INSERT:
        return Settled(
            "skipped", "already_there", "Insert mode never touches a record that the destination has.", match_digest=match_digest
        )
    return _again(layout, converted, known, match_digest, full)


def refused_again(attempts: int, run_number: int, now: datetime) -> tuple[int, datetime]:
    """When a row that was refused `attempts` times is due: after 1, 2, 4, 8 … runs, at most a day."""
    return run_number + 2 ** min(attempts - 1, 20), now + REFUSED_AT_MOST


def backoff_seconds(attempt: int, problem: Unavailable, chance: random.Random) -> float:
    """How long to wait before the next try of one write: what the vendor said, or doubling with jitter."""
    doubling = min(BACKOFF_SECONDS * 2 ** (attempt - 1), BACKOFF_AT_MOST) * (0.5 + chance.random() / 2)
    return max(problem.retry_after or 0.0, doubling)


def may_retry(attempt: int, problem: Unavailable) -> bool:
    """Whether a write that got no usable answer is tried again in this run. Being throttled does not count."""
    return problem.throttled or attempt < ATTEMPTS


def _first(converted: Converted, known: Known | None, match_digest: int) -> Send:
    old = known.field_digests if known else b""
    remote_id = known.remote_id if known else ""
    return Send(converted, list(converted.values), True, remote_id, match_digest, digests.pack(converted.digests, old))


def _again(layout: Layout, converted: Converted, known: Known, match_digest: int, full: bool) -> Send | Same:
    slots = list(changed_slots(layout, converted, known.field_digests, known.accepted_at))
    new_digests = digests.pack(converted.digests, known.field_digests)
    match_changed = match_digest != known.match_digest
    if not full and not slots and not match_changed:
        return Same(new_digests, match_digest)
    changed = list(converted.values) if full else [slot.field.name for slot in slots]
    remote_id = known.remote_id
    if match_changed and layout.service.match_may_change:
        changed.append(layout.match_field.name)
    elif match_changed:
        # The vendor takes another match value for another record: nothing that was accepted counts for it.
        changed, remote_id = list(converted.values), ""
    return Send(converted, changed, False, remote_id, match_digest, new_digests)
