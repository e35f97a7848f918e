"""Digests: the same value gives the same digest, whatever driver brought it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations import digests

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def test_the_algorithm_is_frozen() -> None:
    """These numbers are in databases. If this fails, every record of every installation would be sent again."""
    assert digests.of_text("acme.com") == -5104195518878290450
    assert digests.of_value({"b": 1.0, "a": ["é", None, True]}) == digests.of_value({"a": ["é", None, True], "b": 1})
    assert digests.of_value("Acme") == -660277736661333429


@given(JSON)
def test_a_value_has_one_digest_and_it_is_never_zero(value: object) -> None:
    assert digests.of_value(value) == digests.of_value(value) != 0


@given(st.dictionaries(st.integers(0, 40), st.integers(-(2**63), 2**63 - 1)), st.binary(max_size=100))
def test_packing_changes_the_given_slots_and_no_other(new: dict[int, int], old: bytes) -> None:
    old = old[: len(old) // 8 * 8]
    packed = digests.pack(new, old)
    for slot in range(50):
        assert digests.unpack(packed, slot) == new.get(slot, digests.unpack(old, slot))


def test_other_slots_are_dropped() -> None:
    packed = digests.only(digests.pack({0: 5, 1: 6, 2: 7}), ["a", "c", "unmapped"], {"a": 0, "b": 1, "c": 2})
    assert [digests.unpack(packed, slot) for slot in range(3)] == [5, 0, 7]


@pytest.mark.parametrize("column", [pa.array([42]), pa.array([42.0]), pa.array(["42"])])
def test_a_key_is_one_key_whatever_the_drivers_type(column: pa.Array) -> None:
    text, found = digests.keys(column)
    assert (text.to_list(), found.tolist()) == (["42"], [digests.of_text("42")])


def test_blank_keys_are_no_keys() -> None:
    text, found = digests.keys(pa.array(["a", "", "  ", None]))
    assert text.to_list() == ["a", None, None, None]
    assert found.tolist()[1:] == [0, 0, 0]


def test_a_row_differs_where_a_value_or_the_layout_differs() -> None:
    first = digests.rows([pa.array(["a", "b"]), pa.array([1, None])], seed=1)
    assert (digests.rows([pa.array(["a", "b"]), pa.array([1, 0])], seed=1) == first).tolist() == [True, False]
    assert not (digests.rows([pa.array(["a", "b"]), pa.array([1, None])], seed=2) == first).any()


def test_moving_text_from_one_column_to_the_next_is_a_difference() -> None:
    one = digests.rows([pa.array(["ab"]), pa.array(["c"])], seed=1)
    other = digests.rows([pa.array(["a"]), pa.array(["bc"])], seed=1)
    assert not np.array_equal(one, other)


def test_an_empty_batch_has_no_digests() -> None:
    assert digests.rows([pa.array([], pa.string())], seed=1).tolist() == []
    assert digests.keys(pa.array([], pa.string()))[1].tolist() == []


def test_decimals_of_one_value_are_told_apart_only_by_the_prefilter() -> None:
    """The row digest may differ; the converted values, which decide, do not."""
    assert digests.of_value(float(Decimal("1.00"))) == digests.of_value(1)
