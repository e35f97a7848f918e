"""Discovery: the attributes of an Attio object, and what each accepts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.contract import Field, Option, Purpose
from destinations.services.attio import compound_parts
from destinations.services.attio.values.conversion import CONVERTERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.services.attio.client import Client

ENRICHED = frozenset(
    {
        "angellist", "categories", "description", "employee_range", "estimated_arr_usd", "facebook", "foundation_date",
        "funding_raised_usd", "instagram", "linkedin", "logo_url", "name", "primary_location", "twitter", "job_title",
    }
)  # fmt: skip
"""System attributes that Attio fills in on its own, seconds after a record is created, and may refill later."""
OBJECT_PAGE = 500
ATTRIBUTE_PAGE = 50
OPTION_PAGE = 100
_CHOICES = {"select": "options", "status": "statuses"}


def discover(client: Client, object_slug: str) -> list[Field]:
    """Every attribute that is not archived, in Attio's order, each followed by its parts.

    Options are fetched only for attributes that can be written.

    Raises:
        Misconfigured, Unavailable
    """
    base = f"/objects/{object_slug}/attributes"
    entries = [entry for entry in client.pages(Purpose.DISCOVERY, base, ATTRIBUTE_PAGE) if not entry.get("is_archived")]
    client.slugs.update({str((entry.get("id") or {}).get("attribute_id")): entry["api_slug"] for entry in entries})
    objects = _object_slugs(client) if any(_lacks_target_slug(entry) for entry in entries) else {}
    attributes = [field_of(entry, _options(client, base, entry), objects) for entry in entries]
    return [field for attribute in attributes for field in (attribute, *compound_parts.fields(attribute))]


def field_of(
    attribute: dict[str, Any], options: tuple[Option, ...] = (), objects: Mapping[str, str] | None = None
) -> Field:
    """PURE. The field for an attribute as Attio describes it. `objects` maps object IDs to slugs, for references."""
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
        enriched=writable and bool(attribute.get("is_system_attribute")) and attribute["api_slug"] in ENRICHED,
        config=_config(attribute, objects or {}),
    )


def read_only_reason(attribute: dict[str, Any]) -> str:
    """PURE. Why an attribute can't be written, or "" if it can."""
    if attribute["type"] == "interaction":
        return "Attio fills it from emails and meetings."
    if not attribute.get("is_writable", True):
        return (
            "Attio sets it automatically."
            if attribute.get("is_system_attribute")
            else "It is calculated by a formula in Attio."
        )
    if attribute["type"] not in CONVERTERS:
        return f"This version can't write attributes of type {attribute['type']}."
    return ""


def _options(client: Client, base: str, attribute: dict[str, Any]) -> tuple[Option, ...]:
    kind = _CHOICES.get(attribute["type"])
    if kind is None or read_only_reason(attribute):
        return ()
    entries = client.pages(Purpose.DISCOVERY, f"{base}/{attribute['api_slug']}/{kind}", OPTION_PAGE)
    id_key = "option_id" if kind == "options" else "status_id"
    return tuple(Option(entry["id"][id_key], entry["title"]) for entry in entries if not entry.get("is_archived"))


def _config(attribute: dict[str, Any], objects: Mapping[str, str]) -> dict[str, Any]:
    """What conversion and screens need in addition: the currency, and which objects a reference may point to."""
    currency = ((attribute.get("config") or {}).get("currency") or {}).get("default_currency_code")
    allowed = _allowed_objects(attribute)
    target = (attribute.get("relationship") or {}).get("object_slug") or (
        objects.get(allowed[0]) if len(allowed) == 1 else None
    )
    config = {
        "currency": currency,
        "allowed_objects": [objects.get(object_id, object_id) for object_id in allowed],
        "target_object": target,
    }
    return {name: value for name, value in config.items() if value}


def _allowed_objects(attribute: dict[str, Any]) -> list[str]:
    """IDs of the objects that a reference may point to; empty if there is no restriction."""
    return ((attribute.get("config") or {}).get("record_reference") or {}).get("allowed_object_ids") or []


def _lacks_target_slug(attribute: dict[str, Any]) -> bool:
    return bool(_allowed_objects(attribute)) and not (attribute.get("relationship") or {}).get("object_slug")


def _object_slugs(client: Client) -> dict[str, str]:
    """The slugs of all objects by ID."""
    entries = client.pages(Purpose.DISCOVERY, "/objects", OBJECT_PAGE)
    return {str((entry.get("id") or {}).get("object_id")): str(entry.get("api_slug") or "") for entry in entries}
