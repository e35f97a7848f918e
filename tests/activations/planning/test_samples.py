"""The samples of the editor show exactly what a run would send, or why it would not."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations.planning.samples import Sample, SampleColumns, SampleMapping, convert_samples
from destinations.contract import Field, Option
from destinations.registry import services
from segments.contract import ColumnType

ATTIO, INTERCOM = services["attio.companies"], services["intercom.companies"]
NAME = Field("name", "Name", "text")
SEATS = Field("seats", "Seats", "integer", custom=True)
COLUMNS = SampleColumns(
    {
        "name": ColumnType.TEXT,
        "city": ColumnType.TEXT,
        "mrr": ColumnType.NUMBER,
        "seen": ColumnType.TIMESTAMP,
        "domain": ColumnType.TEXT,
    },
    ZoneInfo("Europe/Paris"),
)
SEEN = datetime(2026, 11, 29, 13, 5, tzinfo=UTC)


def sample(field: Field, mapping: SampleMapping, row: dict[str, Any], service: Any = ATTIO) -> Sample:
    (only,) = convert_samples(service, field, mapping, COLUMNS, [row])
    return only


def test_a_column_shows_its_value_and_what_is_sent() -> None:
    found = sample(Field("mrr", "MRR", "number"), SampleMapping(column="mrr"), {"mrr": Decimal("12.50")})
    assert found == Sample("12.5", "12.5", 12.5, is_sent=True)


def test_a_value_that_does_not_fit_has_its_reason() -> None:
    found = sample(Field("mrr", "MRR", "number"), SampleMapping(column="name"), {"name": "many"})
    assert (found.source, found.is_sent, found.problem[:30]) == ("many", False, "The attribute “mrr” takes a nu")


def test_a_time_is_shown_on_the_clocks_of_the_source() -> None:
    attio = sample(Field("seen", "Seen", "timestamp"), SampleMapping(column="seen"), {"seen": SEEN})
    intercom = sample(
        Field("seen", "Seen", "date", custom=True), SampleMapping(column="seen"), {"seen": SEEN}, INTERCOM
    )
    assert (attio.shown, intercom.shown, intercom.wire) == ("29 Nov 2026, 14:05", "29 Nov 2026, 14:05", 1795957500)


def test_an_option_is_shown_by_its_title() -> None:
    field = Field("plan", "Plan", "select", options=(Option("o-1", "Pro"),))
    found = sample(field, SampleMapping(value="Pro"), {})
    assert (found.source, found.shown) == ("Pro", "Pro")


def test_domains_of_a_list_are_shown_with_commas() -> None:
    field = Field("domains", "Domains", "domain", multiple=True)
    assert sample(field, SampleMapping(column="domain"), {"domain": "a.com; b.com"}).shown == "a.com, b.com"


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        ({"name": "Acme", "city": "Paris", "mrr": Decimal("12.50")}, "Acme in Paris (12.5)"),
        ({"name": "Acme", "city": None, "mrr": 3.0}, "Acme in (3)"),
        ({"name": " ", "city": "", "mrr": None}, ""),
    ],
)
def test_a_template_joins_columns_and_closes_gaps(row: dict[str, Any], shown: str) -> None:
    assert sample(NAME, SampleMapping(template="{name} in {city} ({mrr})"), row).shown == shown


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("{nme}", "the column “nme”, which the model does not have"),
        ("name", "names no column"),
        ("{name", "without its counterpart"),
        ("{}", "empty braces"),
    ],
)
def test_a_template_that_is_not_valid_says_why(template: str, words: str) -> None:
    found = sample(NAME, SampleMapping(template=template), {"name": "Acme"})
    assert words in found.problem


def test_braces_are_doubled_to_be_text() -> None:
    assert sample(NAME, SampleMapping(template="{{{name}}}"), {"name": "Acme"}).shown == "{Acme}"


def test_a_rounded_number_fits_an_attribute_of_whole_numbers() -> None:
    row = {"mrr": Decimal("-2.5")}
    assert sample(SEATS, SampleMapping(column="mrr"), row, INTERCOM).problem
    assert sample(SEATS, SampleMapping(column="mrr", rounds=True), row, INTERCOM).wire == -3


def test_an_empty_value_is_kept_or_cleared_and_never_a_match() -> None:
    row = {"name": "  "}
    assert sample(NAME, SampleMapping(column="name"), row) == Sample("")
    cleared = sample(NAME, SampleMapping(column="name", when_empty="clear"), row)
    assert (cleared.shown, cleared.is_sent) == ("nothing: the attribute is cleared", True)
    assert sample(NAME, SampleMapping(column="name", is_match=True), row).code == "match_empty"


@given(st.one_of(st.none(), st.text(max_size=20)))
def test_a_template_of_one_column_sends_what_the_column_would(value: str | None) -> None:
    row = {"name": value}
    plain, template = (
        sample(NAME, mapping, row) for mapping in (SampleMapping(column="name"), SampleMapping(template="{name}"))
    )
    assert (template.wire, template.is_sent, template.code) == (plain.wire, plain.is_sent, plain.code)


def test_samples_of_many_rows_are_those_of_each_row() -> None:
    rows: list[dict[str, Any]] = [
        {"name": "Acme", "city": "Paris"},
        {"name": None, "city": ""},
        {"name": " Bolt", "city": None},
    ]
    for mapping in (SampleMapping(template="{name} ({city})"), SampleMapping(column="city"), SampleMapping(value="x")):
        expected = [sample(NAME, mapping, row) for row in rows]
        assert list(convert_samples(ATTIO, NAME, mapping, COLUMNS, rows)) == expected


def test_fixed_value_is_converted_once_for_all_sample_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    converted: list[Any] = []
    convert = type(ATTIO).convert

    def counted(service: Any, field: Field, value: Any, origin: Any) -> Any:
        converted.append(value)
        return convert(service, field, value, origin)

    monkeypatch.setattr(type(ATTIO), "convert", counted)
    found = convert_samples(ATTIO, NAME, SampleMapping(value="Customer"), COLUMNS, [{}] * 200)
    assert ([each.wire for each in found], converted) == (["Customer"] * 200, ["Customer"])
