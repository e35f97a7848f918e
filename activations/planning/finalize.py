"""Settles what is known only after the whole pass: shared keys and match values, takeovers, leavers and counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Count, QuerySet

from activations import digests, reasons
from activations.models import Change, Record
from activations.planning import one_record
from activations.planning.takeovers import takeovers
from activations.planning.writer import CHUNK, ChangeWriter, SettledRow
from activations.storage import bulk, bundles, match_owners
from core.text.listing import listed
from destinations.contract import Mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from activations.planning.source_scan import SourceScan

DUPLICATE_KEY, MATCH_TWIN, KEY_EMPTY, LINE_UNREADABLE = "duplicate_key", "match_twin", "key_empty", "line_unreadable"
COUNTED_APART = (DUPLICATE_KEY, MATCH_TWIN, KEY_EMPTY, LINE_UNREADABLE)
"""Reasons of which not every row is listed, or which replaced what was decided before."""
MOST_TWINS, LONGEST_KEY = 5, 60
"""How many of the rows that share a match value are named, and how many characters of their keys."""
UNTRIED: Mapping[str, Any] = {
    "tried": Record.Tried.NOTHING, "tried_digest": 0, "tried_match": 0, "attempts": 0, "retry_run": 0, "retry_at": None,
}  # fmt: skip


def finalize(scan: SourceScan, writer: ChangeWriter, mode: str, slots: Mapping[str, int]) -> dict[str, int]:
    """Settles rows that share a key or a match value, resolves takeovers, and marks the records that left or returned.

    Args:
        slots: the slot of each attribute.

    Returns:
        The run's counts, by column.
    """
    duplicates = scan.duplicates()
    twins = scan.twins(list(duplicates))
    shared = [*duplicates, *(key for keys in twins.values() for key in keys)]
    writer.unpack(shared)
    _set_aside(scan, writer, duplicates, twins, shared)
    if writer.run.only_key:
        one_record.refuse_held(scan, writer)
    elif mode != Mode.INSERT:
        _resolve_takeovers(scan, writer, shared, slots)
    left, returned = scan.left()[: 0 if writer.run.only_key else None], scan.returned()
    writer.update(left, left_at=writer.started_at, returned_at=None)
    writer.update(returned, left_at=None, returned_at=writer.started_at)
    if not writer.run.only_key:
        # Otherwise, pages would list records that are no longer in the data among those that wait for a retry.
        writer.update(scan.forgotten(), **UNTRIED)
    rows_aside = sum(duplicates.values()) + sum(map(len, twins.values()))
    return {**_counts(scan, writer, rows_aside), "left": len(left), "returned": len(returned)}


def _set_aside(
    scan: SourceScan,
    writer: ChangeWriter,
    duplicates: Mapping[int, int],
    twins: Mapping[int, list[int]],
    shared: list[int],
) -> None:
    """Replaces what was decided for rows that share a key or a match value: none of them is sent."""
    scan.exclude(shared)
    keys = _keys(writer, shared)
    for chunk in bulk.chunks(list(duplicates.items()), CHUNK):
        _replace(
            writer, [(digest, keys.get(digest, ""), _duplicate(keys.get(digest, ""), rows)) for digest, rows in chunk]
        )
    for group in twins.values():
        why = _twin(sorted(keys.get(digest, "") for digest in group))
        _replace(writer, [(digest, keys.get(digest, ""), why) for digest in group])


def _replace(writer: ChangeWriter, rows: list[tuple[int, str, reasons.Settled]]) -> None:
    """Settles these rows: key digest, key and reason of each.

    A reason is reported once. To recognize it, the digest of its text is stored in place of the row's digest.
    """
    key_digests = [digest for digest, _, _ in rows]
    values: dict[int, list[object]] = {}
    names: dict[int, str] = {}
    for digest, stored, name in writer.changes_of(key_digests).values_list("key_digest", "values", "name"):
        values.setdefault(digest, []).append(stored)
        names[digest] = name
    before = dict(
        writer.records.filter(key_digest__in=key_digests, tried=Record.Tried.INVALID).values_list(
            "key_digest", "tried_digest"
        )
    )
    settled = [
        SettledRow(
            key,
            digest,
            why,
            row=digests.of_text(why.code + why.message),
            values=bulk.json_text({"rows": values.get(digest, [])}),
            name=names.get(digest, ""),
        )
        for digest, key, why in rows
    ]
    writer.replace(settled, {row.key_digest for row in settled if before.get(row.key_digest) == row.row})


def _keys(writer: ChangeWriter, key_digests: list[int]) -> dict[int, str]:
    """Key digest → key, from the baseline and this run's changes."""
    keys: dict[int, str] = {}
    for chunk in bulk.chunks(key_digests, CHUNK):
        keys.update(writer.records.filter(key_digest__in=chunk).values_list("key_digest", "key"))
        keys.update(writer.changes_of(chunk).values_list("key_digest", "key"))
    return keys


def _resolve_takeovers(scan: SourceScan, writer: ChangeWriter, shared: list[int], slots: Mapping[str, int]) -> None:
    """Notes whose record a different key takes over by its match value, and redirects the keys that take one over."""
    accepted = writer.records.filter(accepted_at__isnull=False).values_list("key_digest", "match_digest")
    others = list(accepted.exclude(tried="")) if scan.baseline.any_tried else []
    for chunk in bulk.chunks(shared, CHUNK):
        others.extend(accepted.filter(key_digest__in=chunk))
    keys, matches = np.array(others, dtype=np.int64).reshape(-1, 2).T
    result = takeovers(scan, shared, (keys, matches), match_owners.match_values(writer.generation))
    writer.displaced = result.displaced
    writer.unpack([*result.by_match.tolist(), *result.contested.tolist()])
    for chunk in bulk.chunks(result.by_match.tolist(), CHUNK):
        _write_by_match(writer, chunk, slots)
    for chunk in bulk.chunks(result.contested.tolist(), CHUNK):
        with writer.lease.fenced():
            _pending(writer, chunk).update(
                lookup_first=True, code=reasons.CONTESTED.code, message=reasons.CONTESTED.message
            )


def _write_by_match(writer: ChangeWriter, keys: Sequence[int], slots: Mapping[str, int]) -> None:
    """Redirects these changes to the record that has their match value.

    They are written whole, because that record has none of the values that were accepted for them.
    """
    rows = [
        [
            change.pk,
            "",
            bulk.json_text(list(change.values)),
            digests.only(bytes(change.field_digests), change.values, slots),
        ]
        for change in _pending(writer, keys).iterator(chunk_size=CHUNK)
    ]
    with writer.lease.fenced():
        bulk.update(Change, {}, "id", ["remote_id", "changed", "field_digests"], rows)


def _pending(writer: ChangeWriter, keys: Sequence[int]) -> QuerySet[Change]:
    return writer.changes_of(keys).filter(state=Change.State.PENDING)


def _counts(scan: SourceScan, writer: ChangeWriter, rows_aside: int) -> dict[str, int]:
    """Every row of the source in exactly one count."""
    changes = Change.objects.filter(run=writer.run)
    pending = dict(changes.filter(state=Change.State.PENDING).values_list("is_new").annotate(Count("pk")).order_by())
    settled = changes.filter(state=Change.State.SETTLED).exclude(code__in=COUNTED_APART)
    outcomes = dict(settled.values_list("outcome").annotate(Count("pk")).order_by())
    packed = bundles.counts(writer.run)
    other_record = changes.filter(state=Change.State.PENDING, code=reasons.ANOTHER.code).count() + packed.another
    new, known = packed.new + pending.get(True, 0), packed.known + pending.get(False, 0)
    aside = scan.keyless + scan.skipped_lines + rows_aside
    return {
        "rows": scan.rows + scan.skipped_lines,
        "new": new,
        "known": known,
        "planned": new + known,
        "another": other_record,
        "unchanged": scan.count_no_action(""),
        "waiting": scan.count_no_action(Record.Tried.REJECTED),
        "skipped": outcomes.get("skipped", 0) + scan.count_no_action(Record.Tried.SKIPPED),
        "invalid": outcomes.get("invalid", 0) + scan.count_no_action(Record.Tried.INVALID) + aside,
    }


def _duplicate(key: str, rows: int) -> reasons.Settled:
    message = (
        f"{rows} rows have the key “{key}”. None of them is sent, because any choice would be a guess. Make the key "
        "unique in the source."
    )
    return reasons.Settled("invalid", DUPLICATE_KEY, message)


def _twin(keys: list[str]) -> reasons.Settled:
    """The same words for each of these rows, so that pages can tell which rows belong together."""
    named = listed([f"“{key[:LONGEST_KEY]}”" for key in keys], MOST_TWINS)
    message = (
        f"{len(keys):,} rows share a match value: {named}. They would be one record at the destination, so none of "
        "them is sent. Give each row its own match value in the source."
    )
    return reasons.Settled("invalid", MATCH_TWIN, message)
