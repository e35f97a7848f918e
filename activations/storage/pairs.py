"""PURE. Pairs of key digest and match digest, as two aligned columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

Pairs = tuple[np.ndarray, np.ndarray]
"""Key digests, and a match digest for each."""


def joined(pairs: Sequence[Pairs]) -> Pairs:
    """Two columns, from pieces of them."""
    none = np.empty(0, dtype=np.int64)
    return np.concatenate([none, *(keys for keys, _ in pairs)]), np.concatenate(
        [none, *(matches for _, matches in pairs)]
    )


def less(pairs: Pairs, out: np.ndarray) -> Pairs:
    """The pairs without those of some keys."""
    stay = ~np.isin(pairs[0], out)
    return pairs[0][stay], pairs[1][stay]
