"""PURE. Whose record is whose, where rows take match values that the destination knows from other rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from activations.storage.pairs import Pairs, joined, less

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.planning.source_scan import Seen

_NONE = np.empty(0, dtype=np.int64)
_ODD = np.int64(-7046029254386353131)


@dataclass(frozen=True)
class Takeovers:
    """Key digests of each.

    Args:
        robbed: their record goes to another row, so that what was accepted for them is void.
        by_match: known records whose new match value another row leaves, or whose record goes to another row: they go by
            their match. Two rows may swap.
        contested: a match value of theirs belongs to the record of a row that keeps it by another of its match values.
    """

    robbed: np.ndarray = field(default_factory=_NONE.copy)
    by_match: np.ndarray = field(default_factory=_NONE.copy)
    contested: np.ndarray = field(default_factory=_NONE.copy)


def takeovers(seen: Seen, without: Sequence[int], others: Pairs, several: Pairs) -> Takeovers:
    """What becomes of records whose match values are taken by other rows.

    Args:
        without: keys that are not sent after all.
        others: accepted match digests of records that are not as they were accepted.
        several: all match digests of the records that the destination finds by more than the first of their row.
    """
    former = joined([*seen.former_matches, others, _accepted(seen, several)])
    held = joined([seen.leavers(), former])
    if not len(held[0]):
        return Takeovers()
    stay = np.isin(held[0], _staying(former, seen.present(np.unique(former[0]))))
    kept, left = _where(held, stay), _where(held, ~stay)
    out = np.fromiter(without, dtype=np.int64, count=len(without))
    sent, movers = (seen.with_further(less(pairs, out)) for pairs in (seen.claimers(), joined(seen.movers)))
    movers = less(movers, kept[0])
    by_match = _hit(movers, _where(left, np.isin(left[0], movers[0])), of_claimers=True)
    while True:
        claims = joined([sent, _where(movers, np.isin(movers[0], by_match))])
        robbed = _hit(claims, left)
        more = np.setdiff1d(np.intersect1d(movers[0], robbed), by_match)
        if not len(more):
            return Takeovers(robbed, by_match, _hit(claims, kept, of_claimers=True))
        by_match = np.union1d(by_match, more)


def _accepted(seen: Seen, several: Pairs) -> Pairs:
    return _where(several, seen.baseline.accepted(several[0]))


def _staying(former: Pairs, present: Pairs) -> np.ndarray:
    """The keys that still have one of the match values that their record is found by."""
    return former[0][np.isin(_as_one(former), _as_one(present))]


def _as_one(pairs: Pairs) -> np.ndarray:
    """One number for both."""
    return pairs[0] * _ODD + pairs[1]


def _where(pairs: Pairs, mask: np.ndarray) -> Pairs:
    return pairs[0][mask], pairs[1][mask]


def _hit(claims: Pairs, held: Pairs, *, of_claimers: bool = False) -> np.ndarray:
    """The keys that hold a match which another key claims; or the keys that claim it."""
    order = np.argsort(claims[1])
    keys, matches = claims[0][order], claims[1][order]
    if not len(matches):
        return _NONE
    at = np.minimum(np.searchsorted(matches, held[1]), len(matches) - 1)
    hit = (matches[at] == held[1]) & (keys[at] != held[0])
    return np.unique(keys[at][hit] if of_claimers else held[0][hit])
