"""Which attributes an Attio object has, and what each takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.contract import Field, Option, Purpose
from destinations.services.attio import compound_parts
from destinations.services.attio.values.conversion import CONVERTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.services.attio.client import Client

OBJECT_PAGE = 500
ATTRIBUTE_PAGE = 50
OPTION_PAGE = 100
_CHOICES = {"select": "options", "status": "statuses"}


def discover(client: Client, object_slug: str) -> list[Field]:
    """Every attribute that is not archived, in Attio's order, each followed by its parts; with options where they can be written.

    Raises:
        Misconfigured, Unavailable
    """
    base = f"/objects/{object_slug}/attributes"
    found = [entry for entry in client.pages(Purpose.DISCOVERY, base, ATTRIBUTE_PAGE) if not entry.get("is_archived")]
    client.slugs.update({str((entry.get("id") or {}).get("attribute_id")): entry["api_slug"] for entry in found})
    objects = _objects(client) if any(_unnamed_target(entry) for entry in found) else {}
    attributes = [field_of(entry, _options(client, base, entry), objects) for entry in found]
    return [field for attribute in attributes for field in (attribute, *compound_parts.fields(attribute))]


def field_of(
    attribute: dict[str, Any], options: tuple[Option, ...] = (), objects: Mapping[str, str] | None = None
) -> Field:
    """PURE. Attio's description of an attribute in our words; `objects` are slugs by id, to name what may be referred to."""
    reason = read_only_reason(attribute)
    writable = not reason
    return Field(
        name=attribute["api_slug"],
        label=attribute.get("title") or attribute["api_slug"],
        type=attribute["type"],
        writable=writable,
        required=bool(attribute.get("is_required")),
        unique=bool(attribute.get("is_unique")),
        multiple=bool(attribute.get("is_multiselect")),
        matchable=writable and bool(attribute.get("is_unique")) and attribute["api_slug"] != "record_id",
        options=options,
        read_only_reason=reason,
        custom=not attribute.get("is_system_attribute"),
        config=_config(attribute, objects or {}),
    )


def read_only_reason(attribute: dict[str, Any]) -> str:
    """PURE. Why an attribute can't be written, or "" where it can."""
    if attribute["type"] == "interaction":
        return "Attio fills it from emails and meetings."
    if not attribute.get("is_writable", True):
        return (
            "Attio sets it itself."
            if attribute.get("is_system_attribute")
            else "It is calculated by a formula in Attio."
        )
    if attribute["type"] not in CONVERTERS:
        return f"This version can't write attributes of the type {attribute['type']}."
    return ""


def _options(client: Client, base: str, attribute: dict[str, Any]) -> tuple[Option, ...]:
    kind = _CHOICES.get(attribute["type"])
    if kind is None or read_only_reason(attribute):
        return ()
    entries = client.pages(Purpose.DISCOVERY, f"{base}/{attribute['api_slug']}/{kind}", OPTION_PAGE)
    part = "option_id" if kind == "options" else "status_id"
    return tuple(Option(entry["id"][part], entry["title"]) for entry in entries if not entry.get("is_archived"))


def _config(attribute: dict[str, Any], objects: Mapping[str, str]) -> dict[str, Any]:
    """What converting and showing need besides: the currency, and which objects may be referred to."""
    given = attribute.get("config") or {}
    currency = (given.get("currency") or {}).get("default_currency_code")
    allowed = _allowed(attribute)
    target = (attribute.get("relationship") or {}).get("object_slug") or (
        objects.get(allowed[0]) if len(allowed) == 1 else None
    )
    found = {
        "currency": currency,
        "allowed_objects": [objects.get(name, name) for name in allowed],
        "target_object": target,
    }
    return {name: value for name, value in found.items() if value}


def _allowed(attribute: dict[str, Any]) -> list[str]:
    """Ids of the objects that may be referred to; empty where any may."""
    return ((attribute.get("config") or {}).get("record_reference") or {}).get("allowed_object_ids") or []


def _unnamed_target(attribute: dict[str, Any]) -> bool:
    return bool(_allowed(attribute)) and not (attribute.get("relationship") or {}).get("object_slug")


def _objects(client: Client) -> dict[str, str]:
    """Slugs of all objects by id."""
    entries = client.pages(Purpose.DISCOVERY, "/objects", OBJECT_PAGE)
    return {str((entry.get("id") or {}).get("object_id")): str(entry.get("api_slug") or "") for entry in entries}
