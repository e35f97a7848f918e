"""The data attributes of a simulated Intercom workspace, with the vendor's rules and error messages."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import ApiError
from destinations.services.intercom.sandbox.rules import bad_parameter, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS = ("company", "contact")
DATA_TYPES = ("string", "integer", "float", "boolean", "date", "datetime", "options")
RETURNED_AS = {"datetime": "date", "options": "string"}
CHANGEABLE = {"archived", "description", "options", "messenger_writable"}
CREATABLE = CHANGEABLE - {"archived"} | {"name", "model", "data_type"}
LIMIT = 250

STANDARD = (
    # full name, data type, writable through the API
    ("name", "string", True), ("company_id", "string", False), ("remote_created_at", "date", True),
    ("monthly_spend", "float", True), ("size", "integer", True), ("industry", "string", True),
    ("website", "string", True), ("last_request_at", "date", False), ("user_count", "integer", False),
    ("session_count", "integer", False), ("plan.name", "string", False), ("plan.id", "string", False),
    ("id", "string", False), ("created_at", "date", False), ("updated_at", "date", False), ("app_id", "string", False),
)  # fmt: skip
CONTACT_STANDARD = (
    ("id", "string", False), ("email", "string", True), ("external_id", "string", True), ("name", "string", True),
    ("phone", "string", True), ("owner_id", "integer", True), ("signed_up_at", "date", True),
    ("last_seen_at", "date", True), ("unsubscribed_from_emails", "boolean", True), ("created_at", "date", False),
    ("updated_at", "date", False),
)  # fmt: skip


class DataAttributes:
    """Standard and custom attributes of both models.

    Switches, with their defaults:

        attribute_limit        the maximum number of custom attributes, 250
        archived_count         true: archived attributes count toward the limit; default false
        limit_status           status of the error at the limit, 400
        attribute_exists       form of the error for a taken name: `text` (default), `code` or `conflict`
        unarchive              what `archived: false` does: `accept` (default), `refuse` or `ignore`
        dependent_attributes   names of attributes that can't be archived
    """

    def __init__(self, switches: Mapping[str, Any]) -> None:
        self.switches = switches
        self.custom: list[dict[str, Any]] = []
        self.standard = {
            "company": [_standard("company", *row) for row in STANDARD],
            "contact": [_standard("contact", *row) for row in CONTACT_STANDARD],
        }

    def listed(self, model: str, *, archived: bool) -> list[dict[str, Any]]:
        """The attributes of a model, as `GET /data_attributes` lists them."""
        custom = [entry for entry in self.custom if entry["model"] == model and (archived or not entry["archived"])]
        return [dict(entry) for entry in (*self.standard.get(model, ()), *custom)]

    def active(self, name: str, model: str = "company") -> dict[str, Any] | None:
        """The custom attribute with this name, if values can be written to it."""
        return next(
            (
                entry
                for entry in self.custom
                if entry["name"] == name and entry["model"] == model and not entry["archived"]
            ),
            None,
        )

    def set_archived(self, model: str, name: str, archived: bool) -> None:
        """Archives or unarchives a custom attribute, as a person does in Intercom. Raises KeyError if there is none."""
        for entry in self.custom:
            if (entry["model"], entry["name"]) == (model, name):
                entry["archived"] = archived
                return
        raise KeyError(name)

    def create(self, wanted: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Creates a custom attribute.

        Raises:
            ApiError: the name, the model, the type or the options are invalid, or the limit is reached.
        """
        for key in wanted:
            if key not in CREATABLE:
                raise bad_parameter(key)
        name, model, kind = wanted.get("name"), wanted.get("model"), wanted.get("data_type")
        if model not in MODELS:
            raise invalid("The Data Attribute model field must be either contact or company")
        self._check_name(name, str(model))
        if kind not in DATA_TYPES:
            raise invalid("Data Type isn't an option")
        options = wanted.get("options")
        if kind == "options" or options is not None:
            options = _validated_options(options)
        self._check_limit()
        return self.add({**wanted, "data_type": RETURNED_AS.get(str(kind), kind), "options": options}, now)

    def add(self, entry: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Stores an attribute without validation, to prepare a workspace."""
        options = [option["value"] if isinstance(option, dict) else option for option in entry.get("options") or ()]
        attribute = {
            "id": len(self.custom) + 34,
            "type": "data_attribute",
            "name": entry["name"],
            "full_name": f"custom_attributes.{entry['name']}",
            "label": entry.get("label", entry["name"]),
            "data_type": entry.get("data_type", "string"),
            "api_writable": entry.get("api_writable", True),
            "ui_writable": False,
            "messenger_writable": entry.get("messenger_writable", False),
            "custom": True,
            "archived": entry.get("archived", False),
            "admin_id": "991267459",
            "created_at": now,
            "updated_at": now,
            "model": entry.get("model", "company"),
        }
        for key, value in (("description", entry.get("description")), ("options", options)):
            if value:
                attribute[key] = value
        self.custom.append(attribute)
        return dict(attribute)

    def change(self, attribute_id: str, wanted: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Changes an attribute. Its name and type can't be changed.

        Raises:
            ApiError: there is no such attribute, or the change is not possible.
        """
        entry = next((entry for entry in self.custom if str(entry["id"]) == attribute_id), None)
        if entry is None:
            raise ApiError(404, "field_not_found", "We couldn't find that data attribute to update")
        for key in wanted:
            if key not in CHANGEABLE:
                raise bad_parameter(key)
        if wanted.get("archived") and entry["name"] in self.switches.get("dependent_attributes", ()):
            raise ApiError(422, "data_invalid", "The Data Attribute you are trying to archive has a dependant object")
        changed = dict(wanted)
        if "options" in changed:
            if not isinstance(changed["options"], list):
                raise invalid("Options isn't an array")
            changed["options"] = _validated_options(changed["options"])
        if wanted.get("archived") is False and entry["archived"]:
            self._unarchive(changed)
        entry.update(changed, updated_at=now)
        return dict(entry)

    def _unarchive(self, changed: dict[str, Any]) -> None:
        answer = self.switches.get("unarchive", "accept")
        if answer == "refuse":
            raise bad_parameter("archived")
        if answer == "ignore":
            del changed["archived"]
        self._check_limit()

    def _check_name(self, name: Any, model: str) -> None:
        if not isinstance(name, str) or not name or not all(_allowed(character) for character in name):
            raise invalid(
                "Your name for this attribute must only contain alphanumeric characters, currency symbols, and hyphens"
            )
        if name in {entry["name"] for entry in self.standard[model]}:
            label = "company" if model == "company" else "people"
            raise invalid(
                f"'{name}' is one of our standard attributes for your {label} data. "
                f"To save this as new {label} data, use a different name."
            )
        for entry in self.custom:
            if entry["name"] == name:
                raise self._name_taken(name, entry["model"], model)

    def _name_taken(self, name: str, owner: str, model: str) -> ApiError:
        labels = {"company": "company", "contact": "people"}
        text = (
            f"You already have '{name}' in your {labels[owner]} data. "
            f"To save this as new {labels[model]} data, use a different name."
        )
        form = self.switches.get("attribute_exists", "text")
        if form == "conflict":
            return ApiError(409, "conflict", text)
        return ApiError(400, "attribute_already_exists" if form == "code" else "parameter_invalid", text)

    def _check_limit(self) -> None:
        counted = [entry for entry in self.custom if self.switches.get("archived_count") or not entry["archived"]]
        if len(counted) >= self.switches.get("attribute_limit", LIMIT):
            raise ApiError(
                int(self.switches.get("limit_status", 400)),
                "custom_data_limit_reached",
                "You have reached the limit of custom data attributes",
            )


def _standard(model: str, full_name: str, data_type: str, api_writable: bool) -> dict[str, Any]:
    name = full_name.split(".")[-1]
    return {
        "type": "data_attribute",
        "name": name,
        "full_name": full_name,
        "label": re.sub("[._]", " ", full_name).capitalize(),
        "data_type": data_type,
        "api_writable": api_writable,
        "ui_writable": False,
        "messenger_writable": False,
        "custom": False,
        "archived": False,
        "model": model,
    }


def _validated_options(options: Any) -> list[Any]:
    values = (
        [option.get("value") if isinstance(option, dict) else option for option in options]
        if isinstance(options, list)
        else []
    )
    if len(values) < 2 or not all(isinstance(value, str) for value in values):
        raise invalid("You must have at least two options on a list type data attribute")
    return values


def _allowed(character: str) -> bool:
    return character.isalnum() or character in " _-" or unicodedata.category(character) == "Sc"
