"""The baseline of a generation in memory: a few packed arrays, and what the database holds beside them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection
from django.db.models import Min

from activations import bulk
from activations.models import Generation, Record, Run

SPARSE = 4
"""A range of the table is read where it holds no more than so many times the rows that are wanted."""
LEFT = 8
NEVER_ACCEPTED = 16
TRIED = {"": 0, Record.Tried.REJECTED: 1, Record.Tried.SKIPPED: 2, Record.Tried.INVALID: 3}
TRIED_MASK = 7
_OF_GENERATION = {
    "postgresql": "generation_id = %s",
    # Left to itself, SQLite goes by the index and fetches each row from another place of the file: three times as slow.
    "sqlite": "id BETWEEN (SELECT min(id) FROM activations_record WHERE generation_id = %s)"
    " AND (SELECT max(id) FROM activations_record WHERE generation_id = %s) AND +generation_id = %s",
}


class Baseline:
    """Packed arrays sorted by key digest; about 30 bytes a record while it is planned.

    `row_digest` is what a row must have to need no second look: the accepted row's, or, while a refused, skipped or
    invalid row is not due again, that row's own; 0, which no row has, where it is due. `match_digest` belongs to the same row.
    """

    def __init__(self, columns: Sequence[np.ndarray], least: int = 0) -> None:
        keys, row_digests, match_digests, status, ids = columns
        order = np.argsort(keys)
        for column in columns:
            column[:] = column[order]
        self.keys = keys
        self.row_digests = row_digests
        self.match_digests = match_digests
        self.status = status
        self.ids = ids
        """Where the records lie in the table, counted from `least`; right for all but the largest of tables."""
        self.least = least
        self.any_tried = bool((self.status & TRIED_MASK).any())
        self.seen = np.zeros(len(keys), dtype=np.uint8)
        """How often: 0, 1, or 2 for more than once."""
        self.same = np.zeros(len(keys), dtype=bool)

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def load(cls, generation: Generation, run: Run, now: datetime, *, retry_rejected: bool, retry_skipped: bool) -> Baseline:
        """Reads the baseline once.

        Args:
            retry_rejected, retry_skipped: look at refused or skipped rows again although they are not due.
        """
        least = Record.objects.aggregate(least=Min("pk"))["least"] or 0
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
                   id - {least}
            FROM activations_record WHERE {_OF_GENERATION[connection.vendor]}"""  # noqa: S608
        columns = bulk.fetch_numbers(sql, [*params, *[generation.pk] * sql.count("generation_id")], ["i8", "i8", "i8", "u1", "i4"])
        return cls(columns, least)

    def find(self, digests: np.ndarray) -> np.ndarray:
        """The position of each key digest, -1 where it is not there."""
        if not len(self.keys):
            return np.full(len(digests), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, digests), len(self.keys) - 1)
        return np.where(self.keys[places] == digests, places, -1)

    def tried(self, what: str) -> np.ndarray:
        """Which records were last tried with this result."""
        return (self.status & TRIED_MASK) == TRIED[what]

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
    "sqlite": "accepted_at",
}


def stored(generation: Generation, keys: np.ndarray, ids: np.ndarray) -> tuple[Any, ...]:
    """What the database holds of these records, in columns. Where they lie close together, that range is read.

    Args:
        keys, ids: of each record; the ids only help to be fast.

    Returns:
        Key digests, packed field digests, match digests, remote ids, accepted_at (datetime64, NaT where never), what was
        tried last, and with which row's digest.
    """
    wanted = set(keys.tolist())
    first, last = int(ids.min()), int(ids.max())
    together = last - first < SPARSE * len(ids)
    # The plus keeps SQLite from going by the index of keys.
    near = _fetch("+generation_id = %s AND id BETWEEN %s AND %s", [generation.pk, first, last]) if together else []
    rows = [row for row in near if row[0] in wanted]
    if len(rows) != len(wanted):
        several = bulk.one_of("key_digest", list(wanted))
        rows = _fetch(f"generation_id = %s AND {several.sql}", [generation.pk, *several.params])
    found, packed, matches, remote_ids, moments, tried, tried_rows = zip(*rows, strict=True) if rows else [()] * 7
    accepted_at = np.array(moments, dtype="datetime64[us]" if connection.vendor == "sqlite" else np.int64).view("datetime64[us]")
    return found, packed, matches, remote_ids, accepted_at, tried, tried_rows


def _fetch(where: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    columns = f"key_digest, field_digests, match_digest, remote_id, {_MOMENT[connection.vendor]}, tried, tried_digest"
    return bulk.fetch(f"SELECT {columns} FROM activations_record WHERE {where}", params)  # noqa: S608
