"""PURE. Pairs of a key digest and a match digest, as two aligned arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Pairs = tuple[np.ndarray, np.ndarray]
"""Key digests, and a match digest for each. A key with several matches occurs several times."""


def concat(pieces: Sequence[Pairs]) -> Pairs:
    """The pairs of all pieces; there may be no piece."""
    empty = np.empty(0, dtype=np.int64)
    keys = np.concatenate([empty, *(keys for keys, _ in pieces)])
    return keys, np.concatenate([empty, *(matches for _, matches in pieces)])


def without_keys(pairs: Pairs, excluded: np.ndarray) -> Pairs:
    """The pairs, except those of the excluded keys."""
    remaining = ~np.isin(pairs[0], excluded)
    return pairs[0][remaining], pairs[1][remaining]
