"""Templates of several columns and rounded numbers: what they send, and that nothing else changes because of them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations import digests
from activations.planning.conversion.derived import rounded
from activations.planning.conversion.slots import Layout, Slot
from activations.planning.mapping import Mapper
from activations.planning.samples import SampleColumns, SampleMapping, convert_samples
from destinations.contract import Field
from destinations.registry import services
from segments.contract import ColumnType

ATTIO = services["attio.companies"]
DOMAINS = Field("domains", "Domains", "domain", multiple=True, matchable=True, unique=True)
NOTE = Field("note", "Note", "text")
NUMBER = Field("mrr", "MRR", "number")
UTC = ZoneInfo("UTC")
TYPES = {
    "id": ColumnType.INTEGER,
    "domain": ColumnType.TEXT,
    "a": ColumnType.TEXT,
    "b": ColumnType.TEXT,
    "mrr": ColumnType.NUMBER,
}
TEXTS = st.one_of(st.none(), st.text(max_size=12), st.sampled_from(["", " ", "a  b", "12.50", "007", "\n", "{b}"]))


def layout(*slots: Slot) -> Layout:
    return Layout(ATTIO, "id", "domain", DOMAINS, slots, TYPES, UTC)


def sent(slot: Slot, **columns: list[Any]) -> list[Any]:
    """The JSON of each row, or the code of its error."""
    rows = len(next(iter(columns.values())))
    given = {
        "id": [str(place) for place in range(rows)],
        "domain": [f"a{place}.com" for place in range(rows)],
    } | columns
    plan = layout(slot)
    batch = pa.RecordBatch.from_pydict({name: pa.array(given[name], pa.string()) for name in plan.columns})
    (converted,) = Mapper(plan).convert(batch, digests.as_texts(batch.columns)).columns
    return [converted.errors[row].code if row in converted.errors else converted.json[row] for row in range(rows)]


@given(st.lists(TEXTS, min_size=1, max_size=8))
def test_a_template_of_one_column_sends_what_the_column_sends(values: list[str | None]) -> None:
    assert sent(Slot(0, NOTE, template="{a}"), a=values) == sent(Slot(0, NOTE, "a"), a=values)


@given(st.lists(st.one_of(st.none(), st.decimals(-1000, 1000, places=3).map(str)), min_size=1, max_size=8))
def test_a_number_in_a_template_is_written_as_in_a_text_attribute(values: list[str | None]) -> None:
    assert sent(Slot(0, NOTE, template="{mrr}"), mrr=values) == sent(Slot(0, NOTE, "mrr"), mrr=values)


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_a_batch_is_converted_like_its_samples(rows: list[tuple[str | None, str | None]]) -> None:
    template = "{a} - {b}!"
    samples = convert_samples(
        ATTIO, NOTE, SampleMapping(template=template), SampleColumns(TYPES, UTC), [{"a": a, "b": b} for a, b in rows]
    )
    whole = sent(Slot(0, NOTE, template=template), a=[a for a, _ in rows], b=[b for _, b in rows])
    alone = [each.code or (digests.canonical(each.wire).decode() if each.is_sent else None) for each in samples]
    assert whole == alone


def test_gaps_close_and_a_template_without_any_value_is_empty() -> None:
    slot = Slot(0, NOTE, template="{a}  {b}")
    assert sent(slot, a=["Ada", "Ada", None, " "], b=["Lovelace", None, "Lovelace", ""]) == [
        '"Ada  Lovelace"',
        '"Ada"',
        '"Lovelace"',
        None,
    ]
    cleared = Slot(0, NOTE, template="{a}", when_empty="clear")
    assert sent(cleared, a=[None, "x"]) == ["[]", '"x"']


@given(st.decimals(-(10**16), 10**16, allow_nan=False, places=4))
def test_halves_are_rounded_away_from_zero(number: Decimal) -> None:
    text = format(number, "f")
    assert rounded(pl.Series([text]))[0] == str(int(number.to_integral_value(ROUND_HALF_UP)))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("2.5", "3"),
        ("-2.5", "-3"),
        ("-0.4", "0"),
        ("1e2", "100"),
        ("99999999999999999999.5", "100000000000000000000"),
        (" 2.5 ", "3"),
        ("7", "7"),
        ("v1.5", "v1.5"),
        ("1.5.2", "1.5.2"),
        ("1e999999999", "1e999999999"),
        ("", ""),
        (None, None),
    ],
)
def test_only_numbers_are_rounded(text: str | None, result: str | None) -> None:
    assert rounded(pl.Series([text], dtype=pl.String))[0] == result


def test_a_rounded_column_is_sent_as_whole_numbers() -> None:
    values = ["12.50", "-0.5", "3", None, "many"]
    assert sent(Slot(0, NUMBER, "mrr", rounds=True), mrr=values)[:4] == ["13", "-1", "3", None]
    assert sent(Slot(0, NOTE, "a", rounds=True), a=["12.50", "twelve"]) == ['"13"', '"twelve"']


def test_a_mapping_with_neither_is_described_as_before() -> None:
    """The digests of rows that were stored before these options existed still apply."""
    plain = Slot(3, NOTE, "a", country="FR")
    assert plain.description() == [3, "a", None, "keep", False, "FR", ["note", "text", False, True, []]]
    assert layout(plain).seed() == -3337579316927597393
    seeds = {
        layout(slot).seed()
        for slot in (plain, Slot(3, NOTE, "a", country="FR", rounds=True), Slot(3, NOTE, template="{a}", country="FR"))
    }
    assert len(seeds) == 3


def test_all_columns_of_a_template_are_read_once() -> None:
    assert layout(Slot(0, NOTE, template="{a}{b}{a}"), Slot(1, NUMBER, "mrr")).columns == [
        "id",
        "domain",
        "a",
        "b",
        "mrr",
    ]
