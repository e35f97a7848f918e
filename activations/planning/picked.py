"""Rows that were picked from batches of the source because they differ from their baseline, or have none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from activations import digests
from destinations.kit.values.text import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl


@dataclass(frozen=True)
class Picked:
    """Rows that must be converted and compared field by field.

    Args:
        batch: the rows as they were read.
        keys: their key digests.
        places: their places in the baseline, -1 for new rows.
        rows: their row digests.
        whole: their text, if they are a whole batch, for which it exists already.
    """

    batch: pa.RecordBatch
    keys: np.ndarray
    places: np.ndarray
    rows: np.ndarray
    whole: pl.DataFrame | None = None

    @classmethod
    def joined(cls, pieces: Sequence[Picked]) -> Picked:
        """The rows of all pieces (at least one), in order."""
        if len(pieces) == 1:
            return pieces[0]
        keys, places, rows = map(
            np.concatenate, zip(*((piece.keys, piece.places, piece.rows) for piece in pieces), strict=True)
        )
        return cls(pa.concat_batches([piece.batch for piece in pieces]), keys, places, rows)

    @cached_property
    def texts(self) -> pl.DataFrame:
        """The rows as text, the key first."""
        return digests.as_texts(self.batch.columns) if self.whole is None else self.whole

    @cached_property
    def shown_keys(self) -> pl.Series:
        """The keys without control characters, some of which PostgreSQL can't store. `keys` tells records apart."""
        return self.texts["0"].str.replace_all(f"[{CONTROL}]", "")
