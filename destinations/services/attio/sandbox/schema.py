"""The objects and attributes of a simulated workspace, as Attio describes them."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from destinations.services.attio.sandbox.errors import not_found

CREATED_AT = "2023-01-01T09:00:00.000000000Z"
_FOLDER = Path(__file__).parent


def fixed_id(*parts: str) -> str:
    """An ID derived from these parts: the same in every sandbox with the same token, so answers can be compared."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(parts)))


@dataclass
class Choice:
    """An option of a select, or a status."""

    id: str
    title: str
    archived: bool = False


@dataclass
class Attribute:
    """One attribute of an object."""

    slug: str
    title: str
    type: str
    workspace_id: str
    object_id: str
    system: bool = True
    writable: bool = True
    required: bool = False
    unique: bool = False
    multiselect: bool = False
    archived: bool = False
    default: dict[str, Any] | None = None
    relationship: dict[str, Any] | None = None
    currency: dict[str, Any] | None = None
    allowed_objects: list[str] | None = None
    choices: list[Choice] = field(default_factory=list)

    @property
    def id(self) -> str:
        return fixed_id(self.object_id, self.slug)

    @property
    def ids(self) -> dict[str, str]:
        return {"workspace_id": self.workspace_id, "object_id": self.object_id, "attribute_id": self.id}

    def described(self) -> dict[str, Any]:
        """The JSON that the attributes endpoint returns."""
        relationship = self.relationship and {"id": {**self.ids}, **self.relationship}
        return {
            "id": self.ids,
            "title": self.title,
            "description": None,
            "api_slug": self.slug,
            "type": self.type,
            "is_system_attribute": self.system,
            "is_writable": self.writable,
            "is_required": self.required,
            "is_unique": self.unique,
            "is_multiselect": self.multiselect,
            "is_default_value_enabled": self.default is not None,
            "is_archived": self.archived,
            "default_value": self.default,
            "relationship": relationship,
            "created_at": CREATED_AT,
            "config": {
                "currency": self.currency or {"default_currency_code": None, "display_type": None},
                "record_reference": {"allowed_object_ids": self.allowed_objects},
            },
        }

    def described_choice(self, choice: Choice) -> dict[str, Any]:
        """The JSON of an option or a status, both in its endpoint and in values of records."""
        id_key = "status_id" if self.type == "status" else "option_id"
        described: dict[str, Any] = {
            "id": {**self.ids, id_key: choice.id},
            "title": choice.title,
            "is_archived": choice.archived,
        }
        if self.type == "status":
            described |= {"celebration_enabled": False, "target_time_in_status": None}
        return described

    def find_choice(self, name: str) -> Choice | None:
        """The choice with this title or ID, unless it is archived."""
        return next((item for item in self.choices if name in (item.title, item.id) and not item.archived), None)


class Schema:
    """One object with its attributes, loaded from the JSON file of the same name."""

    def __init__(self, workspace_id: str, slug: str) -> None:
        described = json.loads((_FOLDER / f"{slug}.json").read_text())
        self.slug = slug
        self.workspace_id = workspace_id
        self.id = fixed_id(workspace_id, slug)
        self.singular, self.plural = described["singular"], described["plural"]
        self.attributes: dict[str, Attribute] = {}
        for entry in described["attributes"]:
            self.add(type_name=entry.pop("type"), **entry)

    def add(
        self, *, slug: str, type_name: str, title: str = "", options: list[str] | None = None, **flags: Any
    ) -> None:
        """Adds an attribute, with its options or statuses by title."""
        attribute = Attribute(
            slug, title or slug.replace("_", " ").capitalize(), type_name, self.workspace_id, self.id, **flags
        )
        attribute.choices = [Choice(fixed_id(attribute.id, title), title) for title in options or ()]
        if type_name == "currency" and attribute.currency is None:
            attribute.currency = {"default_currency_code": "USD", "display_type": "symbol"}
        if attribute.relationship:
            attribute.allowed_objects = [fixed_id(self.workspace_id, attribute.relationship["object_slug"])]
        self.attributes[slug] = attribute

    def listed(self) -> list[dict[str, Any]]:
        """The name and type of every attribute, including archived ones, and what can be done with it."""
        return [
            {
                "name": item.slug,
                "type": item.type,
                "archived": item.archived,
                "fixed": not item.writable,
                "writable": item.writable,
                "unique": item.unique,
                "multiple": item.multiselect,
                "required": item.required,
                **(
                    {"options": [choice.title for choice in item.choices if not choice.archived]}
                    if item.choices
                    else {}
                ),
            }
            for item in self.attributes.values()
        ]

    def find(self, name: str) -> Attribute | None:
        """An attribute by slug or ID, archived or not."""
        return self.attributes.get(name) or next((item for item in self.attributes.values() if item.id == name), None)

    def get(self, name: str) -> Attribute:
        """Like `find`, but raises the vendor's 404 if there is no such attribute."""
        attribute = self.find(name)
        if attribute is None:
            raise not_found(f'Attribute with slug/ID "{name}" not found.')
        return attribute

    def described(self) -> dict[str, Any]:
        return {
            "id": {"workspace_id": self.workspace_id, "object_id": self.id},
            "api_slug": self.slug,
            "singular_noun": self.singular,
            "plural_noun": self.plural,
            "created_at": CREATED_AT,
        }
