"""Which values Attio accepts for each type, and what it stores.

Written independently of the service's `values`, so that a mistake there is not repeated here.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import phonenumbers

from destinations.services.attio.sandbox.errors import ApiError, invalid_value, missing_keys, wrong_type, wrong_value
from destinations.services.attio.sandbox.references import (
    ValidationContext,
    ValueData,
    actor_reference,
    record_reference,
)
from destinations.services.attio.values.domains import root_domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.services.attio.sandbox.schema import Attribute

RESERVED = (".test", ".invalid", ".example", ".localhost")
LOCATION = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
)
MAX_TEXT_BYTES = 10 * 1024 * 1024

_HOST = re.compile(r"(?=.{1,253}$)([^\s./@:_\"]{1,63}\.)+[^\s./@:_\"]{2,63}")
_EMAIL = re.compile(r"([^\s@,;<>\"]{1,64})@([^\s@,;<>\"]+)")
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T.*)?)?)?", re.DOTALL)
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d+)?")


def parse(context: ValidationContext, attribute: Attribute, raw: Any) -> list[ValueData]:
    """The values to store for an attribute in a request.

    Raises:
        ApiError: Attio rejects the value.
    """
    return [_PARSERS[attribute.type](context, attribute, item) for item in _items(attribute, raw)]


def _items(attribute: Attribute, raw: Any) -> list[Any]:
    if attribute.multiselect and not isinstance(raw, list):
        raise wrong_type(attribute.slug, "array", raw)
    items = raw if isinstance(raw, list) else [raw]
    if len(items) > 1 and not attribute.multiselect:
        raise ApiError(
            "multiple_values_for_single_value_attribute",
            f'Multiple values were passed to the single-value attribute with slug "{attribute.slug}".',
        )
    if any(item is None for item in items):
        raise wrong_type(attribute.slug, "string", None)
    return items


def _part(attribute: Attribute, item: Any, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
    """The value itself, or the value under `key` if an object was sent."""
    path: list[str] = []
    if isinstance(item, dict):
        if key not in item:
            raise invalid_value(attribute.slug, missing_keys([key]))
        item, path = item[key], [key]
    if not isinstance(item, kinds) or (isinstance(item, bool) and kinds is not bool):
        raise wrong_type(attribute.slug, expected, item, path)
    return item


def _text(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    text = _part(attribute, item, "value", str, "string")
    if len(text.encode(errors="replace")) > MAX_TEXT_BYTES:
        raise wrong_value(attribute.slug, "Text is too long", ["value"])
    return {"value": text}


def _amount(attribute: Attribute, item: Any, key: str) -> int | float:
    number: int | float = _part(attribute, item, key, (int, float), "number")
    exponent = Decimal(str(number)).normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:
        raise wrong_value(attribute.slug, "Number must have at most 4 decimal places", [key])
    return number


def _number(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    return {"value": _amount(attribute, item, "value")}


def _currency(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    code = (attribute.currency or {}).get("default_currency_code")
    return {"currency_value": _amount(attribute, item, "currency_value"), "currency_code": code}


def _checkbox(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    if item in ("true", "false"):
        return {"value": item == "true"}
    return {"value": _part(attribute, item, "value", bool, "boolean")}


def _rating(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    number = _part(attribute, item, "value", (int, float), "number")
    if number not in range(6):
        raise wrong_value(attribute.slug, "Rating must be a whole number from 0 to 5", ["value"])
    return {"value": int(number)}


def _parse_time(attribute: Attribute, item: Any) -> datetime:
    text = _part(attribute, item, "value", str, "string")
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        # A year or a month is completed with the missing end of "-01-01": "2024-05" + "-01".
        time = datetime.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise wrong_value(attribute.slug, "Invalid date", ["value"]) from None


def _date(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    return {"value": _parse_time(attribute, item).date().isoformat()}


def _timestamp(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    return {"value": _parse_time(attribute, item).strftime("%Y-%m-%dT%H:%M:%S.%f000Z").rjust(30, "0")}


def _choice(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    key = "status" if attribute.type == "status" else "option"
    title = _part(attribute, item, key, str, "string")
    choice = attribute.find_choice(title)
    if choice is None:
        kind = "status" if key == "status" else "select option"
        raise ApiError("value_not_found", f'Cannot find {kind} with title "{title}".')
    return {key: attribute.described_choice(choice)}


def _domain(context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    text = _part(attribute, item, "domain", str, "string")
    host = re.sub(r"^[a-z]+://", "", text.strip().lower())
    host = re.split(r"[/?#]", host, maxsplit=1)[0]
    host = host.removeprefix("www.") if context.strips_www else host
    if not _HOST.fullmatch(host) or host.endswith(RESERVED):
        raise wrong_value(attribute.slug, "Invalid domain", ["domain"])
    return {"domain": host, "root_domain": root_domain(host)}


def _email(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    text = _part(attribute, item, "email_address", str, "string")
    match = _EMAIL.fullmatch(text)
    if not match or not _HOST.fullmatch(match[2]) or text.lower().endswith(RESERVED):
        raise wrong_value(attribute.slug, "Invalid email address", ["email_address"])
    return {
        "email_address": text.lower(),
        "original_email_address": text,
        "email_domain": match[2].lower(),
        "email_root_domain": root_domain(match[2].lower()),
        "email_local_specifier": match[1].lower(),
    }


def _phone(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    text = _part(attribute, item, "original_phone_number", str, "string")
    country = item.get("country_code") if isinstance(item, dict) else None
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number):
        raise wrong_value(attribute.slug, "Invalid phone number", ["original_phone_number"])
    return {
        "original_phone_number": text,
        "phone_number": phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        "country_code": phonenumbers.region_code_for_number(number),
    }


def _location(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    if isinstance(item, str):
        return {**dict.fromkeys(LOCATION), "line_1": item}
    if not isinstance(item, dict):
        raise wrong_type(attribute.slug, "object", item)
    missing = [key for key in LOCATION if key not in item]
    if missing:
        raise invalid_value(attribute.slug, missing_keys(missing))
    for key in LOCATION:
        if item[key] is not None and not isinstance(item[key], str):
            raise wrong_type(attribute.slug, "string", item[key], [key])
    country = item["country_code"]
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        raise invalid_value(
            attribute.slug, [{"code": "invalid_option", "path": ["country_code"], "message": "Invalid enum value"}]
        )
    for key in ("latitude", "longitude"):
        if item[key] is not None and not _DEGREES.fullmatch(item[key]):
            raise wrong_value(attribute.slug, "Invalid", [key])
    return {key: item[key] for key in LOCATION}


def _personal_name(_context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    if isinstance(item, str):
        last, _, first = (part.strip() for part in item.partition(","))
        return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
    if not isinstance(item, dict):
        raise wrong_type(attribute.slug, "object", item)
    keys = ("first_name", "last_name", "full_name")
    missing = [key for key in keys if not isinstance(item.get(key), str)]
    if missing:
        raise invalid_value(attribute.slug, missing_keys(missing))
    return {key: item[key] for key in keys}


_PARSERS: dict[str, Callable[[ValidationContext, Attribute, Any], ValueData]] = {
    "text": _text,
    "number": _number,
    "checkbox": _checkbox,
    "currency": _currency,
    "date": _date,
    "timestamp": _timestamp,
    "rating": _rating,
    "select": _choice,
    "status": _choice,
    "domain": _domain,
    "email-address": _email,
    "phone-number": _phone,
    "location": _location,
    "personal-name": _personal_name,
    "record-reference": record_reference,
    "actor-reference": actor_reference,
}
