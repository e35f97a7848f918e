"""Updates the baseline, which the next run compares with, once a change is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import connection

from activations import digests
from activations.models import Change, Record
from activations.storage import bulk, retry_dates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import numpy as np

CHUNK = 2_000
_NEVER_TRIED = {"tried": "", "tried_digest": 0, "tried_match": 0, "attempts": 0, "retry_run": 0}


def accepted(generation_id: int, changes: Sequence[Change], now: datetime) -> None:
    """Sets the baseline of each record to what was just accepted."""
    fixed = {
        "generation_id": generation_id,
        "accepted_at": connection.ops.adapt_datetimefield_value(now),
        **_NEVER_TRIED,
    }
    columns = ["key", "key_digest", "row_digest", "match_digest", "field_digests", "remote_id"]
    rows = [
        (
            change.key,
            change.key_digest,
            change.row_digest,
            change.match_digest,
            bytes(change.field_digests),
            change.remote_id,
        )
        for change in changes
    ]
    bulk.upsert(
        Record,
        ["generation_id", "key_digest"],
        fixed,
        columns,
        rows,
        ["key", "tried_digest", "tried_match", "retry_run"],
    )


def postpone(change: Change, names: Sequence[str], slots: Mapping[str, int]) -> None:
    """Leaves out of what is accepted with a change the attributes that the destination did not take yet.

    The next run sends them again: with no row digest, the row differs, and no value has the digest of these attributes.
    A change without a row digest is not put off until a later run (see `tried`) if it was skipped.
    """
    waiting = [slots[name] for name in names if name in slots]
    change.field_digests = digests.pack(dict.fromkeys(waiting, digests.IN_DOUBT), bytes(change.field_digests))
    change.row_digest = 0


def tried(
    generation_id: int, run_number: int, changes: Sequence[Change], slots: Mapping[str, int], now: datetime
) -> None:
    """Stores when rejected or skipped rows are due again. What was accepted for them stays as it is.

    A mapping that applies from now on counts as accepted with the value that the row has when the record is first due
    with it, also if the record is rejected then. Otherwise, a change of that value before it is accepted would be lost.

    Args:
        slots: the slot of each attribute.
    """
    if not changes:
        return
    known = Record.objects.filter(generation_id=generation_id, key_digest__in=[change.key_digest for change in changes])
    before = {record.key_digest: record for record in known}
    records = []
    for change in changes:
        record = before.get(change.key_digest) or Record()
        tried_again = _tried(generation_id, run_number, change, record.attempts, now)
        tried_again.field_digests = _with_assumed(record, change, slots)
        records.append(tried_again)
    columns = [
        "tried",
        "tried_digest",
        "tried_match",
        "attempts",
        "retry_run",
        "retry_at",
        "remote_id",
        "field_digests",
    ]
    Record.objects.bulk_create(
        records, update_conflicts=True, unique_fields=["generation", "key_digest"], update_fields=columns
    )


def former_matches(generation_id: int, changes: Sequence[Change], match_field: str) -> dict[int, int]:
    """The match digests that the records of these changes give up, by key digest. Most changes give up none."""
    moving = [change.key_digest for change in changes if change.remote_id and match_field in change.changed]
    if not moving:
        return {}
    records = Record.objects.filter(generation_id=generation_id, key_digest__in=moving)
    return dict(records.values_list("key_digest", "match_digest"))


def forget(generation_id: int, change: Change) -> None:
    """Discards everything that was accepted for this row."""
    records = Record.objects.filter(generation_id=generation_id, key_digest=change.key_digest)
    records.update(accepted_at=None, match_digest=0, row_digest=0, field_digests=b"")


def displace(generation_id: int, key_digests: np.ndarray) -> None:
    """Voids everything that was accepted for records that other rows take over."""
    for chunk in bulk.chunks(key_digests.tolist(), CHUNK):
        records = Record.objects.filter(generation=generation_id, key_digest__in=chunk)
        records.update(accepted_at=None, remote_id="", match_digest=0, row_digest=0, field_digests=b"")


def void(
    generation_id: int, key_digest: int, names: Sequence[str], slots: dict[str, int], *, gone: bool = False
) -> None:
    """Voids the attributes that were sent, because the destination may hold their old or their new values.

    The next run sends each of them again, whatever its value is then. Example: a change from A to B timed out, although
    it was applied, and then the source changes back to A. With its digest of A, the record would keep B forever.

    Args:
        names: the attributes that were sent.
        slots: the slot of each attribute.
        gone: whether the record itself no longer exists, so that all attributes are voided.
    """
    record = Record.objects.filter(generation_id=generation_id, key_digest=key_digest).first()
    if record is None:
        return
    sent = [slots[name] for name in names if name in slots]
    record.field_digests = digests.pack(
        dict.fromkeys(slots.values() if gone else sent, digests.IN_DOUBT), bytes(record.field_digests)
    )
    record.row_digest = 0
    # A name without a slot is that of the match field.
    record.match_digest = 0 if len(sent) < len(names) else record.match_digest
    record.tried = ""
    record.save(update_fields=["field_digests", "row_digest", "match_digest", "tried"])


def _with_assumed(record: Record, change: Change, slots: Mapping[str, int]) -> bytes:
    """The accepted digests, with those of attributes that the change leaves out because they apply from now on."""
    accepted, planned = bytes(record.field_digests), bytes(change.field_digests)
    if record.accepted_at is None:
        return accepted
    assumed = {
        slot: digest
        for name, slot in slots.items()
        if name not in change.changed
        and not digests.unpack(accepted, slot)
        and (digest := digests.unpack(planned, slot))
    }
    return digests.pack(assumed, accepted) if assumed else accepted


def _tried(generation_id: int, run_number: int, change: Change, attempts: int, now: datetime) -> Record:
    rejected = change.outcome == Change.Outcome.REJECTED
    attempts = attempts + 1 if rejected else 0
    due_run, due_at = (
        retry_dates.next_attempt(attempts, run_number, now) if rejected else (0, now + retry_dates.SKIP_AGAIN)
    )
    return Record(
        generation_id=generation_id,
        key=change.key,
        key_digest=change.key_digest,
        tried=change.outcome,
        tried_digest=change.row_digest,
        tried_match=change.match_digest,
        attempts=attempts,
        retry_run=due_run,
        retry_at=due_at,
        remote_id=change.remote_id,
    )
