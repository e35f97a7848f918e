"""PURE. Decides what a run does with rows that differ from their baseline: send, leave unchanged or settle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import orjson
import polars as pl

from activations.digests import IN_DOUBT, as_bytes, unpacked
from activations.reasons import ALREADY_THERE, Settled
from destinations.contract import Mode

if TYPE_CHECKING:
    from activations.planning.conversion.slots import Layout
    from activations.planning.mapping import Rows


@dataclass(frozen=True)
class Known:
    """The baseline of a batch's rows, in their order.

    Args:
        accepted_at: when the destination last accepted something; NaT if it never did.
        digests: shape (rows, slots), 0 if nothing was accepted.
        tried: the last outcome of the row if it was not accepted: rejected, skipped or invalid; else "".
        tried_digests: the digest of the row that had this outcome.
    """

    accepted_at: np.ndarray
    match_digests: np.ndarray
    digests: np.ndarray
    remote_ids: np.ndarray
    tried: np.ndarray
    tried_digests: np.ndarray

    @classmethod
    def empty(cls, rows: int, width: int) -> Known:
        """The baseline of rows without records, with `width` slots."""
        numbers, texts = np.zeros(rows, dtype=np.int64), np.full(rows, "", dtype=object)
        never = np.full(rows, np.datetime64("NaT", "us"), dtype="datetime64[us]")
        return cls(never, numbers, np.zeros((rows, width), dtype=np.int64), texts, texts.copy(), numbers.copy())

    def fill(self, places: np.ndarray, records: pl.DataFrame) -> None:
        """Sets the rows at `places` from their records, as `snapshot.fetch_records` returns them."""
        self.digests[places] = unpacked(records["field_digests"], self.digests.shape[1])
        self.match_digests[places] = records["match_digest"].to_numpy()
        self.remote_ids[places], self.tried[places] = records["remote_id"].to_list(), records["tried"].to_list()
        self.tried_digests[places] = records["tried_digest"].to_numpy()
        self.accepted_at[places] = records["accepted_at"].to_numpy().view("datetime64[us]")

    @property
    def accepted(self) -> np.ndarray:
        accepted: np.ndarray = ~np.isnat(self.accepted_at)
        return accepted


@dataclass(frozen=True)
class Verdict:
    """What to do with the rows of a batch; each is in exactly one of `send`, `unchanged` and `settled`.

    Args:
        send: rows to write: whole if new or a different record now, else only what `changed` lists.
        unchanged: rows whose values were all accepted already: only their row digest is updated.
        settled: rows decided without a request.
        other_record: rows whose match value changed, if the vendor takes that for a different record.
        sends: which values are sent; shape (rows, slots).
        changed: a JSON list of attribute names for each row, as text.
        again: known rows of which only values in doubt are sent again: those that the destination did not take, and
            those of requests without an answer.
        remote_ids: the vendor's ID of each row's record, "" if it is unknown or no longer applies.
        digests: as `Known.digests`, as they will be once the row is accepted.
    """

    send: np.ndarray
    unchanged: np.ndarray
    settled: dict[int, Settled]
    other_record: np.ndarray
    is_new: np.ndarray
    sends: np.ndarray
    changed: pl.Series
    again: np.ndarray
    remote_ids: np.ndarray
    match_digests: np.ndarray
    digests: np.ndarray


def for_rows(layout: Layout, mode: str, rows: Rows, known: Known, *, full: bool) -> Verdict:
    """What to do with rows that differ from their baseline, or have none."""
    places = [slot.number for slot in layout.slots]
    match_digests, current = rows.digests()
    accepted = known.digests[:, places]
    has_value = current != 0
    assumed = _assumed_accepted(layout, accepted, known)
    differs = has_value & (current != accepted) & ~assumed
    other_match = known.accepted & (known.match_digests != match_digests)
    # If the vendor takes a different match value for a different record, nothing that was accepted counts for it.
    other_record = other_match & (not layout.service.match_may_change)
    is_match = np.array([slot.is_match for slot in layout.slots], dtype=bool)
    match_changed = other_match | (known.accepted & (differs & (accepted != 0))[:, is_match].any(axis=1))
    changed = np.where((~known.accepted | other_record | full)[:, None], has_value, differs) & ~is_match
    settled = _settled(mode, rows, known.accepted & ~other_record)
    open_rows = np.ones(len(match_digests), dtype=bool)
    open_rows[list(settled)] = False
    send = open_rows & (~known.accepted | match_changed | changed.any(axis=1))
    digests = np.where(other_record[:, None], 0, known.digests)
    # "From now on", and no value yet: IN_DOUBT differs from every value, so whatever comes later is sent.
    digests[:, places] = np.where(has_value, current, np.where(assumed, IN_DOUBT, digests[:, places]))
    return Verdict(
        send=send,
        unchanged=open_rows & ~send,
        settled=settled,
        other_record=other_record & (known.match_digests != 0),
        is_new=~known.accepted,
        sends=changed & send[:, None],
        changed=names(layout, changed, match_changed & ~other_record),
        again=send & known.accepted & ~match_changed & ~(changed & (accepted != IN_DOUBT)).any(axis=1),
        remote_ids=np.where(other_record, "", known.remote_ids),
        match_digests=match_digests,
        digests=digests,
    )


def _settled(mode: str, rows: Rows, is_there: np.ndarray) -> dict[int, Settled]:
    """Rows that can't be sent, and in insert mode those whose record exists already. Invalid takes precedence."""
    invalid = {
        place: Settled("invalid", error.code, error.message, error.field) for place, error in rows.errors.items()
    }
    if mode != Mode.INSERT:
        return invalid
    return {**dict.fromkeys(np.flatnonzero(is_there).tolist(), ALREADY_THERE), **invalid}


def _assumed_accepted(layout: Layout, accepted: np.ndarray, known: Known) -> np.ndarray:
    """Values of mappings that apply "from now on", for records that are older than the mapping; shape (rows, slots)."""
    never = np.datetime64("NaT", "us")
    since = np.array([_utc(slot.since) if slot.since else never for slot in layout.slots], dtype="datetime64[us]")
    taken: np.ndarray = (accepted == 0) & (known.accepted_at[:, None] < since[None, :])
    return taken


def _utc(time: datetime) -> np.datetime64:
    return np.datetime64(time.astimezone(UTC).replace(tzinfo=None), "us")


def names(layout: Layout, changed: np.ndarray, match: np.ndarray) -> pl.Series:
    """The names of each row's changed attributes as JSON."""
    names = [*(slot.field.name for slot in layout.slots), layout.match_field.name]
    bitmaps = as_bytes(np.packbits(np.column_stack([changed, match]), axis=1))
    # Thousands of rows have only a few distinct lists: each is encoded once.
    distinct = bitmaps.unique()
    lists = [[name for name, is_set in zip(names, _bits(bitmap), strict=False) if is_set] for bitmap in distinct]
    return bitmaps.replace_strict(distinct, [orjson.dumps(names).decode() for names in lists], return_dtype=pl.String)


def _bits(packed: bytes) -> list[int]:
    return np.unpackbits(np.frombuffer(packed, dtype=np.uint8)).tolist()
