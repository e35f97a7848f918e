"""PURE. Values with more than one part: locations, personal names, and references to records and members."""

from __future__ import annotations

import json
import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from destinations.contract import NO_ORIGIN
from destinations.kit.values import domains, emails
from destinations.kit.values.countries import alpha2
from destinations.kit.values.decimals import decimal
from destinations.kit.values.text import plain_text, spelled
from destinations.services.attio.values.rejections import rejection, shared_page

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Field, Origin, Wire

LOCATION_KEYS = (
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
"""A request must contain all ten; null means unknown."""
NAME_KEYS = ("first_name", "last_name", "full_name")

_WHOLE = re.compile(r"-?\d+\.0+", re.ASCII)
"""A postcode such as 75001 that some program wrote as 75001.0."""
_DEGREES = re.compile(r"([+-]?)0*(\d{1,3}(?:\.\d+)?)", re.ASCII)
_MAX_DEGREES = {"latitude": 90, "longitude": 180}


def location(field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
    """An object with all ten keys, from an object or JSON text with some of them. Other text is sent as one address.

    For a field that is one part of a location: the text of that part.
    """
    if part := field.config.get("part"):
        return _validated_part(field, part, _text_part(field, value, origin))
    given = _object(value)
    if given is None:
        if isinstance(value, str) and value.strip() and not value.lstrip().startswith("{"):
            return value.strip()
        raise rejection(field, f"an address, or an object with some of the keys {', '.join(LOCATION_KEYS)}", value)
    parts = _parts(given, LOCATION_KEYS)
    if not parts:
        raise rejection(field, f"an object with text values and only the keys {', '.join(LOCATION_KEYS)}", value)
    return {key: _validated_part(field, key, part) for key, part in parts.items()}


def personal_name(field: Field, value: Any, origin: Origin = NO_ORIGIN) -> Wire:
    """First, last and full name, from an object, from "Last, First" or from "First Last".

    For a field that is one part of a name: the text of that part.
    """
    if field.config.get("part"):
        return _text_part(field, value, origin)
    given = _object(value)
    if given is None:
        given = _split_name(value) if isinstance(value, str) and value.strip() else {}
    parts = {key: part or "" for key, part in _parts(given, NAME_KEYS).items()}
    if not parts:
        raise rejection(field, "a name such as Lovelace, Ada, or an object with first_name and last_name", value)
    if not (parts["first_name"] or parts["last_name"]):
        parts.update(_split_name(parts["full_name"]))
    parts["full_name"] = parts["full_name"] or f"{parts['first_name']} {parts['last_name']}".strip()
    return parts


def record_reference(field: Field, value: Any, _origin: Origin = NO_ORIGIN) -> Wire:
    """A person by email address, a company by domain, or any record by ID. The record must already exist in Attio."""
    given = _object(value)
    if given is not None:
        return _reference_object(field, given)
    text = value.strip() if isinstance(value, str) else str(value) if isinstance(value, uuid.UUID) else ""
    target = field.config.get("target_object", "")
    reference = record_uuid(text)
    if reference is None and target in ("people", "", None):
        reference = emails.normalized(text)
    if reference is None and target in ("companies", "", None):
        reference = _domain(text)
        if domains.is_shared_page(text):
            raise shared_page(field)
    if reference is None:
        raise rejection(field, _REFERENCE_FORMS.get(str(target), "the ID of a record"), value)
    return reference


def actor_reference(field: Field, value: Any, _origin: Origin = NO_ORIGIN) -> Wire:
    """A member of the workspace by email address or ID."""
    given = _object(value) or {}
    text = given.get("workspace_member_email_address") or given.get("referenced_actor_id") or value
    member = record_uuid(text) if isinstance(text, str) else None
    if member:
        return {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}
    address = emails.normalized(text) if isinstance(text, str) else None
    if address is None:
        raise rejection(field, "the email address of a member of the Attio workspace", value)
    return address


_REFERENCE_FORMS = {
    "people": "the email address or the ID of a person",
    "companies": "the domain or the ID of a company",
    "": "an email address, a domain or the ID of a record",
}


def _reference_object(field: Field, given: dict[str, Any]) -> Wire:
    """A record by ID or by one value of a unique attribute."""
    target = given.get("target_object")
    names = [name for name in given if name != "target_object"]
    allowed = {*field.config.get("allowed_objects", ()), field.config.get("target_object")} - {None}
    fits = isinstance(target, str) and len(names) == 1 and (not allowed or target in allowed)
    reference = _unique_value(str(target), names[0], given[names[0]]) if fits else None
    if reference is None:
        raise rejection(
            field,
            "an object with an allowed target_object, and target_record_id, domains or email_addresses",
            given,
        )
    return {"target_object": target, **reference}


def _unique_value(target: str, name: str, value: Any) -> dict[str, Any] | None:
    if name == "target_record_id":
        record_id = record_uuid(value) if isinstance(value, str) else None
        return {name: record_id} if record_id else None
    unique_name, key, convert = _UNIQUE.get(target, ("", "", _domain))
    only = value[0] if isinstance(value, list) and len(value) == 1 else value
    text = only.get(key) if isinstance(only, dict) else only
    converted = convert(text) if name == unique_name and isinstance(text, str) else None
    return {name: [{key: converted}]} if converted else None


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None


def _parts(given: dict[str, Any], keys: tuple[str, ...]) -> dict[str, str | None]:
    """Every key with its text or None. Empty if a key is unknown, a value is nested, or all parts are empty."""
    if set(given) - set(keys) or any(isinstance(value, bool | dict | list) for value in given.values()):
        return {}
    parts = {key: _part(given.get(key)) for key in keys}
    return parts if any(parts.values()) else {}


def _part(value: Any) -> str | None:
    if isinstance(value, float | Decimal):
        return format(Decimal(str(value)), "f")
    return None if value is None else str(value).strip() or None


def _text_part(field: Field, value: Any, origin: Origin) -> str:
    not_finite = isinstance(value, float | Decimal) and decimal(value) is None
    given = value if _WHOLE.fullmatch(origin.text) else spelled(field, value, origin)
    text = "" if not_finite or isinstance(value, bool | dict | list) else plain_text(given).strip()
    if not text:
        raise rejection(field, "a single text", value)
    return text


def _validated_part(field: Field, key: str, text: str | None) -> str | None:
    """A part of a location in the form that Attio accepts."""
    if key == "country_code":
        return _country(field, text)
    limit = _MAX_DEGREES.get(key)
    return _degrees(field, key, text, limit) if limit else text


def _country(field: Field, text: str | None) -> str | None:
    code = alpha2(text) if text else None
    if text and code is None:
        raise rejection(field, "an ISO 3166 country_code such as FR, or the English name of a country", text)
    return code


def _degrees(field: Field, key: str, text: str | None, limit: int) -> str | None:
    """Degrees without leading zeros, which Attio rejects."""
    if text is None:
        return None
    match = _DEGREES.fullmatch(text)
    if match is None or float(match[2]) > limit:
        raise rejection(field, f"a {key} from -{limit} to {limit} degrees", text)
    return match[1] + match[2]


def _split_name(text: str) -> dict[str, str]:
    last, comma, first = (part.strip() for part in text.partition(","))
    if not comma:
        first, _, last = text.strip().rpartition(" ")
        if not first:
            first, last = last, ""
    return {"first_name": first.strip(), "last_name": last.strip()}


def record_uuid(text: str) -> str | None:
    """The ID of a record or a member in its usual spelling; None if the text is none."""
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def _domain(text: str) -> str | None:
    try:
        return None if domains.is_shared_page(text) else domains.normalize(text)
    except ValueError:
        return None


_UNIQUE: dict[str, tuple[str, str, Callable[[str], str | None]]] = {
    "companies": ("domains", "domain", _domain),
    "people": ("email_addresses", "email_address", emails.normalized),
}
"""Object → its unique attribute, the key of that attribute's values, and the converter for one value."""
