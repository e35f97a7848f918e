"""What one pass over the source saw, beside the baseline: keys and match values, and who has come and gone."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from activations.digests import among
from activations.storage.pairs import Pairs, joined, less
from activations.storage.snapshot import LEFT, NEVER_ACCEPTED, SAME, TRIED, TRIED_MASK, Baseline

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

AT_ONCE = 1_000_000


class Seen:
    """What one pass over the source saw: every key and every match value, so that nothing counts twice."""

    def __init__(self, baseline: Baseline) -> None:
        self.baseline = baseline
        self.often: dict[int, int] = {}
        """Place in the baseline → how often, of keys that several rows have."""
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
        self._count(*np.unique(places[known], return_counts=True))
        self.rows += len(keys)
        self.keyless += int((~keyed).sum())
        same = (
            known & (baseline.row_digests[places] == rows)
            if len(baseline) and not full
            else np.zeros(len(keys), dtype=bool)
        )
        self.stays(places[same])
        return places, keyed & ~same

    def _count(self, places: np.ndarray, times: np.ndarray) -> None:
        before = self.baseline.seen[places]
        again = before + times > 1
        for place, first, more in zip(
            places[again].tolist(), before[again].tolist(), times[again].tolist(), strict=True
        ):
            self.often[place] = self.often.get(place, first) + more
        self.baseline.seen[places] = np.where(again, 2, 1)

    def unchanged(self, places: np.ndarray) -> None:
        """Rows with another digest, whose values are the same all the same."""
        self.stays(places)
        self.baseline.status[places] &= ~np.uint8(TRIED_MASK)

    def stays(self, places: np.ndarray) -> None:
        """Rows that are what they were when they were accepted, or tried last."""
        self.baseline.status[places] |= SAME

    def match(self, places: np.ndarray, keys: np.ndarray, digests: np.ndarray) -> None:
        """The match values that rows have now (0: one has none that counts)."""
        known = places >= 0
        at, now = places[known], digests[known]
        moved = self.baseline.standing(at) & (self.baseline.match_digests[at] != now)
        self.former_matches.append((keys[known][moved], self.baseline.match_digests[at][moved]))
        self.baseline.match_digests[at] = now
        self.new_matches.append((keys[~known], digests[~known]))

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

    def leavers(self) -> Pairs:
        """The accepted match values of records that the pass did not meet."""
        away = np.flatnonzero(self.baseline.seen == 0)
        away = away[self.baseline.standing(away)]
        return self.baseline.keys[away], self.baseline.match_digests[away]

    def claimers(self) -> Pairs:
        """Rows that will be written to whatever record the destination has with their match; their first match values."""
        return joined(
            [*((keys[matches != 0], matches[matches != 0]) for keys, matches in self.new_matches), *self.claims]
        )

    def with_further(self, pairs: Pairs) -> Pairs:
        """First match values of rows, and the further ones of the same rows."""
        keys, matches = joined(self.further_matches)
        theirs = np.isin(keys, pairs[0])
        return joined([pairs, (keys[theirs], matches[theirs])])

    def present(self, keys: np.ndarray) -> Pairs:
        """Every match value that counts of those keys of the baseline which the pass met once."""
        baseline = self.baseline
        places = baseline.find(keys)
        places = places[places >= 0]
        places = places[(baseline.seen[places] == 1) & (baseline.match_digests[places] != 0)]
        return self.with_further((baseline.keys[places], baseline.match_digests[places]))

    def duplicates(self) -> dict[int, int]:
        """Key digests that more than one row has, with the number of rows."""
        found = {int(self.baseline.keys[place]): times for place, times in self.often.items()}
        keys, times = np.unique(_repeated([keys for keys, _ in self.new_matches]), return_counts=True)
        found.update(zip(keys.tolist(), (times + 1).tolist(), strict=True))
        return found

    def twins(self, without: Sequence[int]) -> dict[int, list[int]]:
        """Match digests that several seen records have, each with their key digests; `without` are keys out of the game.

        A key is in one group only: who shares one match with the one and another with the other is of one group with both.
        """
        baseline = self.baseline
        shared = np.unique(
            _repeated([baseline.match_digests, *(matches for _, matches in (*self.new_matches, *self.further_matches))])
        )
        shared = shared[shared != 0]
        if not len(shared):
            return {}
        further = self._of_rows_that_count(_among(joined(self.further_matches), shared))
        sharing = [further, *(_among(pairs, shared) for pairs in chain(self._known(), self.new_matches))]
        keys, matches = less(joined(sharing), np.fromiter(without, dtype=np.int64, count=len(without)))
        order = np.argsort(matches, kind="stable")
        values, starts, times = np.unique(matches[order], return_index=True, return_counts=True)
        groups = zip(values[times > 1], starts[times > 1], times[times > 1], strict=True)
        return _merged({int(value): keys[order[start : start + length]].tolist() for value, start, length in groups})

    def _known(self) -> Iterator[Pairs]:
        """Records that one row was met of, with their matches, in pieces."""
        baseline = self.baseline
        for start in range(0, len(baseline), AT_ONCE):
            piece = slice(start, start + AT_ONCE)
            once = baseline.seen[piece] == 1
            yield baseline.keys[piece][once], baseline.match_digests[piece][once]

    def _of_rows_that_count(self, further: Pairs) -> Pairs:
        """The further matches of a row count where its first one does."""
        if not len(further[0]):
            return further
        places = self.baseline.find(further[0])
        known = places >= 0
        at = places[known]
        known[known] = (self.baseline.seen[at] == 1) & (self.baseline.match_digests[at] != 0)
        new = np.isin(
            further[0], np.concatenate([keys[matches != 0] for keys, matches in self.new_matches] or [places[:0]])
        )
        return further[0][known | new], further[1][known | new]

    def drop(self, keys: Sequence[int]) -> None:
        """These keys count as neither unchanged nor waiting: they are invalid."""
        places = self.baseline.find(np.fromiter(keys, dtype=np.int64, count=len(keys)))
        self.baseline.status[places[places >= 0]] &= ~np.uint8(SAME)

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
        return int(((self.baseline.status & (SAME | TRIED_MASK)) == (SAME | TRIED[tried])).sum())


def _repeated(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers that come again, sorted, one time less often than they come."""
    lots = 1 + sum(map(len, pieces)) // AT_ONCE
    return np.sort(np.concatenate([_repeated_of(lot, lots, pieces) for lot in range(lots)]))


def _repeated_of(lot: int, lots: int, pieces: Sequence[np.ndarray]) -> np.ndarray:
    """The same of one of several lots, so that not all numbers are in memory twice; equal numbers are of one lot."""
    chosen = pieces if lots == 1 else [piece[piece.view(np.uint8)[::8] % lots == lot] for piece in pieces]
    numbers = np.concatenate([np.empty(0, dtype=np.int64), *chosen])
    numbers.sort()
    return numbers[1:][numbers[1:] == numbers[:-1]]


def _among(pairs: Pairs, few: np.ndarray) -> Pairs:
    """Those whose match is one of a few sorted ones."""
    keys, matches = pairs
    found = among(matches, few)
    return keys[found], matches[found]


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
