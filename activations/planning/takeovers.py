"""PURE. Finds the records that go from one row to another because rows take over match values of other rows.

Example: row 1 had a.com and now has c.com, and a new row 2 has a.com. The destination finds its record of row 1 by
a.com, so writing row 2 changes that record. The baseline of row 1 no longer describes it: row 1 is *displaced*, and is
written by its new match value. That may displace a further row, and so on, until no more rows are displaced.

Only pairs of key and match digest are compared, in sorted arrays: 16 bytes for each pair, and O(n log n) time in the
number of rows that change, leave or claim a match value, plus those that the destination finds by several. All other
rows take no part.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from activations.storage.pairs import Pairs, concat, without_keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.planning.source_scan import SourceScan

_NONE = np.empty(0, dtype=np.int64)
_ODD = np.int64(-7046029254386353131)


@dataclass(frozen=True)
class Takeovers:
    """The key digests of the rows that takeovers concern.

    Args:
        displaced: their record goes to a different row, so that their accepted digests are void.
        by_match: known records that are written by their match and not by the vendor's ID, either because another row
            gives up the match value that they take, or because their record goes to another row. Two rows may swap.
        contested: one of their match values belongs to the record of a row that keeps it by a different match value.
    """

    displaced: np.ndarray = field(default_factory=_NONE.copy)
    by_match: np.ndarray = field(default_factory=_NONE.copy)
    contested: np.ndarray = field(default_factory=_NONE.copy)


def takeovers(scan: SourceScan, excluded: Sequence[int], others: Pairs, all_matches: Pairs) -> Takeovers:
    """The outcome for records whose match values are taken by other rows.

    Args:
        excluded: keys that are not sent after all.
        others: accepted match digests of records whose last attempt was not accepted.
        all_matches: all match digests of the records that the destination finds by more than the first of their row.
    """
    former = concat([*scan.former_matches, others, _accepted(scan, all_matches)])
    held = concat([scan.absent_matches(), former])
    if not len(held[0]):
        return Takeovers()
    keeps = np.isin(held[0], _keepers(former, scan.current_matches(np.unique(former[0]))))
    kept, given_up = _where(held, keeps), _where(held, ~keeps)
    not_sent = np.fromiter(excluded, dtype=np.int64, count=len(excluded))
    sent, movers = (
        scan.with_further_matches(without_keys(pairs, not_sent))
        for pairs in (scan.claimed_matches(), concat(scan.moves))
    )
    movers = without_keys(movers, kept[0])
    by_match = _claimers(movers, _where(given_up, np.isin(given_up[0], movers[0])))
    # A displaced mover claims its new match value as well, which may displace more rows. Each round adds at least one
    # row to `by_match`, so this ends. The usual case, one row taking over one record, needs one round.
    while True:
        claims = concat([sent, _where(movers, np.isin(movers[0], by_match))])
        displaced = _claimed(claims, given_up)
        more = np.setdiff1d(np.intersect1d(movers[0], displaced), by_match)
        if not len(more):
            return Takeovers(displaced, by_match, _claimers(claims, kept))
        by_match = np.union1d(by_match, more)


def _accepted(scan: SourceScan, pairs: Pairs) -> Pairs:
    return _where(pairs, scan.baseline.has_accepted(pairs[0]))


def _keepers(former: Pairs, current: Pairs) -> np.ndarray:
    """The keys that still have one of the match values that their record is found by."""
    return former[0][np.isin(_combined(former), _combined(current))]


def _combined(pairs: Pairs) -> np.ndarray:
    """One number for each pair, so that pairs are compared as numbers."""
    return pairs[0] * _ODD + pairs[1]


def _where(pairs: Pairs, mask: np.ndarray) -> Pairs:
    return pairs[0][mask], pairs[1][mask]


def _claimed(claims: Pairs, held: Pairs) -> np.ndarray:
    """The keys that hold a match value which a different key claims."""
    return np.unique(_conflicts(claims, held)[1])


def _claimers(claims: Pairs, held: Pairs) -> np.ndarray:
    """The keys that claim a match value which a different key holds."""
    return np.unique(_conflicts(claims, held)[0])


def _conflicts(claims: Pairs, held: Pairs) -> Pairs:
    """The keys that claim a match value of a different key, each with the key that holds it."""
    order = np.argsort(claims[1])
    keys, matches = claims[0][order], claims[1][order]
    if not len(matches):
        return _NONE, _NONE
    at = np.minimum(np.searchsorted(matches, held[1]), len(matches) - 1)
    conflict = (matches[at] == held[1]) & (keys[at] != held[0])
    return keys[at][conflict], held[0][conflict]
