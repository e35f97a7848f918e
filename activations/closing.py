"""What only the whole pass can tell: keys and match values that rows share, take-overs, who left, and the counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from django.db.models import Count, QuerySet

from activations import bulk, bundles, decide, digests, owners
from activations.models import Change, Record
from activations.seen import Seen
from activations.spool import CHUNK, Spool, Tried
from activations.takeovers import takeovers
from destinations.contract import Mode

DUPLICATE_KEY, MATCH_TWIN, KEY_EMPTY = "duplicate_key", "match_twin", "key_empty"


def close(seen: Seen, spool: Spool, mode: str, slots: Mapping[str, int]) -> dict[str, int]:
    """Settles what rows share, marks who left; returns the counts of the run by column. `slots`: by attribute."""
    duplicates = seen.duplicates()
    twins = seen.twins(list(duplicates))
    shared = [*duplicates, *(key for keys in twins.values() for key in keys)]
    spool.draw_out(shared)
    _set_aside(seen, spool, duplicates, twins, shared)
    if mode != Mode.INSERT:
        _take_over(seen, spool, shared, slots)
    left, returned = seen.left(), seen.returned()
    spool.update(left, left_at=spool.began, returned_at=None)
    spool.update(returned, left_at=None, returned_at=spool.began)
    rows_aside = sum(duplicates.values()) + sum(map(len, twins.values()))
    return {**_counts(seen, spool, rows_aside), "left": len(left), "returned": len(returned)}


def _set_aside(seen: Seen, spool: Spool, duplicates: Mapping[int, int], twins: Mapping[int, list[int]], shared: list[int]) -> None:
    """Takes back what was decided for rows that share a key or a match value: none of them is sent."""
    seen.drop(shared)
    keys = _keys(spool, shared)
    for chunk in bulk.chunks(list(duplicates.items()), CHUNK):
        _replace(spool, [(digest, keys.get(digest, ""), _duplicate(keys.get(digest, ""), rows)) for digest, rows in chunk])
    for group in twins.values():
        names = sorted(keys.get(digest, "") for digest in group)
        _replace(spool, [(digest, keys.get(digest, ""), _twin(keys.get(digest, ""), names)) for digest in group])


def _replace(spool: Spool, rows: list[tuple[int, str, decide.Settled]]) -> None:
    """Each reason is told once: it is remembered by the digest of its words, in place of the row's."""
    wanted = [digest for digest, _, _ in rows]
    values: dict[int, list[object]] = {}
    for digest, stored in spool.changes_of(wanted).values_list("key_digest", "values"):
        values.setdefault(digest, []).append(stored)
    before = dict(spool.records.filter(key_digest__in=wanted, tried=Record.Tried.INVALID).values_list("key_digest", "tried_digest"))
    tried = [
        Tried(key, digest, why, row=digests.of_text(why.code + why.message), values=bulk.json_text({"rows": values.get(digest, [])}))
        for digest, key, why in rows
    ]
    spool.replace(tried, {one.key_digest for one in tried if before.get(one.key_digest) == one.row})


def _keys(spool: Spool, wanted: list[int]) -> dict[int, str]:
    """Key digest → key, from this run's changes and from the baseline."""
    found: dict[int, str] = {}
    for chunk in bulk.chunks(wanted, CHUNK):
        found.update(spool.records.filter(key_digest__in=chunk).values_list("key_digest", "key"))
        found.update(spool.changes_of(chunk).values_list("key_digest", "key"))
    return found


def _take_over(seen: Seen, spool: Spool, shared: list[int], slots: Mapping[str, int]) -> None:
    """Notes the keys whose record another key takes over by its match, and has those that take one go by it."""
    accepted = spool.records.filter(accepted_at__isnull=False).values_list("key_digest", "match_digest")
    others = list(accepted.exclude(tried="")) if seen.baseline.any_tried else []
    for chunk in bulk.chunks(shared, CHUNK):
        others.extend(accepted.filter(key_digest__in=chunk))
    keys, matches = np.array(others, dtype=np.int64).reshape(-1, 2).T
    found = takeovers(seen, shared, (keys, matches), owners.match_values(spool.generation))
    spool.robbed = found.robbed
    spool.draw_out([*found.by_match.tolist(), *found.contested.tolist()])
    for chunk in bulk.chunks(found.by_match.tolist(), CHUNK):
        _go_by_match(spool, chunk, slots)
    for chunk in bulk.chunks(found.contested.tolist(), CHUNK):
        with spool.lease.fenced():
            _pending(spool, chunk).update(code=decide.CONTESTED.code, message=decide.CONTESTED.message)


def _go_by_match(spool: Spool, keys: Sequence[int], slots: Mapping[str, int]) -> None:
    """These are written whole, to the record that has their match, which holds nothing of what was accepted for them."""
    rows = [
        [change.pk, "", bulk.json_text(list(change.values)), digests.only(bytes(change.field_digests), change.values, slots)]
        for change in _pending(spool, keys).iterator(chunk_size=CHUNK)
    ]
    with spool.lease.fenced():
        bulk.update(Change, {}, "id", ["remote_id", "changed", "field_digests"], rows)


def _pending(spool: Spool, keys: Sequence[int]) -> QuerySet[Change]:
    return spool.changes_of(keys).filter(state=Change.State.PENDING)


def _counts(seen: Seen, spool: Spool, rows_aside: int) -> dict[str, int]:
    """Every row of the source in exactly one count."""
    mine = Change.objects.filter(run=spool.run)
    pending = dict(mine.filter(state=Change.State.PENDING).values_list("is_new").annotate(Count("pk")).order_by())
    settled = mine.filter(state=Change.State.SETTLED).exclude(code__in=[DUPLICATE_KEY, MATCH_TWIN, KEY_EMPTY])
    outcomes = dict(settled.values_list("outcome").annotate(Count("pk")).order_by())
    packed = bundles.counts(spool.run)
    another = mine.filter(state=Change.State.PENDING, code=decide.ANOTHER.code).count() + packed.another
    new, known = packed.new + pending.get(True, 0), packed.known + pending.get(False, 0)
    return {
        "rows": seen.rows,
        "new": new,
        "known": known,
        "planned": new + known,
        "another": another,
        "unchanged": seen.still(""),
        "waiting": seen.still(Record.Tried.REJECTED),
        "skipped": outcomes.get("skipped", 0) + seen.still(Record.Tried.SKIPPED),
        "invalid": outcomes.get("invalid", 0) + seen.still(Record.Tried.INVALID) + seen.keyless + rows_aside,
    }


def _duplicate(key: str, rows: int) -> decide.Settled:
    words = f"{rows} rows have the key {key!r}. None of them is sent, since any choice would be a guess. Make the key unique."
    return decide.Settled("invalid", DUPLICATE_KEY, words)


def _twin(key: str, names: list[str]) -> decide.Settled:
    others = ", ".join(repr(name) for name in names if name != key)[:300]
    words = f"It shares a match value with {others}, so they would be one record at the destination. None of them is sent."
    return decide.Settled("invalid", MATCH_TWIN, words)
