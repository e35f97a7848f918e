"""What a run decides about one row, without a database."""

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
from activations.planning.conversion.slots import Layout, Slot
from activations.planning.mapping import Mapper
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
    """The part of a verdict about a row that is sent."""

    is_new: bool
    changed: list[str]
    remote_id: str
    values: dict[str, Any]
    known: Known
    again: bool


@dataclass
class Unchanged:
    """The part of a verdict about a row that is unchanged."""

    known: Known


def no_record() -> Known:
    return Known.empty(1, 4)


def for_row(
    layout: Layout, mode: str, row: dict[str, Any], known: Known | None, *, full: bool
) -> Send | Unchanged | Settled:
    """The verdict on one row, with its baseline after the verdict was carried out."""
    batch = pa.record_batch([pa.array([_raw(row[name])], pa.string()) for name in layout.columns], names=layout.columns)
    rows, known = Mapper(layout).convert(batch, digests.as_texts(batch.columns)), known or no_record()
    verdict = verdicts.for_rows(layout, mode, rows, known, full=full)
    if verdict.settled:
        return verdict.settled[0]
    after = no_record()
    record = {
        "field_digests": digests.packed(verdict.digests), "match_digest": verdict.match_digests, "remote_id": ["r1"],
        "accepted_at": [round(NOW.timestamp() * 1_000_000)], "tried": [""], "tried_digest": [0],
    }  # fmt: skip
    after.fill(np.array([0]), pl.DataFrame(record))
    if verdict.unchanged[0]:
        return Unchanged(after)
    values = json.loads(rows.values(layout.slots)[0])
    changed, again = json.loads(verdict.changed[0]), bool(verdict.again[0])
    return Send(bool(verdict.is_new[0]), changed, verdict.remote_ids[0], values, after, again)


def _raw(value: Any) -> str | None:
    return None if value is None else str(value)


def accepted(row: dict[str, Any]) -> Known:
    """The baseline after this row was accepted."""
    sent = for_row(layout(), "upsert", row, None, full=False)
    assert isinstance(sent, Send)
    return sent.known


ROW = {"id": 1, "key": "K", "a": "x", "b": "y"}


def test_new_row_is_sent_whole() -> None:
    sent = for_row(layout(), "upsert", ROW, None, full=False)
    assert isinstance(sent, Send)
    assert (sent.is_new, sent.changed, sent.values, sent.remote_id) == (True, ["a", "b"], {"a": "x", "b": "y"}, "")


def test_only_values_that_differ_are_changed() -> None:
    sent = for_row(layout(), "upsert", ROW | {"a": "z"}, accepted(ROW), full=False)
    assert isinstance(sent, Send)
    assert (sent.is_new, sent.changed, sent.remote_id) == (False, ["a"], "r1")


def test_value_in_doubt_is_sent_again_and_is_no_change_of_the_data() -> None:
    known = accepted(ROW)
    known.digests[0, 1] = digests.IN_DOUBT
    sent, changed = (for_row(layout(), "upsert", row, known, full=False) for row in (ROW, ROW | {"a": "z"}))
    assert isinstance(sent, Send)
    assert isinstance(changed, Send)
    assert (sent.changed, sent.again) == (["b"], True)
    assert (changed.changed, changed.again) == (["a", "b"], False)


def test_equal_row_is_unchanged() -> None:
    assert isinstance(for_row(layout(), "upsert", ROW, accepted(ROW), full=False), Unchanged)


def test_empty_value_is_kept_or_cleared_as_mapped() -> None:
    assert isinstance(for_row(layout(), "upsert", ROW | {"a": None}, accepted(ROW), full=False), Unchanged)
    cleared = for_row(layout(), "upsert", ROW | {"b": ""}, accepted(ROW), full=False)
    assert isinstance(cleared, Send)
    assert (cleared.changed, cleared.values["b"]) == (["b"], None)


def test_value_that_returns_is_not_sent_again() -> None:
    gone = for_row(layout(), "upsert", ROW | {"a": None}, accepted(ROW), full=False)
    assert isinstance(gone, Unchanged)
    assert isinstance(for_row(layout(), "upsert", ROW, gone.known, full=False), Unchanged)


@pytest.mark.parametrize(
    ("row", "code"), [({"a": "bad"}, "not_good"), ({"key": None}, "match_empty"), ({"key": " "}, "match_empty")]
)
def test_row_that_cannot_be_sent_has_a_reason(row: dict[str, Any], code: str) -> None:
    settled = for_row(layout(), "upsert", ROW | row, None, full=False)
    assert isinstance(settled, Settled)
    assert (settled.outcome, settled.code) == ("invalid", code)


def test_different_match_value_is_a_change_or_a_different_record() -> None:
    moved = for_row(layout(), "upsert", ROW | {"key": "L"}, accepted(ROW), full=False)
    assert isinstance(moved, Send)
    assert (moved.changed, moved.remote_id) == (["key"], "r1")
    other = for_row(layout(Immovable()), "upsert", ROW | {"key": "L"}, accepted(ROW), full=False)
    assert isinstance(other, Send)
    assert (other.changed, other.remote_id) == (["a", "b"], "")


def test_full_run_sends_every_value() -> None:
    sent = for_row(layout(), "upsert", ROW, accepted(ROW), full=True)
    assert isinstance(sent, Send)
    assert sent.changed == ["a", "b"]


def test_insert_mode_leaves_known_records_alone() -> None:
    settled = for_row(layout(), "insert", ROW | {"a": "z"}, accepted(ROW), full=False)
    assert isinstance(settled, Settled)
    assert settled.outcome == "skipped"


def test_mapping_from_now_on_assumes_older_records_as_sent() -> None:
    later = Slot(2, Field("c", "C", "text"), "b", since=NOW + timedelta(hours=1))
    extended = layout(None, *layout().slots, later)
    unchanged = for_row(extended, "upsert", ROW, accepted(ROW), full=False)
    assert isinstance(unchanged, Unchanged)
    changed = for_row(extended, "upsert", ROW | {"b": "new"}, unchanged.known, full=False)
    assert isinstance(changed, Send)
    assert changed.changed == ["b", "c"]


@given(st.dictionaries(st.sampled_from(["a", "b"]), VALUES), st.dictionaries(st.sampled_from(["a", "b"]), VALUES))
def test_accepted_values_are_never_sent_again_and_different_ones_always(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    old, new = ROW | before, ROW | after
    verdict = for_row(layout(), "upsert", new, accepted(old), full=False)
    expected = [name for name in ("a", "b") if _is_sent(name, new) and _wire(name, old) != _wire(name, new)]
    assert (verdict.changed if isinstance(verdict, Send) else []) == expected
    if isinstance(verdict, Send):
        assert isinstance(for_row(layout(), "upsert", new, verdict.known, full=False), Unchanged)


def _is_sent(name: str, row: dict[str, Any]) -> bool:
    return name == "b" or _has_value(row[name])


def _wire(name: str, row: dict[str, Any]) -> Any:
    return str(row[name]) if _has_value(row[name]) else None


def _has_value(value: Any) -> bool:
    return value is not None and str(value).strip() != ""


@given(st.integers(1, 60))
def test_rejected_row_waits_longer_each_time_up_to_a_day(attempts: int) -> None:
    due_run, due_at = retry_dates.next_attempt(attempts, 10, NOW)
    assert due_run == 10 + 2 ** min(attempts - 1, 20)
    assert due_at - NOW <= timedelta(days=1)


@given(st.integers(1, 30), st.one_of(st.none(), st.floats(0, 100)))
def test_retry_waits_at_least_as_long_as_the_vendor_requests(attempt: int, requested: float | None) -> None:
    wait = retry.backoff_seconds(attempt, Unavailable("x", "x", retry_after=requested), random.Random(1))
    assert wait >= (requested or 0)
    assert wait <= max(requested or 0, retry.BACKOFF_AT_MOST)


def test_the_layout_decides_the_row_digest() -> None:
    assert layout().seed() == layout().seed()
    assert layout().seed() != layout(None, Slot(0, Field("a", "A", "text"), "b")).seed()
    assert digests.VERSION == 1
