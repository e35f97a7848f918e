"""The baseline of a generation in memory: a few packed arrays, and what a pass over the source saw of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from django.db import connection

from activations import bulk
from activations.models import Generation, Record, Run

Pairs = tuple[np.ndarray, np.ndarray]
"""Key digests, and a match digest for each."""

LEFT = 8
NEVER_ACCEPTED = 16
TRIED = {"": 0, Record.Tried.REJECTED: 1, Record.Tried.SKIPPED: 2, Record.Tried.INVALID: 3}
_TRIED_MASK = 7
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

    def __init__(self, rows: np.ndarray) -> None:
        order = np.argsort(rows[:, 0])
        self.keys = rows[order, 0]
        self.row_digests = rows[order, 1]
        self.match_digests = rows[order, 2]
        self.status = rows[order, 3].astype(np.uint8)
        self.any_tried = bool((self.status & _TRIED_MASK).any())
        self.seen = np.zeros(len(rows), dtype=np.uint32)
        self.same = np.zeros(len(rows), dtype=bool)

    def __len__(self) -> int:
        return len(self.keys)

    @classmethod
    def load(cls, generation: Generation, run: Run, now: datetime, *, retry_rejected: bool, retry_skipped: bool) -> Baseline:
        """Reads the baseline once.

        Args:
            retry_rejected, retry_skipped: look at refused or skipped rows again although they are not due.
        """
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
                        + CASE WHEN accepted_at IS NULL THEN {NEVER_ACCEPTED} ELSE 0 END AS bigint)
            FROM activations_record WHERE {_OF_GENERATION[connection.vendor]}"""  # noqa: S608
        return cls(bulk.fetch_numbers(sql, [*params, *[generation.pk] * sql.count("generation_id")], 4))

    def find(self, digests: np.ndarray) -> np.ndarray:
        """The position of each key digest, -1 where it is not there."""
        if not len(self.keys):
            return np.full(len(digests), -1, dtype=np.int64)
        places = np.minimum(np.searchsorted(self.keys, digests), len(self.keys) - 1)
        return np.where(self.keys[places] == digests, places, -1)

    def tried(self, what: str) -> np.ndarray:
        """Which records were last tried with this result."""
        return (self.status & _TRIED_MASK) == TRIED[what]

    def standing(self, places: np.ndarray) -> np.ndarray:
        """Which of these records are as they were accepted, so that their match digest is the one that was accepted."""
        return (self.status[places] & (NEVER_ACCEPTED | _TRIED_MASK)) == 0


class Seen:
    """What one pass over the source saw: every key and every match value, so that nothing counts twice."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.new_keys: list[np.ndarray] = []
        self.new_matches: list[Pairs] = []
        self.further_matches: list[Pairs] = []
        self.former_matches: list[Pairs] = []
        self.claims: list[Pairs] = []
        self.movers: list[Pairs] = []
        self.rows = 0
        self.keyless = 0

    def look(self, keys: np.ndarray, rows: np.ndarray, *, full: bool) -> tuple[np.ndarray, np.ndarray]:
        """Notes a batch; returns each row's position in the baseline, and which rows need a second look."""
        baseline = self.baseline
        places = baseline.find(keys)
        known = places >= 0
        keyed = keys != 0
        once, times = np.unique(places[known], return_counts=True)
        baseline.seen[once] += times.astype(np.uint32)
        self.new_keys.append(keys[keyed & ~known])
        self.rows += len(keys)
        self.keyless += int((~keyed).sum())
        same = known & (baseline.row_digests[places] == rows) if len(baseline) and not full else np.zeros(len(keys), dtype=bool)
        baseline.same[places[same]] = True
        return places, keyed & ~same

    def unchanged(self, places: np.ndarray) -> None:
        """Rows with another digest, whose values are the same all the same."""
        self.baseline.same[places] = True
        self.baseline.status[places] &= ~np.uint8(_TRIED_MASK)

    def stays(self, places: np.ndarray) -> None:
        """Rows that got a second look, and are still what they were when they were tried last."""
        self.baseline.same[places] = True

    def match(self, places: np.ndarray, keys: np.ndarray, digests: np.ndarray) -> None:
        """The match values that rows have now (0: one has none that counts)."""
        known = places >= 0
        at, now = places[known], digests[known]
        moved = self.baseline.standing(at) & (self.baseline.match_digests[at] != now)
        self.former_matches.append((keys[known][moved], self.baseline.match_digests[at][moved]))
        self.baseline.match_digests[at] = now
        new = ~known & (digests != 0)
        self.new_matches.append((keys[new], digests[new]))

    def also(self, keys: np.ndarray, digests: np.ndarray) -> None:
        """Match values that rows have besides their first, whether they need a second look or not."""
        self.further_matches.append((keys, digests))

    def claim(self, places: np.ndarray, keys: np.ndarray, digests: np.ndarray) -> None:
        """Rows that will be written to whatever record the destination has with their match; new keys do so anyway."""
        known = places >= 0
        self.claims.append((keys[known], digests[known]))

    def move(self, keys: np.ndarray, digests: np.ndarray) -> None:
        """Known records that are to take a new match value."""
        self.movers.append((keys, digests))

    def takeovers(self, without: Sequence[int], others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Match values that go from one key to another.

        Args:
            without: keys that are not sent after all.
            others: shape (n, 2), key and accepted match digests of records that are not as they were accepted.

        Returns:
            The keys whose record goes to another key, so that what was accepted for them is void; and the movers that
            have to go by their match, since another mover leaves it, or another key takes their record: two rows may swap.
        """
        out = np.fromiter(without, dtype=np.int64, count=len(without))
        sent, movers = _less(_joined([*self.new_matches, *self.claims]), out), _less(_joined(self.movers), out)
        away = np.flatnonzero(self.baseline.seen == 0)
        away = away[self.baseline.standing(away)]
        former = _joined([*self.former_matches, (others[:, 0], others[:, 1])])
        held = _joined([(self.baseline.keys[away], self.baseline.match_digests[away]), former])
        moving = np.isin(former[0], movers[0])
        by_match = np.isin(movers[0], _hit(movers, (former[0][moving], former[1][moving]), of_claimers=True))
        while True:
            robbed = _hit(_joined([sent, (movers[0][by_match], movers[1][by_match])]), held)
            more = np.isin(movers[0], robbed) & ~by_match
            if not more.any():
                return robbed, movers[0][by_match]
            by_match |= more

    def duplicates(self) -> dict[int, int]:
        """Key digests that more than one row has, with the number of rows."""
        baseline = self.baseline
        found = {int(baseline.keys[place]): int(baseline.seen[place]) for place in np.flatnonzero(baseline.seen > 1)}
        keys, counts = np.unique(np.concatenate(self.new_keys or [np.empty(0, dtype=np.int64)]), return_counts=True)
        found.update(zip(keys[counts > 1].tolist(), counts[counts > 1].tolist(), strict=True))
        return found

    def twins(self, without: Sequence[int]) -> dict[int, list[int]]:
        """Match digests that several seen records have, each with their key digests; `without` are keys out of the game.

        A key is in one group only: who shares one match with the one and another with the other is of one group with both.
        """
        baseline = self.baseline
        here = baseline.seen == 1
        keys, matches = _joined([(baseline.keys[here], baseline.match_digests[here]), *self.new_matches])
        # The further matches of a row count where its first one does.
        more = _joined(self.further_matches)
        stay = np.isin(more[0], keys[matches != 0])
        keys, matches = np.concatenate([keys, more[0][stay]]), np.concatenate([matches, more[1][stay]])
        counts = (matches != 0) & ~np.isin(keys, np.fromiter(without, dtype=np.int64, count=len(without)))
        keys, matches = keys[counts], matches[counts]
        order = np.argsort(matches, kind="stable")
        values, starts, times = np.unique(matches[order], return_index=True, return_counts=True)
        groups = zip(values[times > 1], starts[times > 1], times[times > 1], strict=True)
        return _merged({int(value): keys[order[start : start + length]].tolist() for value, start, length in groups})

    def drop(self, keys: Sequence[int]) -> None:
        """These keys count as neither unchanged nor waiting: they are invalid."""
        places = self.baseline.find(np.fromiter(keys, dtype=np.int64, count=len(keys)))
        self.baseline.same[places[places >= 0]] = False

    def left(self) -> np.ndarray:
        """Key digests of accepted records that the pass did not meet, and that had not left before."""
        baseline = self.baseline
        return baseline.keys[(baseline.seen == 0) & (baseline.status & (LEFT | NEVER_ACCEPTED) == 0)]

    def returned(self) -> np.ndarray:
        """Key digests of records that had left and are back."""
        baseline = self.baseline
        return baseline.keys[(baseline.seen > 0) & (baseline.status & LEFT != 0)]

    def still(self, tried: str) -> int:
        """How many rows needed no second look and were last tried with this result ("" for accepted)."""
        return int((self.baseline.same & self.baseline.tried(tried)).sum())


_MOMENT = {
    # The smallest number is numpy's "not a time".
    "postgresql": "coalesce((extract(epoch from accepted_at) * 1000000)::bigint, -9223372036854775808)",
    "sqlite": "accepted_at",
}


def stored(generation: Generation, keys: Sequence[int]) -> tuple[Any, ...]:
    """What the database holds of these key digests, in columns.

    Returns:
        Key digests, packed field digests, match digests, remote ids, accepted_at (datetime64, NaT where never), what was
        tried last, and with which row's digest.
    """
    moment, several = _MOMENT[connection.vendor], bulk.one_of(keys)
    rows = bulk.fetch(
        f"SELECT key_digest, field_digests, match_digest, remote_id, {moment}, tried, tried_digest"  # noqa: S608
        f" FROM activations_record WHERE generation_id = %s AND key_digest {several.sql}",
        [generation.pk, *several.params],
    )
    found, packed, matches, remote_ids, moments, tried, tried_rows = zip(*rows, strict=True) if rows else [()] * 7
    accepted_at = np.array(moments, dtype="datetime64[us]" if connection.vendor == "sqlite" else np.int64).view("datetime64[us]")
    return found, packed, matches, remote_ids, accepted_at, tried, tried_rows


def _joined(pairs: Sequence[Pairs]) -> Pairs:
    """Two columns, from pieces of them."""
    none = np.empty(0, dtype=np.int64)
    return np.concatenate([none, *(keys for keys, _ in pairs)]), np.concatenate([none, *(matches for _, matches in pairs)])


def _merged(groups: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """Groups that share a key as one."""
    merged: dict[int, list[int]] = {}
    group_of: dict[int, int] = {}
    for match, keys in groups.items():
        touched = dict.fromkeys(group_of[key] for key in keys if key in group_of)
        together = dict.fromkeys([*(key for other in touched for key in merged.pop(other)), *keys])
        merged[match] = list(together)
        group_of.update(dict.fromkeys(together, match))
    return merged


def _less(pairs: Pairs, out: np.ndarray) -> Pairs:
    stay = ~np.isin(pairs[0], out)
    return pairs[0][stay], pairs[1][stay]


def _hit(claims: Pairs, held: Pairs, *, of_claimers: bool = False) -> np.ndarray:
    """The keys that hold a match which another key claims; or the keys that claim it."""
    order = np.argsort(claims[1])
    keys, matches = claims[0][order], claims[1][order]
    if not len(matches):
        return np.empty(0, dtype=np.int64)
    at = np.minimum(np.searchsorted(matches, held[1]), len(matches) - 1)
    hit = (matches[at] == held[1]) & (keys[at] != held[0])
    return np.unique(keys[at][hit] if of_claimers else held[0][hit])
