"""What Attio takes as a value of each type, and what it keeps of it. Written apart from `values.py`, to judge it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

import phonenumbers

from destinations.services.attio.sandbox.errors import Refusal, invalid_value, required, wrong_type, wrong_value
from destinations.services.attio.values.domains import root_domain

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.services.attio.sandbox.schema import Attribute

Kept = dict[str, Any]
"""The fields of one value, without its bookkeeping."""

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
LONGEST_TEXT = 10 * 1024 * 1024

_HOST = re.compile(r"(?=.{1,253}$)([^\s./@:_\"]{1,63}\.)+[^\s./@:_\"]{2,63}")
_EMAIL = re.compile(r"([^\s@,;<>\"]{1,64})@([^\s@,;<>\"]+)")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"\d{4}(-\d{2}(-\d{2}(T.*)?)?)?", re.DOTALL)
_DEGREES = re.compile(r"[+-]?\d{1,3}(\.\d+)?")


class World(Protocol):
    """What a value may refer to, and how domains are kept."""

    strips_www: bool

    def record_by(self, object_name: str, slug: str, value: str) -> tuple[str, str] | None: ...

    def record_by_id(self, object_name: str, record_id: str) -> tuple[str, str] | None: ...

    def member(self, name: str) -> str | None: ...


def take(world: World, attribute: Attribute, raw: Any) -> list[Kept]:
    """The values that a request asks to keep.

    Raises:
        Refusal: as Attio refuses it.
    """
    return [_TAKERS[attribute.type](world, attribute, item) for item in _items(attribute, raw)]


def _items(attribute: Attribute, raw: Any) -> list[Any]:
    if attribute.multiselect and not isinstance(raw, list):
        raise wrong_type(attribute.slug, "array", raw)
    items = raw if isinstance(raw, list) else [raw]
    if len(items) > 1 and not attribute.multiselect:
        raise Refusal(
            "multiple_values_for_single_value_attribute",
            f'Multiple values were passed to the single-value attribute with slug "{attribute.slug}".',
        )
    if any(item is None for item in items):
        raise wrong_type(attribute.slug, "string", None)
    return items


def _part(attribute: Attribute, item: Any, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
    """The value of the short form, or that of the object form under `key`."""
    path: list[str] = []
    if isinstance(item, dict):
        if key not in item:
            raise invalid_value(attribute.slug, required([key]))
        item, path = item[key], [key]
    if not isinstance(item, kinds) or (isinstance(item, bool) and kinds is not bool):
        raise wrong_type(attribute.slug, expected, item, path)
    return item


def _text(_world: World, attribute: Attribute, item: Any) -> Kept:
    text = _part(attribute, item, "value", str, "string")
    if len(text.encode(errors="replace")) > LONGEST_TEXT:
        raise wrong_value(attribute.slug, "Text is too long", ["value"])
    return {"value": text}


def _amount(attribute: Attribute, item: Any, key: str) -> int | float:
    number: int | float = _part(attribute, item, key, (int, float), "number")
    exponent = Decimal(str(number)).normalize().as_tuple().exponent
    if isinstance(exponent, int) and exponent < -4:
        raise wrong_value(attribute.slug, "Number must have at most 4 decimal places", [key])
    return number


def _number(_world: World, attribute: Attribute, item: Any) -> Kept:
    return {"value": _amount(attribute, item, "value")}


def _currency(_world: World, attribute: Attribute, item: Any) -> Kept:
    code = (attribute.currency or {}).get("default_currency_code")
    return {"currency_value": _amount(attribute, item, "currency_value"), "currency_code": code}


def _checkbox(_world: World, attribute: Attribute, item: Any) -> Kept:
    if item in ("true", "false"):
        return {"value": item == "true"}
    return {"value": _part(attribute, item, "value", bool, "boolean")}


def _rating(_world: World, attribute: Attribute, item: Any) -> Kept:
    number = _part(attribute, item, "value", (int, float), "number")
    if number not in range(6):
        raise wrong_value(attribute.slug, "Rating must be a whole number from 0 to 5", ["value"])
    return {"value": int(number)}


def _moment(attribute: Attribute, item: Any) -> datetime:
    text = _part(attribute, item, "value", str, "string")
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        moment = datetime.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise wrong_value(attribute.slug, "Invalid date", ["value"]) from None


def _date(_world: World, attribute: Attribute, item: Any) -> Kept:
    return {"value": _moment(attribute, item).date().isoformat()}


def _timestamp(_world: World, attribute: Attribute, item: Any) -> Kept:
    return {"value": _moment(attribute, item).strftime("%Y-%m-%dT%H:%M:%S.%f000Z").rjust(30, "0")}


def _choice(_world: World, attribute: Attribute, item: Any) -> Kept:
    key = "status" if attribute.type == "status" else "option"
    wanted = _part(attribute, item, key, str, "string")
    found = attribute.choice(wanted)
    if found is None:
        word = "status" if key == "status" else "select option"
        raise Refusal("value_not_found", f'Cannot find {word} with title "{wanted}".')
    return {key: attribute.described_choice(found)}


def _domain(world: World, attribute: Attribute, item: Any) -> Kept:
    text = _part(attribute, item, "domain", str, "string")
    host = re.sub(r"^[a-z]+://", "", text.strip().lower())
    host = re.split(r"[/?#]", host, maxsplit=1)[0]
    host = host.removeprefix("www.") if world.strips_www else host
    if not _HOST.fullmatch(host) or host.endswith(RESERVED):
        raise wrong_value(attribute.slug, "Invalid domain", ["domain"])
    return {"domain": host, "root_domain": root_domain(host)}


def _email(_world: World, attribute: Attribute, item: Any) -> Kept:
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


def _phone(_world: World, attribute: Attribute, item: Any) -> Kept:
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


def _location(_world: World, attribute: Attribute, item: Any) -> Kept:
    if isinstance(item, str):
        return {**dict.fromkeys(LOCATION), "line_1": item}
    if not isinstance(item, dict):
        raise wrong_type(attribute.slug, "object", item)
    missing = [key for key in LOCATION if key not in item]
    if missing:
        raise invalid_value(attribute.slug, required(missing))
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


def _personal_name(_world: World, attribute: Attribute, item: Any) -> Kept:
    if isinstance(item, str):
        last, _, first = (part.strip() for part in item.partition(","))
        return {"first_name": first, "last_name": last, "full_name": f"{first} {last}".strip()}
    if not isinstance(item, dict):
        raise wrong_type(attribute.slug, "object", item)
    keys = ("first_name", "last_name", "full_name")
    missing = [key for key in keys if not isinstance(item.get(key), str)]
    if missing:
        raise invalid_value(attribute.slug, required(missing))
    return {key: item[key] for key in keys}


def _record_reference(world: World, attribute: Attribute, item: Any) -> Kept:
    found = _referred(world, attribute, item)
    if found is None:
        raise Refusal(
            "value_not_found", f'Cannot find the record that is referred to by attribute with slug "{attribute.slug}".'
        )
    return {"target_object": found[0], "target_record_id": found[1]}


def _referred(world: World, attribute: Attribute, item: Any) -> tuple[str, str] | None:
    """The object and id of the record that a reference names."""
    targets = attribute.allowed_objects or []
    if isinstance(item, dict):
        object_name = item.get("target_object")
        if not isinstance(object_name, str):
            raise invalid_value(attribute.slug, required(["target_object"]))
        if "target_record_id" in item:
            return world.record_by_id(object_name, str(item["target_record_id"]))
        key = next((key for key in item if key != "target_object"), "")
        inner = item.get(key)
        only = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
        value = next(iter(only.values())) if isinstance(only, dict) and only else only
        return world.record_by(object_name, key, str(value))
    if not isinstance(item, str):
        raise wrong_type(attribute.slug, "string", item)
    for target in targets or ["people", "companies"]:
        if _UUID.fullmatch(item):
            found = world.record_by_id(target, item)
        else:
            found = world.record_by(target, "email_addresses" if "@" in item else "domains", item)
        if found:
            return found
    return None


def _actor_reference(world: World, attribute: Attribute, item: Any) -> Kept:
    name = item
    if isinstance(item, dict):
        name = item.get("workspace_member_email_address") or item.get("referenced_actor_id")
    if not isinstance(name, str):
        raise wrong_type(attribute.slug, "string", name)
    member = world.member(name)
    if member is None:
        raise Refusal("value_not_found", "Cannot find the workspace member that is referred to.")
    return {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}


_TAKERS: dict[str, Callable[[World, Attribute, Any], Kept]] = {
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
    "record-reference": _record_reference,
    "actor-reference": _actor_reference,
}
