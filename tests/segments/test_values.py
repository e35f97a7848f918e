"""Natural values from native values and from text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from segments.contract import ColumnType
from segments.values import natural

PARIS = ZoneInfo("Europe/Paris")
TEXT, INTEGER, NUMBER, BOOLEAN, DATE, TIMESTAMP, LIST, OBJECT = ColumnType
MORNING = datetime(2026, 7, 1, 9, 30, tzinfo=PARIS)


@pytest.mark.parametrize(
    ("type", "given", "value"),
    [
        (TEXT, "", ""),
        (TEXT, b"caf\xc3\xa9", "café"),
        (TEXT, b"\xff", "\ufffd"),
        (TEXT, 5, "5"),
        (INTEGER, "5", 5),
        (INTEGER, "123456789012345678901234567890", 123456789012345678901234567890),
        (INTEGER, 5, 5),
        (INTEGER, "5.5", 5.5),
        (INTEGER, "007", "007"),
        (INTEGER, "1_000", "1_000"),
        (INTEGER, " 5", " 5"),
        (INTEGER, "٣", "٣"),
        (NUMBER, "12.50", 12.5),
        (NUMBER, "1e-05", 0.00001),
        (NUMBER, Decimal("12.50"), 12.5),
        (NUMBER, "12345678901234567.89", Decimal("12345678901234567.89")),
        (NUMBER, "0.30000000000000004", 0.30000000000000004),
        (NUMBER, "1e999999999", "1e999999999"),
        (NUMBER, "1e-999999999", "1e-999999999"),
        (NUMBER, "n/a", "n/a"),
        (NUMBER, "NaN", None),
        (NUMBER, "-Infinity", None),
        (NUMBER, float("inf"), None),
        (NUMBER, Decimal("NaN"), None),
        (BOOLEAN, "t", True),
        (BOOLEAN, "FALSE", False),
        (BOOLEAN, 1, True),
        (BOOLEAN, True, True),
        (BOOLEAN, "2", "2"),
        (DATE, "2026-07-01", date(2026, 7, 1)),
        (DATE, date(2026, 7, 1), date(2026, 7, 1)),
        (DATE, "2026-02-30", "2026-02-30"),
        (DATE, "infinity", "infinity"),
        (DATE, "0044-03-15 BC", "0044-03-15 BC"),
        (TIMESTAMP, "2026-07-01 09:30:00", MORNING),
        (TIMESTAMP, "2026-07-01T07:30:00Z", MORNING),
        (TIMESTAMP, "2026-07-01 07:30:00+00", MORNING),
        (TIMESTAMP, "2026-07-01 07:30 +0000", MORNING),
        (TIMESTAMP, "2026-07-01 09:30:00.123456789", MORNING.replace(microsecond=123456)),
        (TIMESTAMP, "2026-07-01", datetime(2026, 7, 1, tzinfo=PARIS)),
        (TIMESTAMP, MORNING.replace(tzinfo=None), MORNING),
        (TIMESTAMP, "2026-07-01 25:00:00", "2026-07-01 25:00:00"),
        (TIMESTAMP, "infinity", "infinity"),
        (TIMESTAMP, "1700000000", "1700000000"),
        (LIST, '["a", null, 1]', ["a", None, 1]),
        (LIST, ["a"], ["a"]),
        (LIST, "{a,b}", "{a,b}"),
        (LIST, "[" * 100_000, "[" * 100_000),
        (OBJECT, '{"a": NaN}', {"a": None}),
        (OBJECT, "null", None),
    ],
)
def test_a_value_becomes_natural_or_stays_text(type: ColumnType, given: Any, value: Any) -> None:
    result = natural(given, type, PARIS)
    assert result == value
    assert result is None or isinstance(result, value.__class__)


@pytest.mark.parametrize("type", list(ColumnType))
def test_null_is_none(type: ColumnType) -> None:
    assert natural(None, type, PARIS) is None


def test_every_time_has_a_zone() -> None:
    assert natural("2026-07-01 09:30", TIMESTAMP, PARIS).utcoffset() is not None
    assert natural("2026-07-01 07:30Z", TIMESTAMP, PARIS).astimezone(UTC) == MORNING
