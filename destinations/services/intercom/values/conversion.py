"""PURE. Converts natural Python values to values that Intercom accepts, or reports why one can't be sent.

Nothing is ever cut off.

Intercom's type     takes                                             is sent as
string              text, numbers, true/false, dates                  text; at most 255 characters in custom attributes
integer             whole numbers, also as text                       integer, at most 2147483647
float               numbers, also as text                             number, with the digits of a double;
                                                                      whole numbers exactly
boolean             true/false, 1/0, and words such as "yes"          true or false
date, datetime      dates, dates with a time, ISO text, Unix seconds  Unix seconds; a date is midnight UTC
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from core.errors import Rejected
from destinations.contract import NO_ORIGIN, Field, Origin, Plain, Wire
from destinations.services.intercom.values.rejections import rejection
from destinations.services.intercom.values.scalars import (
    as_text,
    encodable_text,
    exact_number,
    in_utc,
    parse_time,
    whole_number,
)

STRING_LENGTH = 255
"""The longest text in a custom attribute. No limit is documented for standard attributes."""
INTEGER_AT_MOST = 2**31 - 1
"""Documented for `monthly_spend`. No larger number is documented as safe for other whole numbers either."""
EXACT_FLOAT = 2**53
LATEST_SECONDS = 253_402_300_799
"""The end of the year 9999. Larger numbers are usually milliseconds, not Unix seconds."""
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


def convert(field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:  # noqa: ARG001
    """The value in the form that Intercom accepts for this attribute.

    Raises:
        Rejected: it does not fit; the message gives the attribute, the value's shape and what would fit.
    """
    if isinstance(value, list | dict | tuple | set | bytes):
        raise rejection("value_nested", field, value, "a single value")
    if field.name == "company_id" and not field.custom:
        return company_id(field, value)
    if field.name == "monthly_spend" and not field.custom:
        return integer(field, value)
    return _CONVERTERS.get(field.type, string)(field, value)


def plain(field: Field, type_name: str) -> Plain | None:
    """Which values of a column can be sent unchanged. All others go through `convert`."""
    if field.options:
        return None
    if field.name == "company_id" and not field.custom:
        return Plain("text") if type_name in ("text", "integer") else None
    data_type = "integer" if field.name == "monthly_spend" and not field.custom else field.type
    return _PLAIN.get((data_type, type_name))


def company_id(field: Field, value: Any) -> str:
    """The ID exactly as given. A number becomes its digits."""
    if isinstance(value, bool | date):
        raise rejection("value_invalid", field, value, "text or a whole number")
    if isinstance(value, str):
        if not value.strip():
            raise rejection("match_empty", field, value, "text or a whole number")
        return encodable_text(field, value)
    return str(whole_number(field, exact_number(field, value)))


def string(field: Field, value: Any) -> str:
    """Text, or a number, date or boolean in its usual notation. Must be one of the options, if there are any."""
    text = encodable_text(field, as_text(field, value))
    if field.options:
        return _option(field, text)
    if field.custom and len(text) > STRING_LENGTH:
        raise rejection("text_too_long", field, value, f"at most {STRING_LENGTH} characters")
    return text


def integer(field: Field, value: Any) -> int:
    """A whole number that Intercom is known to store. Decimals are rejected, because Intercom would cut them off."""
    number = whole_number(field, exact_number(field, value))
    if abs(number) > INTEGER_AT_MOST:
        raise rejection("number_out_of_range", field, value, f"a whole number up to {INTEGER_AT_MOST}")
    return number


def floating(field: Field, value: Any) -> int | float:
    """A number. Whole numbers are sent without decimals, so 12, 12.0 and "12" are the same.

    Whole numbers beyond 2^53 are rejected unless a double stores them exactly: 2^53 + 1 would arrive as 2^53, but
    2^60 arrives as it is.
    """
    number = exact_number(field, value)
    if number == number.to_integral_value() and abs(number) < EXACT_FLOAT:
        return int(number)
    sent = float(number)
    if not math.isfinite(sent):
        raise rejection("number_out_of_range", field, value, "a smaller number")
    if number == number.to_integral_value() and Decimal(sent) != number:
        accepted = f"a whole number up to {EXACT_FLOAT}, or a larger one that a double can store exactly"
        raise rejection("number_out_of_range", field, value, accepted)
    return sent


def boolean(field: Field, value: Any) -> bool:
    """True or false, also from 1 and 0 and from common words."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower().removesuffix(".0") if isinstance(value, str | int | float | Decimal) else ""
    if word in TRUE | FALSE:
        return word in TRUE
    raise rejection("value_invalid", field, value, "true or false")


def unix_seconds(field: Field, value: Any) -> int:
    """Unix seconds. A date becomes midnight UTC. Fractions of a second are dropped: Intercom does not store them."""
    if isinstance(value, str):
        value = parse_time(field, value.strip())
    if isinstance(value, datetime):
        return (in_utc(value) - EPOCH) // timedelta(seconds=1)
    if isinstance(value, date):
        return (value - EPOCH.date()) // timedelta(seconds=1)
    seconds = whole_number(field, exact_number(field, value))
    if abs(seconds) > LATEST_SECONDS:
        raise rejection("number_out_of_range", field, value, "a date, or Unix time in seconds (not milliseconds)")
    return seconds


_CONVERTERS = {
    "string": string,
    "integer": integer,
    "float": floating,
    "boolean": boolean,
    "date": unix_seconds,
    "datetime": unix_seconds,
}
TYPES = frozenset(_CONVERTERS)


def _option(field: Field, text: str) -> str:
    """The option equal to the text. Case and surrounding whitespace are ignored if only one option then matches."""
    allowed = [option.id for option in field.options]
    if text in allowed:
        return text
    similar = [option for option in allowed if option.casefold() == text.strip().casefold()]
    if len(similar) == 1:
        return similar[0]
    shown = ", ".join(allowed[:OPTIONS_SHOWN]) + (" …" if len(allowed) > OPTIONS_SHOWN else "")
    raise Rejected(
        "option_unknown",
        f"The attribute {field.name!r} takes only its options: {shown}. This value is not one of them.",
        field=field.name,
    )
