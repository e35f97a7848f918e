"""What one pass over the source saw, beside the baseline: keys and match values, and who has come and gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np

from activations.baseline import LEFT, NEVER_ACCEPTED, TRIED_MASK, Baseline

Pairs = tuple[np.ndarray, np.ndarray]
"""Key digests, and a match digest for each."""

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
        same = known & (baseline.row_digests[places] == rows) if len(baseline) and not full else np.zeros(len(keys), dtype=bool)
        baseline.same[places[same]] = True
        return places, keyed & ~same

    def _count(self, places: np.ndarray, times: np.ndarray) -> None:
        before = self.baseline.seen[places]
        again = before + times > 1
        for place, first, more in zip(places[again].tolist(), before[again].tolist(), times[again].tolist(), strict=True):
            self.often[place] = self.often.get(place, first) + more
        self.baseline.seen[places] = np.where(again, 2, 1)

    def unchanged(self, places: np.ndarray) -> None:
        """Rows with another digest, whose values are the same all the same."""
        self.baseline.same[places] = True
        self.baseline.status[places] &= ~np.uint8(TRIED_MASK)

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

    def takeovers(self, without: Sequence[int], others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Match values that go from one key to another.

        Args:
            without: keys that are not sent after all.
            others: shape (n, 2), key and accepted match digests of records that are not as they were accepted.

        Returns:
            The keys whose record goes to another key, so that what was accepted for them is void; and the movers that
            have to go by their match, since another mover leaves it, or another key takes their record: two rows may swap.
        """
        away = np.flatnonzero(self.baseline.seen == 0)
        away = away[self.baseline.standing(away)]
        former = _joined([*self.former_matches, (others[:, 0], others[:, 1])])
        held = _joined([(self.baseline.keys[away], self.baseline.match_digests[away]), former])
        if not len(held[0]):
            return held
        out = np.fromiter(without, dtype=np.int64, count=len(without))
        new = [(keys[matches != 0], matches[matches != 0]) for keys, matches in self.new_matches]
        sent, movers = _less(_joined([*new, *self.claims]), out), _less(_joined(self.movers), out)
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
        found = {int(self.baseline.keys[place]): times for place, times in self.often.items()}
        keys, times = np.unique(_repeated([keys for keys, _ in self.new_matches]), return_counts=True)
        found.update(zip(keys.tolist(), (times + 1).tolist(), strict=True))
        return found

    def twins(self, without: Sequence[int]) -> dict[int, list[int]]:
        """Match digests that several seen records have, each with their key digests; `without` are keys out of the game.

        A key is in one group only: who shares one match with the one and another with the other is of one group with both.
        """
        baseline = self.baseline
        shared = np.unique(_repeated([baseline.match_digests, *(matches for _, matches in (*self.new_matches, *self.further_matches))]))
        shared = shared[shared != 0]
        if not len(shared):
            return {}
        here = np.flatnonzero(baseline.seen == 1)
        known = ((baseline.keys[some], baseline.match_digests[some]) for some in np.array_split(here, 1 + len(here) // AT_ONCE))
        further = self._of_rows_that_count(_among(_joined(self.further_matches), shared))
        sharing = [further, *(_among(pairs, shared) for pairs in chain(known, self.new_matches))]
        keys, matches = _less(_joined(sharing), np.fromiter(without, dtype=np.int64, count=len(without)))
        order = np.argsort(matches, kind="stable")
        values, starts, times = np.unique(matches[order], return_index=True, return_counts=True)
        groups = zip(values[times > 1], starts[times > 1], times[times > 1], strict=True)
        return _merged({int(value): keys[order[start : start + length]].tolist() for value, start, length in groups})

    def _of_rows_that_count(self, further: Pairs) -> Pairs:
        """The further matches of a row count where its first one does."""
        if not len(further[0]):
            return further
        places = self.baseline.find(further[0])
        known = places >= 0
        at = places[known]
        known[known] = (self.baseline.seen[at] == 1) & (self.baseline.match_digests[at] != 0)
        new = np.isin(further[0], np.concatenate([keys[matches != 0] for keys, matches in self.new_matches] or [places[:0]]))
        return further[0][known | new], further[1][known | new]

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


def _repeated(pieces: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers that come again, sorted, one time less often than they come."""
    numbers = np.concatenate([np.empty(0, dtype=np.int64), *pieces])
    numbers.sort()
    return numbers[1:][numbers[1:] == numbers[:-1]]


def _among(pairs: Pairs, few: np.ndarray) -> Pairs:
    """Those whose match is one of a few sorted ones; unlike `isin` it sorts nothing."""
    keys, matches = pairs
    found = few[np.minimum(np.searchsorted(few, matches), len(few) - 1)] == matches
    return keys[found], matches[found]


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
