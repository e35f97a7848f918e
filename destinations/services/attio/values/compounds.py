"""PURE. Values of several parts: places, names of people, and references to other records and to members."""

from __future__ import annotations

import json
import re
import uuid
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from destinations.services.attio.values import domains
from destinations.services.attio.values.rejections import refused
from destinations.services.attio.values.scalars import decimal, plain_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.contract import Field, Wire

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
"""All ten must be in a request; null stands for "unknown"."""
NAME_KEYS = ("first_name", "last_name", "full_name")

_EMAIL = re.compile(r"([^\s@<>\"(),:;\[\]\\]{1,64})@([^\s@]+)")
_COUNTRY = re.compile(r"[A-Za-z]{2}", re.ASCII)
_DEGREES = re.compile(r"([+-]?)0*(\d{1,3}(?:\.\d+)?)", re.ASCII)
_MOST_DEGREES = {"latitude": 90, "longitude": 180}


def email(text: Any) -> str | None:
    """An address in lower case, or None where it is none. Attio compares addresses without case."""
    match = _EMAIL.fullmatch(text.strip().removeprefix("mailto:")) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        return f"{match[1].lower()}@{domains.checked(match[2])}"
    except ValueError:
        return None


def location(field: Field, value: Any) -> Wire:
    """An object with all ten keys, from an object or JSON text with some of them; any other text goes as one address.

    Of a field that is a part of a location: the text of that part.
    """
    if part := field.config.get("part"):
        return _checked(field, part, _text_part(field, value))
    given = _object(value)
    if given is None:
        if isinstance(value, str) and value.strip() and not value.lstrip().startswith("{"):
            return value.strip()
        raise refused(field, f"an address, or an object with some of {', '.join(LOCATION_KEYS)}", value)
    parts = _parts(given, LOCATION_KEYS)
    if not parts:
        raise refused(field, f"an object with texts under no other keys than {', '.join(LOCATION_KEYS)}", value)
    return {key: _checked(field, key, part) for key, part in parts.items()}


def personal_name(field: Field, value: Any) -> Wire:
    """First, last and full name, from an object, from "Last, First" or from "First Last".

    Of a field that is a part of a name: the text of that part.
    """
    if field.config.get("part"):
        return _text_part(field, value)
    given = _object(value)
    if given is None:
        given = _split_name(value) if isinstance(value, str) and value.strip() else {}
    parts = {key: part or "" for key, part in _parts(given, NAME_KEYS).items()}
    if not parts:
        raise refused(field, "a name such as Lovelace, Ada, or an object with first_name and last_name", value)
    if not (parts["first_name"] or parts["last_name"]):
        parts.update(_split_name(parts["full_name"]))
    parts["full_name"] = parts["full_name"] or f"{parts['first_name']} {parts['last_name']}".strip()
    return parts


def record_reference(field: Field, value: Any) -> Wire:
    """A person by email, a company by domain, any record by its id. The record must be in Attio already."""
    given = _object(value)
    if given is not None:
        return _reference_object(field, given)
    text = value.strip() if isinstance(value, str) else str(value) if isinstance(value, uuid.UUID) else ""
    target = field.config.get("target_object", "")
    found = _uuid(text)
    if found is None and target in ("people", "", None):
        found = email(text)
    if found is None and target in ("companies", "", None):
        found = _domain(text)
    if found is None:
        raise refused(field, _WANTED.get(str(target), "the id of a record"), value)
    return found


def actor_reference(field: Field, value: Any) -> Wire:
    """A member of the workspace by email or by id."""
    given = _object(value) or {}
    text = given.get("workspace_member_email_address") or given.get("referenced_actor_id") or value
    member = _uuid(text) if isinstance(text, str) else None
    if member:
        return {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}
    found = email(text)
    if found is None:
        raise refused(field, "the email address of a member of the Attio workspace", value)
    return found


_WANTED = {
    "people": "the email address or the id of a person",
    "companies": "the domain or the id of a company",
    "": "an email address, a domain or the id of a record",
}


def _reference_object(field: Field, given: dict[str, Any]) -> Wire:
    """A record by its id or by one value of a unique attribute."""
    target = given.get("target_object")
    names = [name for name in given if name != "target_object"]
    allowed = {*field.config.get("allowed_objects", ()), field.config.get("target_object")} - {None}
    fits = isinstance(target, str) and len(names) == 1 and (not allowed or target in allowed)
    found = _referred(str(target), names[0], given[names[0]]) if fits else None
    if found is None:
        raise refused(
            field,
            "an object with the target_object it may refer to and target_record_id, domains or email_addresses",
            given,
        )
    return {"target_object": target, **found}


def _referred(target: str, name: str, value: Any) -> dict[str, Any] | None:
    if name == "target_record_id":
        found = _uuid(value) if isinstance(value, str) else None
        return {name: found} if found else None
    known, key, convert = _UNIQUE.get(target, ("", "", _domain))
    only = value[0] if isinstance(value, list) and len(value) == 1 else value
    text = only.get(key) if isinstance(only, dict) else only
    found = convert(text) if name == known and isinstance(text, str) else None
    return {name: [{key: found}]} if found else None


def _object(value: Any) -> dict[str, Any] | None:
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None


def _parts(given: dict[str, Any], keys: tuple[str, ...]) -> dict[str, str | None]:
    """Every key with its text or None; nothing at all where another key is there, a part is no text, or all are empty."""
    if set(given) - set(keys) or any(isinstance(value, bool | dict | list) for value in given.values()):
        return {}
    parts = {key: _part(given.get(key)) for key in keys}
    return parts if any(parts.values()) else {}


def _part(value: Any) -> str | None:
    if isinstance(value, float | Decimal):
        return format(Decimal(str(value)), "f")
    return None if value is None else str(value).strip() or None


def _text_part(field: Field, value: Any) -> str:
    """The text of one part."""
    odd = isinstance(value, bool | dict | list) or (isinstance(value, float | Decimal) and decimal(value) is None)
    text = "" if odd else plain_text(value).strip()
    if not text:
        raise refused(field, "one text", value)
    return text


def _checked(field: Field, key: str, text: str | None) -> str | None:
    """A part of a location as Attio takes it."""
    if key == "country_code":
        return _country(field, text)
    most = _MOST_DEGREES.get(key)
    return _degrees(field, key, text, most) if most else text


def _country(field: Field, text: str | None) -> str | None:
    if text is not None and not _COUNTRY.fullmatch(text):
        raise refused(field, "a country_code of two letters, such as FR", text)
    return text.upper() if text else None


def _degrees(field: Field, key: str, text: str | None, most: int) -> str | None:
    """A number of degrees without leading zeros, which Attio refuses."""
    if text is None:
        return None
    match = _DEGREES.fullmatch(text)
    if match is None or float(match[2]) > most:
        raise refused(field, f"a {key} in degrees from -{most} to {most}", text)
    return match[1] + match[2]


def _split_name(text: str) -> dict[str, str]:
    last, comma, first = (part.strip() for part in text.partition(","))
    if not comma:
        first, _, last = text.strip().rpartition(" ")
        if not first:
            first, last = last, ""
    return {"first_name": first.strip(), "last_name": last.strip()}


def _uuid(text: str) -> str | None:
    try:
        return str(uuid.UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None


def _domain(text: str) -> str | None:
    try:
        return domains.normalise(text)
    except ValueError:
        return None


_UNIQUE: dict[str, tuple[str, str, Callable[[str], str | None]]] = {
    "companies": ("domains", "domain", _domain),
    "people": ("email_addresses", "email_address", email),
}
"""The unique attribute of an object, and the key of its values."""
