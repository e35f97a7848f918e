"""Conversion of values: what each type accepts and refuses, and that nothing is ever cut off."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.contract import Field, Option
from destinations.kit.values.text import clean
from destinations.services.intercom.values.conversion import INTEGER_AT_MOST, LATEST_SECONDS, TYPES, convert


def custom(kind: str, *options: str) -> Field:
    return Field("thing", "Thing", kind, custom=True, options=tuple(Option(value, value) for value in options))


def standard(name: str, kind: str) -> Field:
    return Field(name, name, kind)


COMPANY_ID = standard("company_id", "string")
SPEND = standard("monthly_spend", "float")
PARIS = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("kind", "value", "wire"),
    [
        ("string", "Ünïcode 株", "Ünïcode 株"),
        ("string", " kept as given ", " kept as given "),
        ("string", 42, "42"),
        ("string", 10**20, "100000000000000000000"),
        ("string", Decimal("1200.00"), "1200"),
        ("string", Decimal("1E+3"), "1000"),
        ("string", Decimal("0.10"), "0.1"),
        ("string", 0.1, "0.1"),
        ("string", -0.0, "0"),
        ("string", True, "true"),
        ("string", date(2024, 1, 31), "2024-01-31"),
        ("string", datetime(2024, 1, 31, 9, 30, tzinfo=PARIS), "2024-01-31T07:30:00Z"),
        ("integer", 12, 12),
        ("integer", "12", 12),
        ("integer", " -12 ", -12),
        ("integer", 12.0, 12),
        ("integer", Decimal("12.00"), 12),
        ("integer", INTEGER_AT_MOST, INTEGER_AT_MOST),
        ("float", 1.5, 1.5),
        ("float", "1.5", 1.5),
        ("float", 12.0, 12),
        ("float", Decimal("0.1"), 0.1),
        ("float", 10**18, 1e18),
        ("boolean", True, True),
        ("boolean", 0, False),
        ("boolean", "Yes", True),
        ("boolean", "f", False),
        ("date", date(1970, 1, 2), 86400),
        ("date", date(1969, 12, 31), -86400),
        ("date", datetime(2024, 1, 31, 9, 30, 0, 999999, tzinfo=PARIS), 1706686200),
        ("date", datetime(2024, 1, 31, 9, 30), 1706693400),  # noqa: DTZ001
        ("date", "2024-01-31", 1706659200),
        ("date", "2024-01-31T09:30:00+02:00", 1706686200),
        ("date", "2024-01-31 07:30:00Z", 1706686200),
        ("date", 1706686200, 1706686200),
        ("date", "1706686200", 1706686200),
        ("datetime", date(1970, 1, 2), 86400),
    ],
)
def test_valid_value_is_converted(kind: str, value: Any, wire: Any) -> None:
    converted = convert(custom(kind), value)
    assert (converted, type(converted)) == (wire, type(wire))


@pytest.mark.parametrize(
    ("kind", "value", "code", "words"),
    [
        ("string", "x" * 256, "text_too_long", "at most 255 characters; this value is text of 256 characters"),
        ("string", ["a"], "value_nested", "this value is a list"),
        ("string", {"a": 1}, "value_nested", "this value is an object"),
        ("string", "\ud800", "text_broken", "broken characters"),
        ("string", float("nan"), "value_invalid", "not a finite number"),
        (
            "integer",
            1.5,
            "value_invalid",
            "a whole number (Intercom would cut off the decimals); this value is a number with decimals",
        ),
        ("integer", INTEGER_AT_MOST + 1, "number_out_of_range", "up to 2147483647"),
        ("integer", "twelve", "value_invalid", "a number; this value is text of 6 characters"),
        ("integer", True, "value_invalid", "this value is true or false"),
        ("integer", date(2024, 1, 1), "value_invalid", "this value is a date"),
        ("integer", "1_000", "value_invalid", "a number"),
        ("integer", "", "value_invalid", "a number"),
        ("integer", Decimal("1E+999999"), "number_out_of_range", "with an exponent from -308 to 308"),
        ("float", float("inf"), "value_invalid", "not a finite number"),
        ("float", Decimal("9.9E+308"), "number_out_of_range", "a smaller number"),
        ("float", 2**53 + 1, "number_out_of_range", "that a double can store exactly"),
        ("float", "nan", "value_invalid", "a number"),
        ("float", object(), "value_invalid", "of an unsupported type"),
        ("boolean", 2, "value_invalid", "true or false; this value is a whole number"),
        ("boolean", "perhaps", "value_invalid", "true or false"),
        ("date", "31/01/2024", "value_invalid", "a date such as 2024-01-31"),
        ("date", "2024-13-01", "value_invalid", "a date such as 2024-01-31"),
        ("date", 1706686200000, "number_out_of_range", "not milliseconds"),
        ("date", True, "value_invalid", "true or false"),
    ],
)
def test_invalid_value_is_refused_with_the_reason(kind: str, value: Any, code: str, words: str) -> None:
    with pytest.raises(Rejected) as caught:
        convert(custom(kind), value)
    assert (caught.value.code, caught.value.field) == (code, "thing")
    assert words in caught.value.message


def test_custom_attribute_accepts_255_characters() -> None:
    assert convert(custom("string"), "é" * 255) == "é" * 255


@pytest.mark.parametrize("name", ["name", "website", "industry", "plan"])
def test_text_in_standard_attributes_has_no_limit(name: str) -> None:
    assert convert(standard(name, "string"), "x" * 1000) == "x" * 1000


@pytest.mark.parametrize("value", [99, 99.0, "99", Decimal("99.00")])
def test_whole_monthly_spend_is_accepted(value: Any) -> None:
    assert convert(SPEND, value) == 99


@pytest.mark.parametrize("value", [155.98, "155.98", Decimal("155.98")])
def test_monthly_spend_with_cents_is_refused(value: Any) -> None:
    with pytest.raises(Rejected, match="Intercom would cut off the decimals"):
        convert(SPEND, value)


def test_monthly_spend_has_the_documented_limit() -> None:
    assert convert(SPEND, 2147483647) == 2147483647
    with pytest.raises(Rejected, match="2147483647"):
        convert(SPEND, 2147483648)


@pytest.mark.parametrize(
    ("value", "wire"),
    [("Acme-1", "Acme-1"), (" x ", " x "), ("007", "007"), (10**20, "1" + "0" * 20), (Decimal("7.0"), "7")],
)
def test_company_id_stays_as_given(value: Any, wire: str) -> None:
    assert convert(COMPANY_ID, value) == wire


@pytest.mark.parametrize("value", ["", "  ", True, 1.5, date(2024, 1, 1), ["a"], None])
def test_invalid_company_id_is_refused(value: Any) -> None:
    with pytest.raises(Rejected) as caught:
        convert(COMPANY_ID, value)
    assert caught.value.field == "company_id"


def test_options_match_exactly_or_ignoring_case() -> None:
    field = custom("string", "1-10", "Enterprise")
    assert convert(field, "1-10") == "1-10"
    assert convert(field, " enterprise") == "Enterprise"


def test_options_that_differ_only_in_case_stay_distinct() -> None:
    field = custom("string", "a", "A")
    assert (convert(field, "a"), convert(field, "A")) == ("a", "A")


def test_unknown_option_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(Rejected) as caught:
        convert(custom("string", "1-10", "11-50"), "some")
    assert caught.value.code == "unknown_option"
    assert "1-10, 11-50" in caught.value.message


def test_long_list_of_options_is_shortened() -> None:
    with pytest.raises(Rejected, match="o9 …"):
        convert(custom("string", *(f"o{number}" for number in range(40))), "some")


ANYTHING = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.timezones()),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
FIELDS = st.sampled_from(
    [
        *(custom(kind) for kind in sorted(TYPES)),
        COMPANY_ID,
        SPEND,
        custom("string", "a", "b"),
        standard("name", "string"),
    ]
)


@given(FIELDS, ANYTHING)
def test_any_value_is_converted_to_json_or_refused_without_being_revealed(field: Field, value: Any) -> None:
    try:
        wire = convert(field, value)
    except Rejected as error:
        assert error.field == field.name
        if isinstance(value, str) and len(value) > 12:
            assert value not in error.message
        return
    assert json.loads(json.dumps(wire, allow_nan=False)) == wire
    assert isinstance(wire, str | int | float | bool)


@given(FIELDS, ANYTHING)
def test_conversion_is_idempotent(field: Field, value: Any) -> None:
    try:
        wire = convert(field, value)
    except Rejected:
        return
    assert convert(field, wire) == wire


@given(st.text(max_size=400))
def test_text_is_sent_whole_or_not_at_all(text: str) -> None:
    try:
        assert convert(custom("string"), text) == clean(text)
    except Rejected:
        broken = any("\ud800" <= character <= "\udfff" for character in text)
        assert len(text) > 255 or broken or not clean(text).strip()


@given(st.integers(-(10**12), 10**12), st.sampled_from(["integer", "float"]))
def test_whole_numbers_are_exact_or_refused(number: int, kind: str) -> None:
    try:
        assert convert(custom(kind), number) == convert(custom(kind), str(number)) == number
    except Rejected:
        assert kind == "integer"
        assert abs(number) > INTEGER_AT_MOST


@given(st.datetimes(timezones=st.timezones()))
def test_time_is_sent_to_the_second(time: datetime) -> None:
    wire = convert(custom("date"), time)
    assert 0 <= (time - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() - wire < 1.001
    assert wire <= LATEST_SECONDS + 86400
