"""The same value has the same digest, whichever driver returned it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations import digests
from segments.contract import ColumnType

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)


def test_algorithm_is_frozen() -> None:
    """Databases contain these numbers. If they changed, every installation would send all its records again."""
    assert digests.of_text("acme.com") == -5104195518878290450
    assert digests.of_value({"b": 1.0, "a": ["é", None, True]}) == digests.of_value({"a": ["é", None, True], "b": 1})
    assert digests.of_value("Acme") == -660277736661333429


@given(JSON)
def test_value_has_one_digest_that_is_never_zero(value: object) -> None:
    assert digests.of_value(value) == digests.of_value(value) != 0


@given(st.dictionaries(st.integers(0, 40), st.integers(-(2**63), 2**63 - 1)), st.binary(max_size=100))
def test_packing_changes_only_the_given_slots(new: dict[int, int], old: bytes) -> None:
    old = old[: len(old) // 8 * 8]
    packed = digests.pack(new, old)
    for slot in range(50):
        assert digests.unpack(packed, slot) == new.get(slot, digests.unpack(old, slot))


def test_only_keeps_the_given_slots() -> None:
    packed = digests.only(digests.pack({0: 5, 1: 6, 2: 7}), ["a", "c", "unmapped"], {"a": 0, "b": 1, "c": 2})
    assert [digests.unpack(packed, slot) for slot in range(3)] == [5, 0, 7]


def keys_and_rows(*columns: pa.Array, seed: int = 1) -> tuple[list[int], list[int]]:
    keys, rows = digests.keys_and_rows(digests.as_texts(columns), seed)
    return keys.tolist(), rows.tolist()


@pytest.mark.parametrize("column", [pa.array([42]), pa.array([42.0]), pa.array(["42"])])
def test_key_has_one_digest_for_all_driver_types(column: pa.Array) -> None:
    assert digests.as_texts([column])["0"].to_list() == ["42"]
    assert keys_and_rows(column)[0] == [digests.of_text("42")]


def test_empty_keys_have_no_digest() -> None:
    keys, _ = keys_and_rows(pa.array(["a", "", "  ", None]))
    assert keys == [digests.of_text("a"), 0, 0, 0]


def test_row_digest_differs_if_a_value_or_the_layout_differs() -> None:
    _, first = keys_and_rows(pa.array(["a", "b"]), pa.array([1, None]))
    _, other = keys_and_rows(pa.array(["a", "b"]), pa.array([1, 0]))
    assert [before == after for before, after in zip(first, other, strict=True)] == [True, False]
    assert not set(first) & set(keys_and_rows(pa.array(["a", "b"]), pa.array([1, None]), seed=2)[1])


def test_moving_text_to_the_next_column_changes_the_digest() -> None:
    assert keys_and_rows(pa.array(["ab"]), pa.array(["c"])) != keys_and_rows(pa.array(["a"]), pa.array(["bc"]))


def test_empty_batch_has_no_digests() -> None:
    assert keys_and_rows(pa.array([], pa.string())) == ([], [])


def test_digests_of_version_1_never_change() -> None:
    """Every database contains them. Different ones would resend all records, or lose track of them."""
    columns = [
        pa.array(["k1", None]),
        pa.array([7, 7]),
        pa.array([1.0, 2.5]),
        pa.array([True, None]),
        pa.array([["a"], []]),
    ]
    assert keys_and_rows(*columns, seed=99) == ([-9101845736572963131, 0], [-2019509037410818266, 3013546098377159457])
    assert digests.of_columns(pl.DataFrame({"0": ['"a"', None]})).tolist() == [[digests.of_text('"a"')], [0]]


def test_equal_decimals_differ_at_most_in_the_row_digest() -> None:
    """The digests of the converted values decide, and are equal."""
    assert digests.of_value(float(Decimal("1.00"))) == digests.of_value(1)


@pytest.mark.parametrize(
    ("spelled", "key_type", "keys"),
    [
        (
            pa.array(["1.0", "2", None, "-3.000", "1.10", "x.0", "10"]),
            "integer",
            ["1", "2", None, "-3", "1.10", "x.0", "10"],
        ),
        (pa.array(["1.0", "1.00"]), "number", ["1", "1"]),
        (pa.array(["1.0", "1.10"]), "text", ["1.0", "1.10"]),
        (pa.array([Decimal("1.00"), Decimal("1.50")]), "number", ["1", "1.50"]),
        (pa.array([1.0, 2.5]), "number", ["1", "2.5"]),
        (pa.array([], pa.string()), "number", []),
    ],
)
def test_whole_number_is_the_same_key_with_a_decimal_point(
    spelled: pa.Array, key_type: str, keys: list[str | None]
) -> None:
    batch = pa.record_batch([spelled, spelled], names=["id", "other"])
    types = {"id": ColumnType(key_type), "other": ColumnType.TEXT}
    same = digests.with_whole_keys(batch, types, lambda asked: np.zeros(len(asked), dtype=bool))
    assert digests.as_texts(same.columns)["0"].to_list() == keys
    assert same.column(1) == spelled


def test_key_that_was_accepted_in_its_own_spelling_keeps_it() -> None:
    batch = pa.record_batch([pa.array(["1.00", "2.00", "3.00", "4"])], names=["id"])
    known = np.array([digests.of_text(key) for key in ("1.00", "3.00", "3", "4")])
    same = digests.with_whole_keys(batch, {"id": ColumnType.NUMBER}, lambda asked: np.isin(asked, known))
    assert same.column(0).to_pylist() == ["1.00", "2", "3", "4"]
