"""Actions on a simulated workspace from outside the API: adding and archiving attributes, members, merges."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.schema import Choice, Schema, fixed_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.services.attio.sandbox.workspace import Workspace

_FLAGS = {
    "is_multiselect": "multiselect",
    "is_unique": "unique",
    "is_required": "required",
    "is_writable": "writable",
    "currency": "currency",
}


def add_attributes(workspace: Workspace, entries: list[dict[str, Any]]) -> None:
    for entry in entries:
        flags = {_FLAGS[name]: value for name, value in entry.items() if name in _FLAGS}
        if "allowed_objects" in entry:
            flags["allowed_objects"] = [workspace.store(name).schema.id for name in entry["allowed_objects"]]
        workspace.store(entry.get("object", "companies")).schema.add(
            slug=entry["api_slug"],
            type_name=entry["type"],
            title=entry.get("title", ""),
            options=entry.get("options"),
            system=False,
            **flags,
        )


def archive(workspace: Workspace, slugs: list[str]) -> None:
    for slug in slugs:
        set_archived(workspace, slug, True)


def unarchive(workspace: Workspace, slugs: list[str]) -> None:
    for slug in slugs:
        set_archived(workspace, slug, False)


def set_archived(workspace: Workspace, name: str, archived: bool) -> None:
    """Archives or restores an attribute: `slug` for companies, or `object.slug`. Raises KeyError if it does not exist."""
    object_slug, _, slug = name.rpartition(".")
    workspace.stores[object_slug or "companies"].schema.attributes[slug].archived = archived


def archive_options(workspace: Workspace, titles: dict[str, list[str]]) -> None:
    for slug, archived in titles.items():
        for choice in _companies(workspace).attributes[slug].choices:
            choice.archived = choice.archived or choice.title in archived


def add_options(workspace: Workspace, titles: dict[str, list[str]]) -> None:
    for slug, added in titles.items():
        attribute = _companies(workspace).attributes[slug]
        attribute.choices.extend(Choice(fixed_id(attribute.id, title), title) for title in added)


def add_members(workspace: Workspace, emails: list[str]) -> None:
    workspace.members.update({email.lower(): fixed_id(workspace.id, email.lower()) for email in emails})


def merge(workspace: Workspace, ids: list[str]) -> None:
    workspace.merge(workspace.stores["companies"], ids[0], ids[1], datetime.now(UTC))


ACTIONS: dict[str, Callable[[Workspace, Any], None]] = {
    "attributes": add_attributes,
    "archive": archive,
    "unarchive": unarchive,
    "archive_options": archive_options,
    "add_options": add_options,
    "members": add_members,
    "merge": merge,
}
"""The actions by their names in `POST /_sandbox/switches`."""


def _companies(workspace: Workspace) -> Schema:
    return workspace.stores["companies"].schema
