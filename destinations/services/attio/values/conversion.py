"""PURE. Converts natural Python values and text to wire values, for each type of attribute.

Formats: docs.attio.com /docs/attribute-types, and `input-value` of the official OpenAPI document.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from core.errors import Rejected
from destinations.contract import NO_ORIGIN, Field, Origin, Plain, Wire
from destinations.kit.values import domains, emails, phones, times
from destinations.kit.values.countries import alpha2
from destinations.kit.values.decimals import boolean, decimal
from destinations.kit.values.options import UNKNOWN_OPTION
from destinations.kit.values.shapes import shape
from destinations.kit.values.text import plain_text, prepared, spelled
from destinations.services.attio.values import compounds
from destinations.services.attio.values.lists import distinct, items
from destinations.services.attio.values.rejections import rejection, shared_page

Converter = Callable[[Field, Any, Origin], Wire]

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


def convert(field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
    """The wire value of a natural Python value that is not empty: one value, or a list for a list attribute.

    Raises:
        Rejected: it can't be converted. The message names the attribute and what it accepts, never the value.
    """
    converter = CONVERTERS.get(field.type)
    if converter is None:
        raise Rejected(
            "type_unsupported",
            f"The attribute “{field.name}” has the type {field.type}, which this version can't write. "
            "Remove its mapping.",
            field=field.name,
        )
    value = _sendable(field, value)
    if not field.multiple:
        return _sendable(field, converter(field, _single_value(field, value), origin))
    wires = [converter(field, item, origin) for item in items(field, value)]
    if not wires:
        raise rejection(field, "at least one value", value, code="list_without_values")
    return _sendable(field, distinct(wires))


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


def _text(field: Field, value: Any, origin: Origin) -> Wire:
    if isinstance(value, float | Decimal) and decimal(value) is None:
        raise rejection(field, "text or a finite number", value)
    text = plain_text(spelled(field, value, origin))
    if len(text.encode(errors="replace")) > LONGEST_TEXT:
        raise rejection(field, "text of up to 10 MB", value, code="text_too_long")
    return text


def _number(field: Field, value: Any, _origin: Origin = NO_ORIGIN) -> Wire:
    number = decimal(value)
    if number is None:
        raise rejection(field, "a number", value)
    if abs(number) > LARGEST_EXACT:
        raise rejection(
            field, "a number of up to 2^53, the limit for exact numbers in Attio", value, code="number_too_large"
        )
    rounded = number.quantize(DECIMALS)
    return int(rounded) if rounded == rounded.to_integral_value() else float(rounded)


def _currency(field: Field, value: Any, _origin: Origin = NO_ORIGIN) -> Wire:
    """An amount. Its currency is fixed for the attribute, so an amount in a different one would be stored wrongly."""
    if not isinstance(value, dict):
        return _number(field, value)
    currency = field.config.get("currency")
    if currency and value.get("currency_code") not in (None, currency):
        raise rejection(field, f"an amount in {currency}", value)
    return _number(field, value.get("currency_value"))


def _rating(field: Field, value: Any, _origin: Origin = NO_ORIGIN) -> Wire:
    number = decimal(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= HIGHEST_RATING:
        raise rejection(field, "a whole number from 0 to 5", value)
    return int(number)


def _checkbox(field: Field, value: Any, _origin: Origin) -> Wire:
    truth = boolean(value)
    if truth is None:
        raise rejection(field, "true or false", value)
    return truth


def _date(field: Field, value: Any, origin: Origin) -> Wire:
    """A date. That of a time is the day on the source's clocks. A year alone means January 1."""
    if isinstance(value, int) and not isinstance(value, bool) and 1000 <= value <= 9999:
        value = str(value)
    time = times.natural_time(value, partial=True)
    day = times.day(time, origin.zone) if time else None
    if day is None:
        raise rejection(field, "a date such as 2024-12-31", value)
    return day.isoformat()


def _timestamp(field: Field, value: Any, origin: Origin) -> Wire:
    """A moment. Times without a zone are on the source's clocks, and a date is its first moment there."""
    time = times.natural_time(value, partial=True)
    moment = times.moment(time, origin.zone) if time else None
    if moment is None:
        raise rejection(field, "a date and time such as 2024-12-31T18:00:00Z", value)
    return times.iso_utc(moment)


def _option(field: Field, value: Any, origin: Origin) -> Wire:
    for wanted in dict.fromkeys((plain_text(spelled(field, value, origin)).strip(), plain_text(value).strip())):
        for option in field.options:
            if wanted in (option.title, option.id):
                return option.title
        for option in field.options:
            if wanted.casefold() == option.title.casefold():
                return option.title
    raise Rejected(
        UNKNOWN_OPTION,
        f"The attribute “{field.name}” has no such option; this value is {shape(value)}. Add the option in Attio, or "
        f"use the title or ID of one of its {len(field.options)} options.",
        field=field.name,
    )


def _domain(field: Field, value: Any, _origin: Origin) -> Wire:
    text = value.get("domain") if isinstance(value, dict) else value
    text = text if isinstance(text, str) else ""
    if domains.is_shared_page(text):
        raise shared_page(field)
    try:
        return domains.normalize(text)
    except ValueError:
        raise rejection(field, "a domain such as attio.com", value) from None


def _email(field: Field, value: Any, _origin: Origin) -> Wire:
    text = value.get("email_address") if isinstance(value, dict) else value
    address = emails.normalized(text) if isinstance(text, str) else None
    if address is None:
        raise rejection(field, "one email address, such as name@example.com", value)
    return address


def _phone(field: Field, value: Any, origin: Origin) -> Wire:
    """The number in E.164. Unless a country is given or chosen in the mapping, it must start with + or 00."""
    own = alpha2(str(value.get("country_code") or "")) if isinstance(value, dict) else None
    text = value.get("original_phone_number") if isinstance(value, dict) else value
    number = phones.e164(text, own or origin.country, origin.text)
    if number is None:
        accepted = "a valid phone number with its country code, such as +33 1 42 68 53 00"
        if origin.country:
            accepted += f", or a national number of the country {origin.country}"
        raise rejection(field, accepted, value)
    return number


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


def _sendable(field: Field, value: Any) -> Any:
    """The value without control characters. Applied to the wire value too, as JSON in text can hide them."""
    return prepared(field, value, broken="text_not_unicode")


def _single_value(field: Field, value: Any) -> Any:
    """The value itself, or the only value of a list. A text attribute takes a whole list and joins it with commas."""
    if isinstance(value, list) and field.type != "text":
        if len(value) != 1:
            raise rejection(field, "a single value", value)
        return value[0]
    return value
