"""What can be done to a simulated workspace from outside the API: the actions, and the effects of its switches."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import ApiError
from destinations.services.attio.sandbox.schema import Choice, Schema, fixed_id
from destinations.services.attio.sandbox.store import SYSTEM, Actor, replaced

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from destinations.sandbox.wire import Editor
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
    """Archives or restores an attribute, named `slug` (of companies) or `object.slug`.

    Raises:
        KeyError: there is no such attribute.
    """
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


def add_records(workspace: Workspace, entries: dict[str, list[dict[str, Any]]]) -> None:
    for object_slug, records in entries.items():
        store = workspace.store(object_slug)
        for values in records:
            workspace.create(store, workspace.parse_values(store, values), datetime.now(UTC))


def edit(workspace: Workspace, object_slug: str, record_id: str, values: Mapping[str, Any], by: Editor) -> None:
    """Changes a record as a member, an integration with another token, or Attio itself does."""
    store = workspace.store(object_slug)
    sent = workspace.parse_values(store, values, by_system=by == "vendor")
    workspace.update(
        store, workspace.record(store, record_id), sent, replaced, datetime.now(UTC), _actor(workspace, by)
    )


def _actor(workspace: Workspace, by: Editor) -> Actor:
    """Who edits, as Attio names it: https://docs.attio.com/docs/actors"""
    if by == "person":
        return {"type": "workspace-member", "id": next(iter(workspace.members.values()))}
    return SYSTEM if by == "vendor" else {"type": "api-token", "id": fixed_id(workspace.id, "other token")}


def merge(workspace: Workspace, ids: list[str]) -> None:
    workspace.merge(workspace.stores["companies"], ids[0], ids[1], datetime.now(UTC))


ACTIONS: dict[str, Callable[[Workspace, Any], None]] = {
    "attributes": add_attributes,
    "archive": archive,
    "unarchive": unarchive,
    "archive_options": archive_options,
    "add_options": add_options,
    "members": add_members,
    "records": add_records,
    "merge": merge,
}
"""The actions by their names in `POST /_sandbox/switches`."""


def apply_switches(workspace: Workspace, switches: dict[str, Any]) -> None:
    """Copies the switches that change how the workspace stores and validates values."""
    for store in workspace.stores.values():
        store.names_owner = switches.get("conflict_names_record") is not False
        store.names_slug = switches.get("conflict_names_attribute") != "id"
    workspace.strips_www = bool(switches.get("strips_www"))
    workspace.unclearable = set(switches.get("unclearable") or ())
    workspace.malformed_ids = int(switches.get("malformed_ids") or 400)


def check_conflict(switches: dict[str, Any]) -> None:
    """Raises the vendor's 409 while `concurrent_write_conflicts` is positive, and counts it down."""
    remaining = int(switches.get("concurrent_write_conflicts") or 0)
    if remaining:
        switches["concurrent_write_conflicts"] = remaining - 1
        raise ApiError(
            "concurrent_write_conflict", "The record is being changed by another request. Try again.", status=409
        )


def check_merging(switches: dict[str, Any], record_id: str, status: int) -> None:
    """Raises the vendor's error for a record that is being merged."""
    if record_id in (switches.get("merging") or ()):
        raise ApiError("merge_in_progress", f'Record with ID "{record_id}" is being merged.', status=status)


def check_record_cap(switches: dict[str, Any], record_count: int) -> None:
    """Raises the configured error if the object holds as many records as the plan allows."""
    cap = switches.get("record_cap")
    if cap and record_count >= cap["most"]:
        raise ApiError(cap["code"], "The workspace holds as many records as its plan allows.", status=cap["status"])


def _companies(workspace: Workspace) -> Schema:
    return workspace.stores["companies"].schema
