"""PURE. Converts natural Python values to values that Intercom accepts, or reports why one can't be sent.

Nothing is ever cut off.

Intercom's type     takes                                             is sent as
string              text, numbers, true/false, dates                  text, without control characters; at most 255
                                                                      characters in custom attributes
integer             whole numbers, also as text                       integer, at most 2147483647
float               numbers, also as text                             number, with the digits of a double;
                                                                      whole numbers exactly
boolean             true/false, 1/0, and words such as "yes"          true or false
date, datetime      dates, dates with a time, ISO text, Unix seconds  Unix seconds; a date is midnight UTC, and a time
                                                                      without a zone is on the source's clocks
email (contacts)    an email address, also with a name or mailto:     the address alone
phone (contacts)    text; if a country is chosen, any phone number    text; with a country, in E.164
company (contacts)  text, whole numbers                               the company_id as the source spells it
"""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import NO_ORIGIN, Field, Origin, Plain, Wire
from destinations.kit.values import emails, phones, times
from destinations.kit.values.decimals import boolean as truth
from destinations.kit.values.options import UNKNOWN_OPTION
from destinations.kit.values.text import decimal_text, plain_text, prepared, spelled
from destinations.services.intercom.values.rejections import rejection
from destinations.services.intercom.values.scalars import exact_number, parse_time, whole_number

if TYPE_CHECKING:
    from collections.abc import Iterable

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


def convert(field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
    """The value in the form that Intercom accepts for this attribute.

    Raises:
        Rejected: it does not fit; the message gives the attribute, the value's shape and what would fit.
    """
    if isinstance(value, list | dict | tuple | set | bytes):
        raise rejection("value_nested", field, value, "a single value")
    value = prepared(field, value, broken="text_broken")
    own = None if field.custom else _STANDARD.get(field.name)
    return (own or _CONVERTERS.get(field.type, string))(field, value, origin)


def plain(field: Field, type_name: str) -> Plain | None:
    """Which values of a column can be sent unchanged. All others go through `convert`.

    Email addresses are validated one by one. Phone numbers depend on the country of their mapping.
    """
    if field.options or (not field.custom and field.name in ("email", "phone")):
        return None
    if field.name in ("company_id", "company") and not field.custom:
        return Plain("text") if type_name in ("text", "integer") else None
    data_type = "integer" if field.name == "monthly_spend" and not field.custom else field.type
    return _PLAIN.get((data_type, type_name))


def company_id(field: Field, value: Any, origin: Origin) -> str:
    """The ID exactly as the source spells it. A number of a source that spells none becomes its digits."""
    if isinstance(value, bool | date):
        raise rejection("value_invalid", field, value, "text or a whole number")
    value = spelled(field, value, origin)
    if isinstance(value, str):
        if not value.strip():
            raise rejection("match_empty", field, value, "text or a whole number")
        return value
    return str(whole_number(field, exact_number(field, value)))


def string(field: Field, value: Any, origin: Origin) -> str:
    """Text, or a number, date or boolean as the source spells it, or else in its usual notation.

    Must be one of the options, if there are any.
    """
    text = _text(field, spelled(field, value, origin))
    if field.options:
        return _option(field, dict.fromkeys((text, _text(field, value))))
    if field.custom and len(text) > STRING_LENGTH:
        raise rejection("text_too_long", field, value, f"at most {STRING_LENGTH} characters")
    return text


def email(field: Field, value: Any, _origin: Origin) -> str:
    """One email address, without a name, `mailto:` or a final dot. Its case stays, because Intercom ignores it."""
    address = emails.address(value) if isinstance(value, str) else None
    if address is None:
        raise Rejected(
            "email_invalid",
            f"The attribute “{field.name}” takes one email address; this value is not a valid one.",
            field=field.name,
        )
    return address


def phone(field: Field, value: Any, origin: Origin) -> str:
    """The text as it is, or if the mapping has a country, the number in E.164. Intercom itself takes any text."""
    if not origin.country:
        return string(field, value, origin)
    number = phones.e164(value, origin.country, origin.text)
    if number is None:
        accepted = f"a phone number of the country {origin.country}, or one with its country code"
        raise rejection("phone_invalid", field, value, accepted)
    return number


def integer(field: Field, value: Any, _origin: Origin) -> int:
    """A whole number that Intercom is known to store. Decimals are rejected, because Intercom would cut them off."""
    number = whole_number(field, exact_number(field, value))
    if abs(number) > INTEGER_AT_MOST:
        raise rejection("number_out_of_range", field, value, f"a whole number up to {INTEGER_AT_MOST}")
    return number


def floating(field: Field, value: Any, _origin: Origin) -> int | float:
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


def boolean(field: Field, value: Any, _origin: Origin) -> bool:
    """True or false, also from 1 and 0 and from common words."""
    text = value.strip().removesuffix(".0") if isinstance(value, str) else value
    found = truth(text)
    if found is None:
        raise rejection("value_invalid", field, value, "true or false")
    return found


def unix_seconds(field: Field, value: Any, origin: Origin) -> int:
    """Unix seconds. A date becomes midnight UTC. Fractions of a second are dropped: Intercom does not store them."""
    if isinstance(value, str):
        value = parse_time(field, value.strip())
    if isinstance(value, datetime):
        return (_in_utc(value, origin.zone) - EPOCH) // timedelta(seconds=1)
    if isinstance(value, date):
        return (value - EPOCH.date()) // timedelta(seconds=1)
    seconds = whole_number(field, exact_number(field, value))
    if abs(seconds) > LATEST_SECONDS:
        raise rejection("number_out_of_range", field, value, "a date, or Unix time in seconds (not milliseconds)")
    return seconds


def _in_utc(value: datetime, zone: tzinfo) -> datetime:
    """The time in UTC. On the first and last day of the calendar, which the conversion can leave, it keeps its zone."""
    return times.moment(value, zone) or (value if value.tzinfo else value.replace(tzinfo=zone))


def _text(field: Field, value: Any) -> str:
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if is_number or not isinstance(value, str | bool | date):
        return decimal_text(exact_number(field, value))
    return plain_text(value)


_CONVERTERS = {
    "string": string,
    "integer": integer,
    "float": floating,
    "boolean": boolean,
    "date": unix_seconds,
    "datetime": unix_seconds,
}
TYPES = frozenset(_CONVERTERS)
_STANDARD = {"company_id": company_id, "company": company_id, "monthly_spend": integer, "email": email, "phone": phone}
"""Standard attributes that take other values than custom attributes of their type."""


def _option(field: Field, spellings: Iterable[str]) -> str:
    """The option equal to the text. Case and surrounding whitespace are ignored if only one option then matches."""
    allowed = [option.id for option in field.options]
    for text in spellings:
        if text in allowed:
            return text
        similar = [option for option in allowed if option.casefold() == text.strip().casefold()]
        if len(similar) == 1:
            return similar[0]
    shown = ", ".join(allowed[:OPTIONS_SHOWN]) + (" …" if len(allowed) > OPTIONS_SHOWN else "")
    raise Rejected(
        UNKNOWN_OPTION,
        f"The attribute “{field.name}” takes only its options: {shown}. This value is not one of them.",
        field=field.name,
    )
