"""PURE. What a run does with rows, with one answer of the vendor, and with a refusal that comes again."""

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
    from activations.planning.mapping import Layout, Rows


@dataclass(frozen=True)
class Known:
    """What the baseline holds of a batch's rows, in their order.

    Args:
        accepted_at: when the destination last accepted something; NaT where it never did.
        digests: shape (rows, slots), 0 where nothing was accepted.
        tried, tried_digests: what became of the row that was tried last, and its digest.
    """

    accepted_at: np.ndarray
    match_digests: np.ndarray
    digests: np.ndarray
    remote_ids: np.ndarray
    tried: np.ndarray
    tried_digests: np.ndarray

    @classmethod
    def nothing(cls, rows: int, width: int) -> Known:
        """Rows of which nothing is known, with `width` slots."""
        numbers, texts = np.zeros(rows, dtype=np.int64), np.full(rows, "", dtype=object)
        never = np.full(rows, np.datetime64("NaT", "us"), dtype="datetime64[us]")
        return cls(never, numbers, np.zeros((rows, width), dtype=np.int64), texts, texts.copy(), numbers.copy())

    def take(self, places: np.ndarray, stored: pl.DataFrame) -> None:
        """Takes in what the database has of the rows at `places`, as `baseline.stored` gives it."""
        self.digests[places] = unpacked(stored["field_digests"], self.digests.shape[1])
        self.match_digests[places] = stored["match_digest"].to_numpy()
        self.remote_ids[places], self.tried[places] = stored["remote_id"].to_list(), stored["tried"].to_list()
        self.tried_digests[places] = stored["tried_digest"].to_numpy()
        self.accepted_at[places] = stored["accepted_at"].to_numpy().view("datetime64[us]")

    @property
    def accepted(self) -> np.ndarray:
        return ~np.isnat(self.accepted_at)


@dataclass(frozen=True)
class Verdict:
    """What to do with the rows of a batch; each is in exactly one of `send`, `same` and `settled`.

    Args:
        send: rows to write: all of it where it is new or another record, else what `changed` names.
        same: rows whose values are what was accepted: only the prefilter moves.
        settled: rows decided without a request.
        another: rows whose match value changed, where the vendor takes that for another record.
        changed: a JSON list of attribute names for each row, as text.
        remote_ids: the vendor's id of each row's record, "" where there is none to go by.
        digests: as `Known.digests`, as they are once the row is accepted.
    """

    send: np.ndarray
    same: np.ndarray
    settled: dict[int, Settled]
    another: np.ndarray
    is_new: np.ndarray
    changed: pl.Series
    remote_ids: np.ndarray
    match_digests: np.ndarray
    digests: np.ndarray


def for_rows(layout: Layout, mode: str, rows: Rows, known: Known, *, full: bool) -> Verdict:
    """What to do with rows that differ from their baseline, or have none."""
    places = [slot.number for slot in layout.slots]
    match_digests, found = rows.digests()
    old = known.digests[:, places]
    says = found != 0
    from_now_on = _taken_as_sent(layout, old, known)
    differs = says & (found != old) & ~from_now_on
    other_match = known.accepted & (known.match_digests != match_digests)
    # Where the vendor takes another match value for another record, nothing that was accepted counts for it.
    another = other_match & (not layout.service.match_may_change)
    is_match = np.array([slot.is_match for slot in layout.slots], dtype=bool)
    match_changed = other_match | (known.accepted & (differs & (old != 0))[:, is_match].any(axis=1))
    changed = np.where((~known.accepted | another | full)[:, None], says, differs) & ~is_match
    settled = {
        place: Settled("invalid", refusal.code, refusal.message, refusal.field)
        for place, refusal in rows.refusals.items()
    }
    if mode == Mode.INSERT:
        settled = {**dict.fromkeys(np.flatnonzero(known.accepted & ~another).tolist(), ALREADY_THERE), **settled}
    open_rows = np.ones(len(match_digests), dtype=bool)
    open_rows[list(settled)] = False
    send = open_rows & (~known.accepted | match_changed | changed.any(axis=1))
    # Another record at the vendor holds nothing of what was accepted for the former one.
    digests = np.where(another[:, None], 0, known.digests)
    # From now on: nothing was said when the mapping came, so whatever is said later is news.
    digests[:, places] = np.where(says, found, np.where(from_now_on, IN_DOUBT, digests[:, places]))
    return Verdict(
        send=send,
        same=open_rows & ~send,
        settled=settled,
        another=another & (known.match_digests != 0),
        is_new=~known.accepted,
        changed=_names(layout, changed, match_changed & ~another),
        remote_ids=np.where(another, "", known.remote_ids),
        match_digests=match_digests,
        digests=digests,
    )


def _taken_as_sent(layout: Layout, old: np.ndarray, known: Known) -> np.ndarray:
    """Where a mapping that holds from now on meets a record that was there before it."""
    never = np.datetime64("NaT", "us")
    since = np.array([_moment(slot.since) if slot.since else never for slot in layout.slots], dtype="datetime64[us]")
    return (old == 0) & (known.accepted_at[:, None] < since[None, :])


def _moment(of: datetime) -> np.datetime64:
    return np.datetime64(of.astimezone(UTC).replace(tzinfo=None), "us")


def _names(layout: Layout, changed: np.ndarray, match: np.ndarray) -> pl.Series:
    """The names of each row's changed attributes as JSON."""
    names = [*(slot.field.name for slot in layout.slots), layout.match_field.name]
    marks = as_bytes(np.packbits(np.column_stack([changed, match]), axis=1))
    # Few different lists for many rows.
    different = marks.unique()
    lists = [[name for name, says in zip(names, _bits(mark), strict=False) if says] for mark in different]
    return marks.replace_strict(different, [orjson.dumps(one).decode() for one in lists], return_dtype=pl.String)


def _bits(packed: bytes) -> list[int]:
    return np.unpackbits(np.frombuffer(packed, dtype=np.uint8)).tolist()
