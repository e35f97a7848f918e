"""One pass over the source, compared with the baseline: which rows changed, which keys and match values are shared.

The scan holds no rows. Each batch sets bits and counters in the baseline's packed arrays, so that memory depends on
the number of records, and not on the width of rows: about 28 bytes for a known record, and 16 bytes for a new one. A
million records take about 30 MB, and half a second to compare.

Example: the baseline has keys 1, 2 and 3, and the batches contain 1, 2, 2 and 4. Key 1 has its accepted row digest and
needs no action; key 2 occurs twice and is a duplicate; key 3 does not occur and has left; key 4 is new. Duplicates,
shared match values and records that left are known only after the last batch, which is why they are settled at the end.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from activations.digests import among
from activations.storage.pairs import Pairs, concat, without_keys
from activations.storage.snapshot import LEFT, NEVER_ACCEPTED, NO_ACTION, TRIED, TRIED_MASK, Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

PIECE = 1_000_000
"""How many numbers are sorted, or compared, at a time."""


class SourceScan:
    """Every key and match value that a pass has read, so that no row is counted twice."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.repeated: dict[int, int] = {}
        """Place in the baseline → number of rows, for keys that more than one row has."""
        self.new_matches: list[Pairs] = []
        self.further_matches: list[Pairs] = []
        self.former_matches: list[Pairs] = []
        self.claims: list[Pairs] = []
        self.moves: list[Pairs] = []
        self.rows = 0
        self.keyless = 0
        self.skipped_lines = 0
        """Lines of a file that the source left out because they can't be read. They are not among `rows`."""

    def scan(self, keys: np.ndarray, rows: np.ndarray, *, full: bool) -> tuple[np.ndarray, np.ndarray]:
        """Notes a batch.

        Returns:
            The place of each row in the baseline, -1 if it is new; and which rows must be converted and compared.
        """
        baseline = self.baseline
        places = baseline.find(keys)
        known = places >= 0
        keyed = keys != 0
        self._count(*np.unique(places[known], return_counts=True))
        self.rows += len(keys)
        self.keyless += int((~keyed).sum())
        same = (
            known & (baseline.row_digests[places] == rows)
            if len(baseline) and not full
            else np.zeros(len(keys), dtype=bool)
        )
        self.note_no_action(places[same])
        return places, keyed & ~same

    def _count(self, places: np.ndarray, times: np.ndarray) -> None:
        before = self.baseline.occurrences[places]
        again = before + times > 1
        for place, first, more in zip(
            places[again].tolist(), before[again].tolist(), times[again].tolist(), strict=True
        ):
            self.repeated[place] = self.repeated.get(place, first) + more
        self.baseline.occurrences[places] = np.where(again, 2, 1)

    def note_unchanged(self, places: np.ndarray) -> None:
        """Notes rows whose digest differs, but whose converted values were all accepted already."""
        self.note_no_action(places)
        self.baseline.status[places] &= ~np.uint8(TRIED_MASK)

    def note_no_action(self, places: np.ndarray) -> None:
        """Notes rows that are the same as when they were accepted, or last tried."""
        self.baseline.status[places] |= NO_ACTION

    def note_matches(self, places: np.ndarray, keys: np.ndarray, digests: np.ndarray) -> None:
        """Notes the current match values of rows (0 if a row has no usable one)."""
        known = places >= 0
        at, now = places[known], digests[known]
        moved = self.baseline.as_accepted(at) & (self.baseline.match_digests[at] != now)
        self.former_matches.append((keys[known][moved], self.baseline.match_digests[at][moved]))
        self.baseline.match_digests[at] = now
        self.new_matches.append((keys[~known], digests[~known]))

    def note_further_matches(self, keys: np.ndarray, digests: np.ndarray) -> None:
        """Notes match values that rows have besides their first one, whether or not the rows changed."""
        self.further_matches.append((keys, digests))

    def note_claims(self, places: np.ndarray, keys: np.ndarray, digests: np.ndarray) -> None:
        """Notes known rows that will be written to whatever record has their match value, as new rows always are."""
        known = places >= 0
        self.claims.append((keys[known], digests[known]))

    def note_moves(self, keys: np.ndarray, digests: np.ndarray) -> None:
        """Notes known records that are to get a new match value."""
        self.moves.append((keys, digests))

    def absent_matches(self) -> Pairs:
        """The accepted match values of records that no row has."""
        absent = np.flatnonzero(self.baseline.occurrences == 0)
        absent = absent[self.baseline.as_accepted(absent)]
        return self.baseline.keys[absent], self.baseline.match_digests[absent]

    def claimed_matches(self) -> Pairs:
        """The first match values of the rows that will be written to whatever record has them."""
        return concat(
            [*((keys[matches != 0], matches[matches != 0]) for keys, matches in self.new_matches), *self.claims]
        )

    def sent_matches(self) -> Pairs:
        """The first match values of all rows that will be written, by their match or by the vendor's ID."""
        return concat([self.claimed_matches(), *self.moves])

    def with_further_matches(self, pairs: Pairs) -> Pairs:
        """First match values of rows, together with the further ones of the same rows."""
        keys, matches = concat(self.further_matches)
        theirs = np.isin(keys, pairs[0])
        return concat([pairs, (keys[theirs], matches[theirs])])

    def current_matches(self, keys: np.ndarray) -> Pairs:
        """Every usable match value of those of the baseline's keys that exactly one row has."""
        baseline = self.baseline
        places = baseline.find(keys)
        places = places[places >= 0]
        places = places[(baseline.occurrences[places] == 1) & (baseline.match_digests[places] != 0)]
        return self.with_further_matches((baseline.keys[places], baseline.match_digests[places]))

    def duplicates(self) -> dict[int, int]:
        """Key digests that more than one row has, with the number of rows."""
        rows = {int(self.baseline.keys[place]): times for place, times in self.repeated.items()}
        keys, times = np.unique(_repeats([keys for keys, _ in self.new_matches]), return_counts=True)
        rows.update(zip(keys.tolist(), (times + 1).tolist(), strict=True))
        return rows

    def twins(self, excluded: Sequence[int]) -> dict[int, list[int]]:
        """Match digests that more than one row has, each with the key digests of these rows.

        A key is in one group only. If row 1 shares a.com with row 2, and row 2 shares b.com with row 3, all three are
        one group: the destination would merge them into one record.

        Args:
            excluded: key digests that are invalid for another reason.
        """
        baseline = self.baseline
        shared = np.unique(
            _repeats([baseline.match_digests, *(matches for _, matches in (*self.new_matches, *self.further_matches))])
        )
        shared = shared[shared != 0]
        if not len(shared):
            return {}
        further = self._of_usable_rows(_among(concat(self.further_matches), shared))
        sharing = [further, *(_among(pairs, shared) for pairs in chain(self._known_matches(), self.new_matches))]
        keys, matches = without_keys(concat(sharing), np.fromiter(excluded, dtype=np.int64, count=len(excluded)))
        order = np.argsort(matches, kind="stable")
        values, starts, times = np.unique(matches[order], return_index=True, return_counts=True)
        groups = zip(values[times > 1], starts[times > 1], times[times > 1], strict=True)
        return _merged({int(value): keys[order[start : start + length]].tolist() for value, start, length in groups})

    def _known_matches(self) -> Iterator[Pairs]:
        """The match values of known records that exactly one row has, in pieces."""
        baseline = self.baseline
        for start in range(0, len(baseline), PIECE):
            piece = slice(start, start + PIECE)
            once = baseline.occurrences[piece] == 1
            yield baseline.keys[piece][once], baseline.match_digests[piece][once]

    def _of_usable_rows(self, further: Pairs) -> Pairs:
        """Those further match values whose row also has a usable first one."""
        if not len(further[0]):
            return further
        places = self.baseline.find(further[0])
        known = places >= 0
        at = places[known]
        known[known] = (self.baseline.occurrences[at] == 1) & (self.baseline.match_digests[at] != 0)
        new = np.isin(
            further[0], np.concatenate([keys[matches != 0] for keys, matches in self.new_matches] or [places[:0]])
        )
        return further[0][known | new], further[1][known | new]

    def exclude(self, keys: Sequence[int]) -> None:
        """Counts these keys as neither unchanged nor waiting, because they are invalid."""
        places = self.baseline.find(np.fromiter(keys, dtype=np.int64, count=len(keys)))
        self.baseline.status[places[places >= 0]] &= ~np.uint8(NO_ACTION)

    def left(self) -> np.ndarray:
        """Key digests of accepted records that no row has, and that had not left before."""
        baseline = self.baseline
        return baseline.keys[(baseline.occurrences == 0) & (baseline.status & (LEFT | NEVER_ACCEPTED) == 0)]

    def forgotten(self) -> np.ndarray:
        """Key digests of records that no row has, and of which nothing was ever accepted: only why, when last tried."""
        status = self.baseline.status
        tried = (status & NEVER_ACCEPTED != 0) & (status & TRIED_MASK != 0)
        return self.baseline.keys[(self.baseline.occurrences == 0) & tried]

    def returned(self) -> np.ndarray:
        """Key digests of records that had left and are back."""
        baseline = self.baseline
        return baseline.keys[(baseline.occurrences > 0) & (baseline.status & LEFT != 0)]

    def count_no_action(self, tried: str) -> int:
        """How many rows needed no action, of those with this result of the last attempt ("" for accepted)."""
        return int(((self.baseline.status & (NO_ACTION | TRIED_MASK)) == (NO_ACTION | TRIED[tried])).sum())


def _repeats(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers that occur more than once, sorted; each one time less often than it occurs."""
    lots = 1 + sum(map(len, pieces)) // PIECE
    return np.sort(np.concatenate([_repeats_in_lot(lot, lots, pieces) for lot in range(lots)]))


def _repeats_in_lot(lot: int, lots: int, pieces: Sequence[np.ndarray]) -> np.ndarray:
    """The repeats among one lot of the numbers. Equal numbers are in the same lot.

    Lot by lot, only a fraction of the numbers is copied for sorting: 8 MB at a time instead of 80 MB for ten million.
    """
    chosen = pieces if lots == 1 else [piece[piece.view(np.uint8)[::8] % lots == lot] for piece in pieces]
    numbers = np.concatenate([np.empty(0, dtype=np.int64), *chosen])
    numbers.sort()
    return numbers[1:][numbers[1:] == numbers[:-1]]


def _among(pairs: Pairs, few: np.ndarray) -> Pairs:
    """The pairs whose match is one of a few sorted ones."""
    keys, matches = pairs
    is_among = among(matches, few)
    return keys[is_among], matches[is_among]


def _merged(groups: Mapping[int, list[int]]) -> dict[int, list[int]]:
    """The groups, with those that share a key merged into one."""
    merged: dict[int, list[int]] = {}
    group_of: dict[int, int] = {}
    for match, keys in groups.items():
        touched = dict.fromkeys(group_of[key] for key in keys if key in group_of)
        together = dict.fromkeys([*(key for other in touched for key in merged.pop(other)), *keys])
        merged[match] = list(together)
        group_of.update(dict.fromkeys(together, match))
    return merged
