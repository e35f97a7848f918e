"""PURE. Converts natural Python values and text to wire values, for each type of attribute.

Formats: docs.attio.com /docs/attribute-types, and `input-value` of the official OpenAPI document.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import phonenumbers

from core.errors import Rejected
from destinations.contract import NO_ORIGIN, Field, Origin, Plain, Wire
from destinations.services.attio.values import compounds, domains
from destinations.services.attio.values.datetimes import iso_utc, to_utc
from destinations.services.attio.values.lists import distinct, items
from destinations.services.attio.values.rejections import rejection, shape
from destinations.services.attio.values.scalars import decimal, is_unicode, plain_text

Converter = Callable[[Field, Any], Wire]

LONGEST_TEXT = 10 * 1024 * 1024
"""The maximum size of a text attribute, in bytes."""
DECIMALS = Decimal("0.0001")
"""Attio stores four decimal places."""
LARGEST_EXACT = 2**53
HIGHEST_RATING = 5

_LABELS = r"[a-z0-9]*(?:-[a-z0-9]+)*(?:\.[a-z0-9]+(?:-[a-z0-9]+)*)*\.[a-z]{2,20}"
PLAIN_HOST = rf"(?:[a-vx-z0-9]|w[a-vx-z0-9]){_LABELS}"
PLAIN_ADDRESS = rf"[a-z0-9._+-]{{1,64}}@[a-z0-9]{_LABELS}"
PLAIN_CHARACTERS = 63
"""The maximum length of a plain host or address. It ensures that no label exceeds the 63 characters that DNS allows."""
_PLAIN = {
    ("text", "text"): Plain("text", most_characters=1_000_000),
    ("number", "integer"): Plain("number"),
    ("number", "number"): Plain("number", places=4, rounds=True),
    ("currency", "integer"): Plain("number"),
    ("currency", "number"): Plain("number", places=4, rounds=True),
    ("checkbox", "boolean"): Plain("boolean"),
    ("date", "date"): Plain("day"),
    ("timestamp", "timestamp"): Plain("moment"),
}
_BOOLEAN_WORDS = {"true": True, "t": True, "yes": True, "y": True, "on": True, "1": True,
          "false": False, "f": False, "no": False, "n": False, "off": False, "0": False}  # fmt: skip


def convert(field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:  # noqa: ARG001
    """The wire value of a natural Python value that is not empty: one value, or a list for a list attribute.

    Raises:
        Rejected: it can't be converted. The message names the attribute and what it accepts, never the value.
    """
    converter = CONVERTERS.get(field.type)
    if converter is None:
        raise Rejected(
            "type_unsupported",
            f"The attribute {field.name!r} has the type {field.type}, which this version can't write. "
            "Remove its mapping.",
            field=field.name,
        )
    if isinstance(value, str) and not is_unicode(value):
        raise rejection(field, "valid Unicode text", value, code="text_not_unicode")
    if not field.multiple:
        return converter(field, _single_value(field, value))
    wires = [converter(field, item) for item in items(field, value)]
    if not wires:
        raise rejection(field, "at least one value", value, code="list_without_values")
    return distinct(wires)


def plain(field: Field, type_name: str) -> Plain | None:
    """Which values of a column are sent unchanged. All others go through `convert`."""
    if field.type == "domain" and type_name == "text":
        # Only lowercase hosts whose first label can't be `www`: `convert` would remove it.
        return Plain("text", pattern=PLAIN_HOST, most_characters=PLAIN_CHARACTERS, listed=field.multiple)
    if field.type == "email-address" and type_name == "text":
        return Plain("text", pattern=PLAIN_ADDRESS, most_characters=PLAIN_CHARACTERS, listed=field.multiple)
    if field.multiple:
        return None
    return _PLAIN.get((field.type, type_name))


def identity(field: Field, wire: Wire) -> str:
    """The text by which match values are compared: domains and email addresses without case, other values exactly."""
    first = wire[0] if isinstance(wire, list) and wire else wire
    if first is None or isinstance(first, list):
        return ""
    text = first if isinstance(first, str) else json.dumps(first, sort_keys=True)
    return text.lower() if field.type in ("domain", "email-address") else text


def _text(field: Field, value: Any) -> Wire:
    if isinstance(value, float | Decimal) and decimal(value) is None:
        raise rejection(field, "text or a finite number", value)
    text = plain_text(value)
    if len(text.encode(errors="replace")) > LONGEST_TEXT:
        raise rejection(field, "text of up to 10 MB", value, code="text_too_long")
    return text


def _number(field: Field, value: Any) -> Wire:
    number = decimal(value)
    if number is None:
        raise rejection(field, "a number", value)
    if abs(number) > LARGEST_EXACT:
        raise rejection(
            field, "a number of up to 2^53, the limit for exact numbers in Attio", value, code="number_too_large"
        )
    rounded = number.quantize(DECIMALS)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _currency(field: Field, value: Any) -> Wire:
    """An amount. Its currency is fixed for the attribute, so an amount in a different one would be stored wrongly."""
    if not isinstance(value, dict):
        return _number(field, value)
    currency = field.config.get("currency")
    if currency and value.get("currency_code") not in (None, currency):
        raise rejection(field, f"an amount in {currency}", value)
    return _number(field, value.get("currency_value"))


def _rating(field: Field, value: Any) -> Wire:
    number = decimal(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= HIGHEST_RATING:
        raise rejection(field, "a whole number from 0 to 5", value)
    return int(number)


def _checkbox(field: Field, value: Any) -> Wire:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) and decimal(value) in (0, 1):
        return bool(value)
    if isinstance(value, str) and value.strip().lower() in _BOOLEAN_WORDS:
        return _BOOLEAN_WORDS[value.strip().lower()]
    raise rejection(field, "true or false", value)


def _date(field: Field, value: Any) -> Wire:
    """A date. A time with a zone is converted to UTC first, as in Attio. A year alone means January 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 1000 <= value <= 9999:
        value = str(value)
    time = to_utc(value)
    if time is None:
        raise rejection(field, "a date such as 2024-12-31", value)
    return time.date().isoformat()


def _timestamp(field: Field, value: Any) -> Wire:
    time = to_utc(value)
    if time is None:
        raise rejection(field, "a date and time such as 2024-12-31T18:00:00Z", value)
    return iso_utc(time)


def _option(field: Field, value: Any) -> Wire:
    wanted = plain_text(value).strip()
    for option in field.options:
        if wanted in (option.title, option.id):
            return option.title
    for option in field.options:
        if wanted.casefold() == option.title.casefold():
            return option.title
    raise Rejected(
        "unknown_option",
        f"The attribute {field.name!r} has no such option; this value is {shape(value)}. Add the option in Attio, or "
        f"use the title or ID of one of its {len(field.options)} options.",
        field=field.name,
    )


def _domain(field: Field, value: Any) -> Wire:
    text = value.get("domain") if isinstance(value, dict) else value
    try:
        return domains.normalize(text if isinstance(text, str) else "")
    except ValueError:
        raise rejection(field, "a domain such as attio.com", value) from None


def _email(field: Field, value: Any) -> Wire:
    text = value.get("email_address") if isinstance(value, dict) else value
    address = compounds.email(text)
    if address is None:
        raise rejection(field, "an email address", value)
    return address


def _phone(field: Field, value: Any) -> Wire:
    """The number in E.164. Unless a country is given, it must start with + or 00."""
    country = str(value.get("country_code") or "").upper() if isinstance(value, dict) else ""
    text = value.get("original_phone_number") if isinstance(value, dict) else value
    digits = text.strip() if isinstance(text, str) else ""
    try:
        number = phonenumbers.parse("+" + digits[2:] if digits.startswith("00") else digits, country or None)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise rejection(field, "a valid phone number with its country code, such as +33 1 42 68 53 00", value)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


CONVERTERS: dict[str, Converter] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "currency": _currency,
    "date": _date,
    "timestamp": _timestamp,
    "rating": _rating,
    "select": _option,
    "status": _option,
    "domain": _domain,
    "email-address": _email,
    "phone-number": _phone,
    "location": compounds.location,
    "personal-name": compounds.personal_name,
    "record-reference": compounds.record_reference,
    "actor-reference": compounds.actor_reference,
}
"""The types of attribute that can be written."""


def _single_value(field: Field, value: Any) -> Any:
    """The value itself, or the only value of a list. A text attribute takes a whole list and joins it with commas."""
    if isinstance(value, list) and field.type != "text":
        if len(value) != 1:
            raise rejection(field, "a single value", value)
        return value[0]
    return value
