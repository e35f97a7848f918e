"""What a source knew of a value beside the value: the zone of its clocks, and how it spelled what it says."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations import digests
from activations.planning.conversion.columns import Converter, convert
from destinations.contract import Field, Option
from destinations.registry import services
from segments.contract import ColumnType
from segments.values import natural

PARIS, NEW_YORK, UTC = ZoneInfo("Europe/Paris"), ZoneInfo("America/New_York"), ZoneInfo("UTC")
DAY = ("attio.companies", Field("founded", "Founded", "date"))
MOMENT = ("attio.companies", Field("seen", "Seen", "timestamp"))
SECONDS = ("intercom.companies", Field("seen", "Seen", "date", custom=True))
NOTE = ("attio.companies", Field("note", "Note", "text"))
STRING = ("intercom.companies", Field("note", "Note", "string", custom=True))
COMPANY_ID = ("intercom.companies", Field("company_id", "Company ID", "string", unique=True, matchable=True))
Target = tuple[str, Field]


def sent(
    target: Target, kind: ColumnType, values: list[Any], zone: ZoneInfo = UTC, *, is_spelled: bool = False
) -> list[Any]:
    """The wire values of a column, or the code of the error for values that can't be converted."""
    slug, field = target
    column = pa.array(values)
    converter = Converter(services[slug], field, kind, zone, is_spelled=is_spelled)
    (made,) = convert([converter], [column], digests.as_texts([column]))
    return [
        made.errors[place].code if place in made.errors else orjson.loads(wire) if wire is not None else None
        for place, wire in enumerate(made.json)
    ]


@pytest.mark.parametrize(
    ("text", "zone", "day"),
    [
        ("2024-07-01 00:00:00", PARIS, "2024-07-01"),
        ("2024-01-01 00:30:00", PARIS, "2024-01-01"),
        ("2024-03-31 02:30:00", PARIS, "2024-03-31"),
        ("2024-07-01 23:30:00", NEW_YORK, "2024-07-01"),
        ("2024-07-01T00:00:00+02:00", PARIS, "2024-07-01"),
        ("2024-07-01T22:30:00Z", PARIS, "2024-07-02"),
        ("2024-07-01T02:00:00Z", NEW_YORK, "2024-06-30"),
        ("2024-07-01", NEW_YORK, "2024-07-01"),
    ],
)
@pytest.mark.parametrize("kind", [ColumnType.TIMESTAMP, ColumnType.TEXT])
def test_day_of_a_time_is_the_day_on_the_clocks_of_the_source(
    kind: ColumnType, text: str, zone: ZoneInfo, day: str
) -> None:
    assert sent(DAY, kind, [text], zone) == [day]


def test_native_times_have_the_day_of_the_source_too() -> None:
    naive = pa.array([datetime(2024, 7, 1)], pa.timestamp("us"))  # noqa: DTZ001
    zoned = pa.array([datetime(2024, 6, 30, 22, tzinfo=UTC)], pa.timestamp("us", "UTC"))
    for column in (naive, zoned):
        (made,) = convert(
            [Converter(services[DAY[0]], DAY[1], ColumnType.TIMESTAMP, PARIS)], [column], digests.as_texts([column])
        )
        assert made.json.to_list() == ['"2024-07-01"']


@given(st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1)), st.sampled_from([PARIS, NEW_YORK, UTC]))  # noqa: DTZ001
def test_one_odd_value_in_a_column_changes_no_other_time(time: datetime, zone: ZoneInfo) -> None:
    """A column of times with one "n/a" is a column of text."""
    text = time.isoformat(" ")
    for target in (DAY, MOMENT, SECONDS):
        (alone,) = sent(target, ColumnType.TIMESTAMP, [text], zone)
        beside, odd = sent(target, ColumnType.TEXT, [text, "n/a"], zone)
        assert beside == alone
        assert odd in ("no_date", "no_timestamp", "value_invalid")


@given(st.dates(date(1900, 1, 2), date(2100, 1, 1)), st.sampled_from([PARIS, NEW_YORK, UTC]))
def test_a_date_means_the_same_in_every_column(day: date, zone: ZoneInfo) -> None:
    for target in (DAY, MOMENT, SECONDS):
        results = [sent(target, kind, [str(day)], zone) for kind in ColumnType if kind in ("text", "date", "timestamp")]
        assert results[0] == results[1] == results[2]


@given(st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1)), st.sampled_from([PARIS, NEW_YORK]))  # noqa: DTZ001
def test_day_that_is_sent_is_the_day_that_the_preview_shows(time: datetime, zone: ZoneInfo) -> None:
    shown = natural(time.isoformat(" "), ColumnType.TIMESTAMP, zone)
    assert sent(DAY, ColumnType.TIMESTAMP, [time.isoformat(" ")], zone) == [shown.date().isoformat()]


def test_a_date_is_midnight_utc_at_intercom_and_midnight_of_the_source_at_attio() -> None:
    assert sent(SECONDS, ColumnType.DATE, ["2024-07-01"], PARIS) == [1719792000]
    assert sent(MOMENT, ColumnType.DATE, ["2024-07-01"], PARIS) == ["2024-06-30T22:00:00Z"]


@pytest.mark.parametrize("target", [NOTE, STRING], ids=["attio", "intercom"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ColumnType.NUMBER, "1.10"),
        (ColumnType.NUMBER, "12E4"),
        (ColumnType.NUMBER, "2.50"),
        (ColumnType.NUMBER, "1.0"),
        (ColumnType.NUMBER, "-0"),
        (ColumnType.INTEGER, "007"),
        (ColumnType.INTEGER, "12E4"),
        (ColumnType.BOOLEAN, "TRUE"),
        (ColumnType.BOOLEAN, "t"),
        (ColumnType.TIMESTAMP, "2024-01-02 03:04:05"),
        (ColumnType.DATE, "2024-01-02"),
    ],
)
def test_text_attribute_gets_what_the_file_says(target: Target, kind: ColumnType, text: str) -> None:
    assert sent(target, kind, [text], PARIS, is_spelled=True) == [text]


def test_text_of_a_typed_source_is_its_value() -> None:
    for target in (NOTE, STRING):
        assert sent(target, ColumnType.NUMBER, ["12.50", "12E4"]) == ["12.5", "120000"]
        assert sent(target, ColumnType.TIMESTAMP, ["2024-07-01 02:00:00"], PARIS) == ["2024-07-01T00:00:00Z"]


def test_codes_that_are_equal_as_numbers_are_different_match_values() -> None:
    codes = ["12E4", "120000", "1.10", "1.1"]
    assert sent(COMPANY_ID, ColumnType.NUMBER, codes, is_spelled=True) == codes


def test_integer_that_a_program_wrote_with_a_point_stays_the_same_match_value() -> None:
    assert sent(COMPANY_ID, ColumnType.INTEGER, ["1.0", "12.00"], is_spelled=True) == ["1", "12"]
    assert sent(COMPANY_ID, ColumnType.NUMBER, ["1.0"], is_spelled=True) == ["1"]
    assert sent(NOTE, ColumnType.INTEGER, ["1.0"], is_spelled=True) == ["1"]


def test_option_is_found_by_its_spelling_and_by_its_value() -> None:
    rates = Field("rate", "Rate", "string", custom=True, options=(Option("1.10", "1.10"), Option("2", "2")))
    assert sent(("intercom.companies", rates), ColumnType.NUMBER, ["1.10", "2.0"], is_spelled=True) == ["1.10", "2"]
