"""The baseline of a generation in memory, as a snapshot in packed arrays; field digests are fetched when needed.

Why arrays: planning looks up every row of the source, and most rows are unchanged. A query for each chunk of keys costs
about five seconds more per million rows, and a Python dict takes 220 bytes a record. The arrays take about 28 bytes and
load in a second: 28 MB for a million records, 280 MB for ten million. Field digests, 8 bytes for each mapping, stay in
the database until a row differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Max, Min

from activations.digests import of_text
from activations.models import Generation, Record, Run
from activations.storage import fetch

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

SPARSE = 4
"""A range of the table is read as a whole if it has less than this many times the rows that are wanted."""
PIECE = 100_000
"""How many rows are reordered at a time."""
REGIONS = 1 << 16
BUCKETS, BUCKET_BITS = 1 << 16, 48
LEFT = 8
NEVER_ACCEPTED = 16
NO_ACTION = 32
"""Set by a pass: the row is unchanged, or not due again yet."""
TRIED = {"": 0, Record.Tried.REJECTED: 1, Record.Tried.SKIPPED: 2, Record.Tried.INVALID: 3}
TRIED_MASK = 7
_OF_GENERATION = {
    "postgresql": "generation_id = %s",
    # By the index, SQLite would fetch each row from a different place in the file: three times as slow.
    "sqlite": "id BETWEEN (SELECT min(id) FROM activations_record WHERE generation_id = %s)"
    " AND (SELECT max(id) FROM activations_record WHERE generation_id = %s) AND +generation_id = %s",
}


class Baseline:
    """Packed arrays sorted by key digest.

    A row whose digest equals the one in `row_digests` needs no action. That is the digest of the accepted row; or of
    the rejected, skipped or invalid row while it is not due again; or 0, which no row has, if it is due.
    `match_digests` belong to the same row.
    """

    def __init__(self, columns: list[np.ndarray], first_id: int = 0, region_ids: int = 1) -> None:
        order = np.argsort(columns[0]).astype(np.int32)
        for place in range(len(columns)):
            columns[place] = _in_order(columns[place], order)
        keys, row_digests, match_digests, status, regions = columns
        self.keys = keys
        self.row_digests = row_digests
        self.match_digests = match_digests
        self.status = status
        self.regions = regions
        """The region of the table in which each record is stored.

        A region is `region_ids` consecutive IDs; the first starts at `first_id`. With these two bytes for each record,
        records that are stored close together can be read as one range.
        """
        self.first_id = first_id
        self.region_ids = region_ids
        self.any_tried = bool((self.status & TRIED_MASK).any())
        self.buckets = np.append(
            np.searchsorted(keys, np.arange(-BUCKETS // 2, BUCKETS // 2) << BUCKET_BITS), len(keys)
        )
        """Where the keys of each bucket start. Digests are evenly distributed, so buckets are about the same size."""
        self.halvings = int(np.diff(self.buckets).max()).bit_length()
        self.occurrences = np.zeros(len(keys), dtype=np.uint8)
        """How many rows a pass has found with each key: 0, 1, or 2 for more than one."""

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def load(
        cls, generation: Generation, run: Run, now: datetime, *, retry_rejected: bool, retry_skipped: bool
    ) -> Baseline:
        """Reads the baseline from the database, in one query.

        A one-record run has only its own record, so that nothing can be decided about any other. It is always due.

        Args:
            retry_rejected, retry_skipped: whether rejected or skipped rows are tried again before they are due.
        """
        ids = Record.objects.aggregate(first=Min("pk"), last=Max("pk"))
        first_id = ids["first"] or 0
        region_ids = 1 + ((ids["last"] or 0) - first_id) // REGIONS
        rejected = "1 = 1" if retry_rejected else "retry_run <= %s OR retry_at <= %s"
        skipped = "1 = 1" if retry_skipped else "retry_at <= %s"
        params: list[Any] = [*([] if retry_rejected else [run.number, now]), *([] if retry_skipped else [now])]
        sql = f"""
            SELECT key_digest,
                   CASE WHEN tried = '' THEN row_digest
                        WHEN tried = 'rejected' AND ({rejected}) THEN 0
                        WHEN tried = 'skipped' AND ({skipped}) THEN 0
                        ELSE {"0" if run.only_key else "tried_digest"} END,
                   CASE WHEN tried = '' THEN match_digest ELSE tried_match END,
                   CAST(CASE tried WHEN 'rejected' THEN 1 WHEN 'skipped' THEN 2 WHEN 'invalid' THEN 3 ELSE 0 END
                        + CASE WHEN left_at IS NULL THEN 0 ELSE {LEFT} END
                        + CASE WHEN accepted_at IS NULL THEN {NEVER_ACCEPTED} ELSE 0 END AS bigint),
                   (id - {first_id}) / {region_ids}
            FROM activations_record WHERE {_OF_GENERATION[connection.vendor]}"""  # noqa: S608
        values = [*params, *[generation.pk] * sql.count("generation_id")]
        if run.only_key:
            sql, values = sql + " AND key_digest = %s", [*values, of_text(run.only_key)]
        columns = fetch.fetch_numbers(sql, values, ["i8", "i8", "i8", "u1", "u2"])
        return cls(columns, first_id, region_ids)

    def find(self, digests: np.ndarray) -> np.ndarray:
        """The place of each key digest, -1 if it is not in the baseline."""
        if not len(self.keys):
            return np.full(len(digests), -1, dtype=np.int64)
        # A binary search for all digests in parallel, each within its own bucket. It is several times as fast as
        # numpy's search through all keys: ten million keys need 24 steps, those of a bucket about 8.
        bucket = (digests >> BUCKET_BITS) + BUCKETS // 2
        low, high = self.buckets[bucket], self.buckets[bucket + 1]
        last = len(self.keys) - 1
        for _ in range(self.halvings):
            middle = (low + high) >> 1
            before = self.keys[np.minimum(middle, last)] < digests
            low, high = np.where(before, middle + 1, low), np.where(before, high, middle)
        places = np.minimum(low, last)
        return np.where(self.keys[places] == digests, places, -1)

    def knows(self, digests: np.ndarray) -> np.ndarray:
        """Which key digests are in the baseline."""
        known: np.ndarray = self.find(digests) >= 0
        return known

    def synchronized(self) -> int:
        """How many records were accepted before, without those that left and that no row has."""
        accepted = self.status & NEVER_ACCEPTED == 0
        return int((accepted & ((self.status & LEFT == 0) | (self.occurrences > 0))).sum())

    def id_range(self, regions: np.ndarray) -> tuple[int, int]:
        """The first and the last ID that these regions (at least one), and those between them, may contain."""
        first, end = int(regions.min()), int(regions.max()) + 1
        return self.first_id + first * self.region_ids, self.first_id + end * self.region_ids - 1

    def has_accepted(self, digests: np.ndarray) -> np.ndarray:
        """Which of these key digests belong to a record of which something was accepted."""
        places = self.find(digests)
        known = places >= 0
        known[known] = self.status[places[known]] & NEVER_ACCEPTED == 0
        return known

    def as_accepted(self, places: np.ndarray) -> np.ndarray:
        """Which of these records were accepted at their last attempt, and so have an accepted match digest."""
        return (self.status[places] & (NEVER_ACCEPTED | TRIED_MASK)) == 0


_ACCEPTED_AT = {
    # The smallest integer is numpy's "not a time".
    "postgresql": "coalesce((extract(epoch from accepted_at) * 1000000)::bigint, -9223372036854775808)",
    "sqlite": "coalesce(strftime('%%s', accepted_at) * 1000000"
    " + CAST(substr(accepted_at || '000000', 21, 6) AS integer), -9223372036854775808)",
}
"""SQL for the time when a record was last accepted, in microseconds since 1970."""
RECORD_COLUMNS: Mapping[str, type[pl.DataType]] = {
    "key_digest": pl.Int64,
    "field_digests": pl.Binary,
    "match_digest": pl.Int64,
    "remote_id": pl.String,
    "accepted_at": pl.Int64,
    "tried": pl.String,
    "tried_digest": pl.Int64,
}
_UNTRIED = {"tried": pl.lit(""), "tried_digest": pl.lit(0, pl.Int64)}


def _in_order(column: np.ndarray, order: np.ndarray) -> np.ndarray:
    """The reordered column, copied piece by piece: for a whole column, numpy would hold one more copy."""
    ordered = np.empty_like(column)
    for start in range(0, len(order), PIECE):
        ordered[start : start + PIECE] = column[order[start : start + PIECE]]
    return ordered


def fetch_records(generation: Generation, keys: np.ndarray, id_range: tuple[int, int], *, tried: bool) -> pl.DataFrame:
    """These records in the columns of `RECORD_COLUMNS`, as far as they exist.

    If they are stored close together, their range of the table is read, which is faster than a lookup of each key.

    Args:
        keys: the key digests of the records.
        id_range: the first and the last ID that they may have. It only affects speed.
        tried: whether any record of the baseline has a last attempt that was not accepted. If not, `tried` and
            `tried_digest` are not read.
    """
    wanted = np.unique(keys)
    first, last = id_range
    if last - first < SPARSE * len(keys):
        # The plus sign keeps SQLite from using the index of key digests.
        in_range = _fetch("+generation_id = %s AND id BETWEEN %s AND %s", [generation.pk, first, last], tried)
        rows = in_range.filter(np.isin(in_range["key_digest"].to_numpy(), wanted))
        if len(rows) == len(wanted):
            return rows
    condition = fetch.one_of("key_digest", wanted.tolist())
    return _fetch(f"generation_id = %s AND {condition.sql}", [generation.pk, *condition.params], tried)


def _fetch(where: str, params: Sequence[Any], tried: bool) -> pl.DataFrame:
    schema = {name: kind for name, kind in RECORD_COLUMNS.items() if tried or name not in _UNTRIED}
    columns = ", ".join(_ACCEPTED_AT[connection.vendor] if name == "accepted_at" else name for name in schema)
    frame = fetch.fetch_frame(f"SELECT {columns} FROM activations_record WHERE {where}", params, schema)  # noqa: S608
    return frame if tried else frame.with_columns(**_UNTRIED)
