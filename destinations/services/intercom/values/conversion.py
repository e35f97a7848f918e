"""PURE. From natural Python values to what Intercom takes, or the reason why one can't be sent. Nothing is ever cut.

Intercom's type     takes                                             is sent as
string              text, numbers, true/false, dates                  text; at most 255 characters in custom attributes
integer             whole numbers, also written as text               integer, at most 2147483647
float               numbers, also written as text                     number, with the digits that a double holds;
                                                                      whole numbers exactly
boolean             true/false, 1/0, and their words                  true or false
date, datetime      dates, dates with a time, ISO text, unix seconds  unix seconds; a date is midnight UTC
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.errors import Rejected
from destinations.contract import Field, Plain, Wire
from destinations.services.intercom.values.rejections import refused
from destinations.services.intercom.values.scalars import (
    as_text,
    exact_number,
    parsed_time,
    plain_text,
    whole_number,
    zoned,
)

STRING_LENGTH = 255
"""Custom attributes hold no longer text; of the standard ones no limit is documented."""
INTEGER_AT_MOST = 2**31 - 1
"""Documented for `monthly_spend`; beyond it nothing is promised for other whole numbers either."""
EXACT_FLOAT = 2**53
LATEST_SECONDS = 253_402_300_799
"""The end of the year 9999: larger numbers are no unix seconds but, usually, milliseconds."""
OPTIONS_SHOWN = 10

_PLAIN = {
    ("string", "text"): Plain("text", most_characters=STRING_LENGTH),
    ("string", "date"): Plain("day"),
    ("integer", "integer"): Plain("number"),
    ("float", "integer"): Plain("number"),
    ("float", "number"): Plain("number", places=4),
    ("boolean", "boolean"): Plain("boolean"),
    ("date", "date"): Plain("seconds"),
    ("date", "timestamp"): Plain("seconds"),
}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TRUE = {"true", "t", "yes", "y", "on", "1"}
FALSE = {"false", "f", "no", "n", "off", "0"}


def convert(field: Field, value: Any) -> Wire:
    """The value as Intercom takes it for this attribute.

    Raises:
        Rejected: it does not fit; the message names the attribute, the value's shape and what would fit.
    """
    if isinstance(value, list | dict | tuple | set | bytes):
        raise refused("value_nested", field, value, "one plain value")
    if field.name == "company_id" and not field.custom:
        return company_id(field, value)
    if field.name == "monthly_spend" and not field.custom:
        return integer(field, value)
    return _CONVERTERS.get(field.type, string)(field, value)


def plain(field: Field, type_name: str) -> Plain | None:
    """Which values of a column go out as they are; all others take the way of `convert`."""
    if field.options:
        return None
    if field.name == "company_id" and not field.custom:
        return Plain("text") if type_name in ("text", "integer") else None
    kind = "integer" if field.name == "monthly_spend" and not field.custom else field.type
    return _PLAIN.get((kind, type_name))


def company_id(field: Field, value: Any) -> str:
    """The id exactly as it is given; a number becomes its digits."""
    if isinstance(value, bool | date):
        raise refused("value_invalid", field, value, "a text or a whole number")
    if isinstance(value, str):
        if not value.strip():
            raise refused("match_empty", field, value, "a text or a whole number")
        return plain_text(field, value)
    return str(whole_number(field, exact_number(field, value)))


def string(field: Field, value: Any) -> str:
    """Text; numbers, dates and true/false in their usual notation; one of the options where there are some."""
    text = plain_text(field, as_text(field, value))
    if field.options:
        return _option(field, text)
    if field.custom and len(text) > STRING_LENGTH:
        raise refused("text_too_long", field, value, f"at most {STRING_LENGTH} characters")
    return text


def integer(field: Field, value: Any) -> int:
    """A whole number that Intercom surely holds: it cuts decimals off, so numbers with decimals are refused."""
    number = whole_number(field, exact_number(field, value))
    if abs(number) > INTEGER_AT_MOST:
        raise refused("number_out_of_range", field, value, f"a whole number up to {INTEGER_AT_MOST}")
    return number


def floating(field: Field, value: Any) -> int | float:
    """A number; a whole one without decimals, so that 12, 12.0 and "12" are the same."""
    number = exact_number(field, value)
    if number == number.to_integral_value() and abs(number) < EXACT_FLOAT:
        return int(number)
    sent = float(number)
    if not math.isfinite(sent):
        raise refused("number_out_of_range", field, value, "a smaller number")
    if number == number.to_integral_value() and Decimal(sent) != number:
        raise refused(
            "number_out_of_range", field, value, f"a whole number up to {EXACT_FLOAT}, as far as they are kept exactly"
        )
    return sent


def boolean(field: Field, value: Any) -> bool:
    """True or false, also from 1 and 0 and from the usual words."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower().removesuffix(".0") if isinstance(value, str | int | float | Decimal) else ""
    if word in TRUE | FALSE:
        return word in TRUE
    raise refused("value_invalid", field, value, "true or false")


def moment(field: Field, value: Any) -> int:
    """Unix seconds. A date is its midnight in UTC; parts of a second, which Intercom does not keep, are left off."""
    if isinstance(value, str):
        value = parsed_time(field, value.strip())
    if isinstance(value, datetime):
        return (zoned(value) - EPOCH) // timedelta(seconds=1)
    if isinstance(value, date):
        return (value - EPOCH.date()) // timedelta(seconds=1)
    seconds = whole_number(field, exact_number(field, value))
    if abs(seconds) > LATEST_SECONDS:
        raise refused("number_out_of_range", field, value, "a date, or unix time in seconds (not milliseconds)")
    return seconds


_CONVERTERS = {
    "string": string,
    "integer": integer,
    "float": floating,
    "boolean": boolean,
    "date": moment,
    "datetime": moment,
}
TYPES = frozenset(_CONVERTERS)


def _option(field: Field, text: str) -> str:
    allowed = [option.id for option in field.options]
    if text in allowed:
        return text
    alike = [option for option in allowed if option.casefold() == text.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    shown = ", ".join(allowed[:OPTIONS_SHOWN]) + (" …" if len(allowed) > OPTIONS_SHOWN else "")
    raise Rejected(
        "option_unknown",
        f"The attribute {field.name!r} takes only its options: {shown}. This value is another.",
        field=field.name,
    )
