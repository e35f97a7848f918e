"""Rows that were picked from batches of the source because they differ from their baseline, or have none."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pyarrow as pa

from activations import digests, reasons
from destinations.kit.values.text import CONTROL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.planning.conversion.slots import Slot
    from activations.planning.mapping import Rows
    from activations.planning.verdicts import Verdict

NAME_CHARACTERS = 200
"""How much of the value of the display column is stored with a change."""


@dataclass(frozen=True)
class Picked:
    """Rows that must be converted and compared field by field.

    Args:
        batch: the rows as they were read.
        keys: their key digests.
        places: their places in the baseline, -1 for new rows.
        rows: their row digests.
        whole: their text, if they are a whole batch, for which it exists already.
        name_place: the column of the batch that names rows for people; -1 if there is none.
    """

    batch: pa.RecordBatch
    keys: np.ndarray
    places: np.ndarray
    rows: np.ndarray
    whole: pl.DataFrame | None = None
    name_place: int = -1

    @classmethod
    def joined(cls, pieces: Sequence[Picked]) -> Picked:
        """The rows of all pieces (at least one), in order."""
        if len(pieces) == 1:
            return pieces[0]
        keys, places, rows = map(
            np.concatenate, zip(*((piece.keys, piece.places, piece.rows) for piece in pieces), strict=True)
        )
        batch = pa.concat_batches([piece.batch for piece in pieces])
        return cls(batch, keys, places, rows, name_place=pieces[0].name_place)

    @cached_property
    def texts(self) -> pl.DataFrame:
        """The rows as text, the key first."""
        return digests.as_texts(self.batch.columns) if self.whole is None else self.whole

    @cached_property
    def shown_keys(self) -> pl.Series:
        """The keys without control characters, some of which PostgreSQL can't store. `keys` tells records apart."""
        return self.texts["0"].str.replace_all(f"[{CONTROL}]", "")

    @cached_property
    def names(self) -> pl.Series:
        """The names of the rows for people, on one line and not longer than `NAME_CHARACTERS`; "" if they have none."""
        if self.name_place < 0:
            return pl.Series([""], dtype=pl.String).new_from_index(0, len(self.keys))
        text = digests.as_texts([self.batch.column(self.name_place)])["0"].fill_null("")
        shown = text.str.replace_all(f"[{CONTROL}]", " ").str.replace_all(r"\s+", " ").str.strip_chars()
        return shown.str.slice(0, NAME_CHARACTERS)

    def changes(self, rows: Rows, verdict: Verdict, slots: Sequence[Slot]) -> pl.DataFrame:
        """The changes to deliver, as columns of their table."""
        changes = pl.DataFrame(
            {
                "key": self.shown_keys,
                "key_digest": self.keys,
                "name": self.names,
                "is_new": verdict.is_new,
                "other_record": verdict.other_record,
                "remote_id": pl.Series(verdict.remote_ids, dtype=pl.String),
                "match_identity": rows.identities,
                "match_value": rows.match,
                "values": rows.values(slots),
                "changed": verdict.changed,
                "row_digest": self.rows,
                "match_digest": verdict.match_digests,
                "field_digests": digests.packed(verdict.digests),
            }
        )
        if_other = pl.when("other_record")
        return (changes if verdict.send.all() else changes.filter(verdict.send)).select(
            pl.all().exclude("other_record"),
            code=if_other.then(pl.lit(reasons.ANOTHER.code)).otherwise(pl.lit("")),
            message=if_other.then(pl.lit(reasons.ANOTHER.message)).otherwise(pl.lit("")),
        )
