"""What a run decides about one row, without any database."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations import digests
from activations.delivery import retry
from activations.planning import verdicts
from activations.planning.mapping import Layout, Mapper, Slot
from activations.planning.verdicts import Known
from activations.reasons import Settled
from activations.storage import retry_dates
from core.errors import Unavailable
from destinations.contract import Field, Service
from segments.contract import ColumnType
from tests.activations.dummy import Dummy, Immovable

INTEGER, TEXT = ColumnType.INTEGER, ColumnType.TEXT
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
VALUES = st.one_of(st.none(), st.text(max_size=3), st.integers(0, 3))


def layout(service: Service | None = None, *slots: Slot) -> Layout:
    default = (Slot(0, Field("a", "A", "text"), "a"), Slot(1, Field("b", "B", "text"), "b", when_empty="clear"))
    return Layout(
        service=service or Dummy(),
        key_column="id",
        match_column="key",
        match_field=Field("key", "Key", "text", matchable=True),
        slots=slots or default,
        types={"id": INTEGER, "key": TEXT, "a": TEXT, "b": TEXT},
        zone=ZoneInfo("UTC"),
    )


@dataclass
class Send:
    """One row's part of a verdict."""

    is_new: bool
    changed: list[str]
    remote_id: str
    values: dict[str, Any]
    known: Known


@dataclass
class Same:
    known: Known


def nothing(count: int = 1) -> Known:
    return Known.nothing(count, 4)


def for_row(of: Layout, mode: str, row: dict[str, Any], known: Known | None, *, full: bool) -> Send | Same | Settled:
    """The verdict on one row, and what the baseline holds once it is carried out."""
    batch = pa.record_batch([pa.array([_raw(row[name])], pa.string()) for name in of.columns], names=of.columns)
    rows, known = Mapper(of).convert(batch, digests.as_texts(batch.columns)), known or nothing()
    verdict = verdicts.for_rows(of, mode, rows, known, full=full)
    if verdict.settled:
        return verdict.settled[0]
    then = nothing()
    held = {
        "field_digests": digests.packed(verdict.digests), "match_digest": verdict.match_digests, "remote_id": ["r1"],
        "accepted_at": [round(NOW.timestamp() * 1_000_000)], "tried": [""], "tried_digest": [0],
    }  # fmt: skip
    then.take(np.array([0]), pl.DataFrame(held))
    if verdict.same[0]:
        return Same(then)
    values = json.loads(rows.values(of.slots)[0])
    return Send(bool(verdict.is_new[0]), json.loads(verdict.changed[0]), verdict.remote_ids[0], values, then)


def _raw(value: Any) -> str | None:
    return None if value is None else str(value)


def accepted(row: dict[str, Any], of: Layout | None = None) -> Known:
    """The baseline after this row was accepted."""
    sent = for_row(of or layout(), "upsert", row, None, full=False)
    assert isinstance(sent, Send)
    return sent.known


ROW = {"id": 1, "key": "K", "a": "x", "b": "y"}


def test_a_new_row_is_sent_whole() -> None:
    sent = for_row(layout(), "upsert", ROW, None, full=False)
    assert isinstance(sent, Send)
    assert (sent.is_new, sent.changed, sent.values, sent.remote_id) == (True, ["a", "b"], {"a": "x", "b": "y"}, "")


def test_only_what_differs_is_changed() -> None:
    sent = for_row(layout(), "upsert", ROW | {"a": "z"}, accepted(ROW), full=False)
    assert isinstance(sent, Send)
    assert (sent.is_new, sent.changed, sent.remote_id) == (False, ["a"], "r1")


def test_an_equal_row_is_the_same() -> None:
    assert isinstance(for_row(layout(), "upsert", ROW, accepted(ROW), full=False), Same)


def test_an_empty_value_is_kept_or_cleared_as_the_mapping_says() -> None:
    assert isinstance(for_row(layout(), "upsert", ROW | {"a": None}, accepted(ROW), full=False), Same)
    cleared = for_row(layout(), "upsert", ROW | {"b": ""}, accepted(ROW), full=False)
    assert isinstance(cleared, Send)
    assert (cleared.changed, cleared.values["b"]) == (["b"], None)


def test_a_value_that_went_and_came_back_is_not_sent() -> None:
    gone = for_row(layout(), "upsert", ROW | {"a": None}, accepted(ROW), full=False)
    assert isinstance(gone, Same)
    assert isinstance(for_row(layout(), "upsert", ROW, gone.known, full=False), Same)


@pytest.mark.parametrize(
    ("row", "code"), [({"a": "bad"}, "not_good"), ({"key": None}, "match_empty"), ({"key": " "}, "match_empty")]
)
def test_a_row_that_can_not_be_sent_says_why(row: dict[str, Any], code: str) -> None:
    settled = for_row(layout(), "upsert", ROW | row, None, full=False)
    assert isinstance(settled, Settled)
    assert (settled.outcome, settled.code) == ("invalid", code)


def test_another_match_value_is_a_change_or_another_record() -> None:
    moved = for_row(layout(), "upsert", ROW | {"key": "L"}, accepted(ROW), full=False)
    assert isinstance(moved, Send)
    assert (moved.changed, moved.remote_id) == (["key"], "r1")
    other = for_row(layout(Immovable()), "upsert", ROW | {"key": "L"}, accepted(ROW), full=False)
    assert isinstance(other, Send)
    assert (other.changed, other.remote_id) == (["a", "b"], "")


def test_a_full_run_sends_all_of_it() -> None:
    sent = for_row(layout(), "upsert", ROW, accepted(ROW), full=True)
    assert isinstance(sent, Send)
    assert sent.changed == ["a", "b"]


def test_insert_mode_leaves_known_records_alone() -> None:
    settled = for_row(layout(), "insert", ROW | {"a": "z"}, accepted(ROW), full=False)
    assert isinstance(settled, Settled)
    assert settled.outcome == "skipped"


def test_a_mapping_from_now_on_takes_older_records_as_sent() -> None:
    later = Slot(2, Field("c", "C", "text"), "b", since=NOW + timedelta(hours=1))
    grown = layout(None, *layout().slots, later)
    same = for_row(grown, "upsert", ROW, accepted(ROW), full=False)
    assert isinstance(same, Same)
    changed = for_row(grown, "upsert", ROW | {"b": "new"}, same.known, full=False)
    assert isinstance(changed, Send)
    assert changed.changed == ["b", "c"]


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES), st.dictionaries(st.sampled_from(["a", "b"]), VALUES))
def test_what_was_accepted_is_never_sent_again_and_what_differs_always_is(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    old, new = ROW | before, ROW | after
    decision = for_row(layout(), "upsert", new, accepted(old), full=False)
    expected = [name for name in ("a", "b") if _says(name, new) and _sent(name, old) != _sent(name, new)]
    assert (decision.changed if isinstance(decision, Send) else []) == expected
    if isinstance(decision, Send):
        assert isinstance(for_row(layout(), "upsert", new, decision.known, full=False), Same)


def _says(name: str, row: dict[str, Any]) -> bool:
    return name == "b" or _fills(row[name])


def _sent(name: str, row: dict[str, Any]) -> Any:
    return str(row[name]) if _fills(row[name]) else None


def _fills(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


@given(st.integers(1, 60))
def test_a_refused_row_waits_longer_each_time_and_a_day_at_most(attempts: int) -> None:
    due_run, due_at = retry_dates.refused_again(attempts, 10, NOW)
    assert due_run == 10 + 2 ** min(attempts - 1, 20)
    assert due_at - NOW <= timedelta(days=1)


@given(st.integers(1, 30), st.one_of(st.none(), st.floats(0, 100)))
def test_a_retry_waits_at_least_what_the_vendor_said(attempt: int, said: float | None) -> None:
    wait = retry.backoff_seconds(attempt, Unavailable("x", "x", retry_after=said), random.Random(1))
    assert wait >= (said or 0)
    assert wait <= max(said or 0, retry.BACKOFF_AT_MOST)


def test_the_layout_decides_the_row_digest() -> None:
    assert layout().seed() == layout().seed()
    assert layout().seed() != layout(None, Slot(0, Field("a", "A", "text"), "b")).seed()
    assert digests.VERSION == 1
