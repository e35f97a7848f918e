"""Validates references to records and to workspace members. `validation` covers the other types."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from destinations.services.attio.sandbox.errors import ApiError, invalid_value, missing_keys, wrong_type

if TYPE_CHECKING:
    from destinations.services.attio.sandbox.schema import Attribute

ValueData = dict[str, Any]
"""The fields of one stored value, without its metadata."""

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class ValidationContext(Protocol):
    """What validation needs to know of the workspace: its records, its members, and how it stores domains."""

    strips_www: bool

    def record_by(self, object_name: str, slug: str, value: str) -> tuple[str, str] | None: ...

    def record_by_id(self, object_name: str, record_id: str) -> tuple[str, str] | None: ...

    def member(self, name: str) -> str | None: ...


def record_reference(context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    target = _find_target(context, attribute, item)
    if target is None:
        raise ApiError(
            "value_not_found", f'Cannot find the record that is referred to by attribute with slug "{attribute.slug}".'
        )
    return {"target_object": target[0], "target_record_id": target[1]}


def _find_target(context: ValidationContext, attribute: Attribute, item: Any) -> tuple[str, str] | None:
    """The object and the ID of the referenced record, or None if it does not exist."""
    if isinstance(item, dict):
        object_name = item.get("target_object")
        if not isinstance(object_name, str):
            raise invalid_value(attribute.slug, missing_keys(["target_object"]))
        if "target_record_id" in item:
            return context.record_by_id(object_name, str(item["target_record_id"]))
        key = next((key for key in item if key != "target_object"), "")
        inner = item.get(key)
        single = inner[0] if isinstance(inner, list) and len(inner) == 1 else inner
        value = next(iter(single.values())) if isinstance(single, dict) and single else single
        return context.record_by(object_name, key, str(value))
    if not isinstance(item, str):
        raise wrong_type(attribute.slug, "string", item)
    for object_name in attribute.allowed_objects or ["people", "companies"]:
        if _UUID.fullmatch(item):
            target = context.record_by_id(object_name, item)
        else:
            target = context.record_by(object_name, "email_addresses" if "@" in item else "domains", item)
        if target:
            return target
    return None


def actor_reference(context: ValidationContext, attribute: Attribute, item: Any) -> ValueData:
    name = item
    if isinstance(item, dict):
        name = item.get("workspace_member_email_address") or item.get("referenced_actor_id")
    if not isinstance(name, str):
        raise wrong_type(attribute.slug, "string", name)
    member = context.member(name)
    if member is None:
        raise ApiError("value_not_found", "Cannot find the workspace member that is referred to.")
    return {"referenced_actor_type": "workspace-member", "referenced_actor_id": member}
