"""The baseline of a generation in memory: a few packed arrays, and what the database holds beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Max, Min

from activations.models import Generation, Record, Run
from activations.storage import bulk

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

SPARSE = 4
"""A range of the table is read where it holds no more than so many times the rows that are wanted."""
AT_ONCE = 100_000
REGIONS = 1 << 16
BUCKETS, BUCKET_BITS = 1 << 16, 48
LEFT = 8
NEVER_ACCEPTED = 16
SAME = 32
"""Set by a pass: the row needs nothing."""
TRIED = {"": 0, Record.Tried.REJECTED: 1, Record.Tried.SKIPPED: 2, Record.Tried.INVALID: 3}
TRIED_MASK = 7
_OF_GENERATION = {
    "postgresql": "generation_id = %s",
    # Left to itself, SQLite goes by the index and fetches each row from another place of the file: three times as slow.
    "sqlite": "id BETWEEN (SELECT min(id) FROM activations_record WHERE generation_id = %s)"
    " AND (SELECT max(id) FROM activations_record WHERE generation_id = %s) AND +generation_id = %s",
}


class Baseline:
    """Packed arrays sorted by key digest; about 28 bytes a record while it is planned.

    `row_digest` is what a row must have to need no second look: the accepted row's, or, while a refused, skipped or
    invalid row is not due again, that row's own; 0, which no row has, where it is due. `match_digest` belongs to the same row.
    """

    def __init__(self, columns: list[np.ndarray], least: int = 0, width: int = 1) -> None:
        order = np.argsort(columns[0]).astype(np.int32)
        for place in range(len(columns)):
            columns[place] = _in_order(columns[place], order)
        keys, row_digests, match_digests, status, regions = columns
        self.keys = keys
        self.row_digests = row_digests
        self.match_digests = match_digests
        self.status = status
        self.regions = regions
        """In which region of the table each record lies: the first has `width` ids from `least` on, the others follow."""
        self.least = least
        self.width = width
        self.any_tried = bool((self.status & TRIED_MASK).any())
        self.buckets = np.append(
            np.searchsorted(keys, np.arange(-BUCKETS // 2, BUCKETS // 2) << BUCKET_BITS), len(keys)
        )
        """Where the keys of each bucket begin: digests are spread evenly, so each has about as many."""
        self.halvings = int(np.diff(self.buckets).max()).bit_length()
        self.seen = np.zeros(len(keys), dtype=np.uint8)
        """How often: 0, 1, or 2 for more than once."""

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def load(
        cls, generation: Generation, run: Run, now: datetime, *, retry_rejected: bool, retry_skipped: bool
    ) -> Baseline:
        """Reads the baseline once.

        Args:
            retry_rejected, retry_skipped: look at refused or skipped rows again although they are not due.
        """
        ids = Record.objects.aggregate(least=Min("pk"), most=Max("pk"))
        least = ids["least"] or 0
        width = 1 + ((ids["most"] or 0) - least) // REGIONS
        rejected = "1 = 1" if retry_rejected else "retry_run <= %s OR retry_at <= %s"
        skipped = "1 = 1" if retry_skipped else "retry_at <= %s"
        params: list[Any] = [*([] if retry_rejected else [run.number, now]), *([] if retry_skipped else [now])]
        sql = f"""
            SELECT key_digest,
                   CASE WHEN tried = '' THEN row_digest
                        WHEN tried = 'rejected' AND ({rejected}) THEN 0
                        WHEN tried = 'skipped' AND ({skipped}) THEN 0
                        ELSE tried_digest END,
                   CASE WHEN tried = '' THEN match_digest ELSE tried_match END,
                   CAST(CASE tried WHEN 'rejected' THEN 1 WHEN 'skipped' THEN 2 WHEN 'invalid' THEN 3 ELSE 0 END
                        + CASE WHEN left_at IS NULL THEN 0 ELSE {LEFT} END
                        + CASE WHEN accepted_at IS NULL THEN {NEVER_ACCEPTED} ELSE 0 END AS bigint),
                   (id - {least}) / {width}
            FROM activations_record WHERE {_OF_GENERATION[connection.vendor]}"""  # noqa: S608
        columns = bulk.fetch_numbers(
            sql, [*params, *[generation.pk] * sql.count("generation_id")], ["i8", "i8", "i8", "u1", "u2"]
        )
        return cls(columns, least, width)

    def find(self, digests: np.ndarray) -> np.ndarray:
        """The position of each key digest, -1 where it is not there."""
        if not len(self.keys):
            return np.full(len(digests), -1, dtype=np.int64)
        # All digests at once, and only within their bucket: several times as fast as numpy's search through all keys.
        bucket = (digests >> BUCKET_BITS) + BUCKETS // 2
        low, high = self.buckets[bucket], self.buckets[bucket + 1]
        last = len(self.keys) - 1
        for _ in range(self.halvings):
            middle = (low + high) >> 1
            before = self.keys[np.minimum(middle, last)] < digests
            low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
        places = np.minimum(low, last)
        return np.where(self.keys[places] == digests, places, -1)

    def span(self, regions: np.ndarray) -> tuple[int, int]:
        """The first and the last id that these regions, at least one, and those between them may have."""
        return self.least + int(regions.min()) * self.width, self.least + (int(regions.max()) + 1) * self.width - 1

    def accepted(self, digests: np.ndarray) -> np.ndarray:
        """Which of these key digests have something accepted."""
        places = self.find(digests)
        known = places >= 0
        known[known] = self.status[places[known]] & NEVER_ACCEPTED == 0
        return known

    def standing(self, places: np.ndarray) -> np.ndarray:
        """Which of these records are as they were accepted, so that their match digest is the one that was accepted."""
        return (self.status[places] & (NEVER_ACCEPTED | TRIED_MASK)) == 0


_MOMENT = {
    # The smallest number is numpy's "not a time".
    "postgresql": "coalesce((extract(epoch from accepted_at) * 1000000)::bigint, -9223372036854775808)",
    "sqlite": "coalesce(strftime('%%s', accepted_at) * 1000000 + CAST(substr(accepted_at || '000000', 21, 6) AS integer),"
    " -9223372036854775808)",
}
"""When a record was accepted last, in microseconds since 1970."""
STORED: Mapping[str, type[pl.DataType]] = {
    "key_digest": pl.Int64, "field_digests": pl.Binary, "match_digest": pl.Int64, "remote_id": pl.String, "accepted_at": pl.Int64,
    "tried": pl.String, "tried_digest": pl.Int64,
}  # fmt: skip
_UNTRIED = {"tried": pl.lit(""), "tried_digest": pl.lit(0, pl.Int64)}


def _in_order(column: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The column put in order piece by piece: of the whole, numpy would hold another copy."""
    found = np.empty_like(column)
    for start in range(0, len(order), AT_ONCE):
        found[start : start + AT_ONCE] = column[order[start : start + AT_ONCE]]
    return found


def stored(generation: Generation, keys: np.ndarray, span: tuple[int, int], *, tried: bool) -> pl.DataFrame:
    """What the database holds of these records, in columns as `STORED`. Where they lie close together, that range is read.

    Args:
        keys: of each record.
        span: the first and the last id that they may have; it only helps to be fast.
        tried: whether any record was tried in vain; where none was, nobody asks what was tried.
    """
    wanted = np.unique(keys)
    first, last = span
    if last - first < SPARSE * len(keys):
        # The plus keeps SQLite from going by the index of keys.
        near = _fetch("+generation_id = %s AND id BETWEEN %s AND %s", [generation.pk, first, last], tried)
        rows = near.filter(np.isin(near["key_digest"].to_numpy(), wanted))
        if len(rows) == len(wanted):
            return rows
    several = bulk.one_of("key_digest", wanted.tolist())
    return _fetch(f"generation_id = %s AND {several.sql}", [generation.pk, *several.params], tried)


def _fetch(where: str, params: Sequence[Any], tried: bool) -> pl.DataFrame:
    schema = {name: kind for name, kind in STORED.items() if tried or name not in _UNTRIED}
    columns = ", ".join(_MOMENT[connection.vendor] if name == "accepted_at" else name for name in schema)
    found = bulk.fetch_frame(f"SELECT {columns} FROM activations_record WHERE {where}", params, schema)  # noqa: S608
    return found if tried else found.with_columns(**_UNTRIED)
