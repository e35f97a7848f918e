"""The data attributes of a simulated Intercom workspace, with the vendor's rules and its words for breaking them."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Any

from destinations.services.intercom.sandbox.rules import Refused, bad_parameter, invalid

if TYPE_CHECKING:
    from collections.abc import Mapping

MODELS = ("company", "contact")
DATA_TYPES = ("string", "integer", "float", "boolean", "date", "datetime", "options")
READ_AS = {"datetime": "date", "options": "string"}
CHANGEABLE = {"archived", "description", "options", "messenger_writable"}
CREATABLE = CHANGEABLE - {"archived"} | {"name", "model", "data_type"}
LIMIT = 250

STANDARD = (
    # full name, data type, writable by the API
    ("name", "string", True), ("company_id", "string", False), ("remote_created_at", "date", True), ("monthly_spend", "float", True),
    ("size", "integer", True), ("industry", "string", True), ("website", "string", True), ("last_request_at", "date", False),
    ("user_count", "integer", False), ("session_count", "integer", False), ("plan.name", "string", False), ("plan.id", "string", False),
    ("id", "string", False), ("created_at", "date", False), ("updated_at", "date", False), ("app_id", "string", False),
)  # fmt: skip
CONTACT_STANDARD = (
    ("id", "string", False), ("email", "string", True), ("external_id", "string", True), ("name", "string", True),
    ("phone", "string", True), ("owner_id", "integer", True), ("signed_up_at", "date", True), ("last_seen_at", "date", True),
    ("unsubscribed_from_emails", "boolean", True), ("created_at", "date", False), ("updated_at", "date", False),
)  # fmt: skip


class DataAttributes:
    """Standard and custom attributes of both models.

    Switches: `attribute_limit` (250), `archived_count` (false: archived ones leave room), `attribute_exists` (how a taken name is
    refused: `text`, `code` or `conflict`), `limit_status` (400), `unarchive` (`accept`, `refuse` or `ignore`: whether
    `archived: false` brings one back), `dependent_attributes` (names that can't be archived).
    """

    def __init__(self, switches: Mapping[str, Any]) -> None:
        self.switches = switches
        self.customs: list[dict[str, Any]] = []
        self.standard = {
            "company": [_standard("company", *row) for row in STANDARD],
            "contact": [_standard("contact", *row) for row in CONTACT_STANDARD],
        }

    def listed(self, model: str, *, archived: bool) -> list[dict[str, Any]]:
        """As `GET /data_attributes` lists them."""
        customs = [entry for entry in self.customs if entry["model"] == model and (archived or not entry["archived"])]
        return [dict(entry) for entry in (*self.standard.get(model, ()), *customs)]

    def active(self, name: str, model: str = "company") -> dict[str, Any] | None:
        """The custom attribute of the model that values can be written to."""
        return next(
            (
                entry
                for entry in self.customs
                if entry["name"] == name and entry["model"] == model and not entry["archived"]
            ),
            None,
        )

    def described(self, model: str) -> list[dict[str, Any]]:
        """Name and type of every attribute of a model, archived ones too."""
        standard = [
            {"name": entry["full_name"], "type": entry["data_type"], "archived": False, "fixed": True}
            for entry in self.standard[model]
        ]
        customs = [entry for entry in self.customs if entry["model"] == model]
        return standard + [
            {"name": entry["name"], "type": entry["data_type"], "archived": entry["archived"], "fixed": False}
            for entry in customs
        ]

    def set_archived(self, model: str, name: str, archived: bool) -> None:
        """As a person does it in Intercom. Raises KeyError where there is no such custom attribute."""
        for entry in self.customs:
            if (entry["model"], entry["name"]) == (model, name):
                entry["archived"] = archived
                return
        raise KeyError(name)

    def create(self, wanted: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Creates a custom attribute.

        Raises:
            Refused: the name, the model, the type, the options or the limit.
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
            options = _checked_options(options)
        self._check_limit()
        return self.add({**wanted, "data_type": READ_AS.get(str(kind), kind), "options": options}, now)

    def add(self, entry: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Stores an attribute as it is, unchecked; for preparing a workspace."""
        options = [option["value"] if isinstance(option, dict) else option for option in entry.get("options") or ()]
        made = {
            "id": len(self.customs) + 34,
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
                made[key] = value
        self.customs.append(made)
        return dict(made)

    def change(self, number: str, wanted: Mapping[str, Any], now: int) -> dict[str, Any]:
        """Changes what can be changed; the name and the type can't.

        Raises:
            Refused: no such attribute, or a change that is not possible.
        """
        entry = next((entry for entry in self.customs if str(entry["id"]) == number), None)
        if entry is None:
            raise Refused(404, "field_not_found", "We couldn't find that data attribute to update")
        for key in wanted:
            if key not in CHANGEABLE:
                raise bad_parameter(key)
        if wanted.get("archived") and entry["name"] in self.switches.get("dependent_attributes", ()):
            raise Refused(422, "data_invalid", "The Data Attribute you are trying to archive has a dependant object")
        changed = dict(wanted)
        if "options" in changed:
            if not isinstance(changed["options"], list):
                raise invalid("Options isn't an array")
            changed["options"] = _checked_options(changed["options"])
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
            words = "company" if model == "company" else "people"
            raise invalid(
                f"'{name}' is one of our standard attributes for your {words} data. To save this as new {words} data, use a different name."
            )
        for entry in self.customs:
            if entry["name"] == name:
                raise self._taken(name, entry["model"], model)

    def _taken(self, name: str, owner: str, model: str) -> Refused:
        words = {"company": "company", "contact": "people"}
        text = f"You already have '{name}' in your {words[owner]} data. To save this as new {words[model]} data, use a different name."
        form = self.switches.get("attribute_exists", "text")
        if form == "conflict":
            return Refused(409, "conflict", text)
        return Refused(400, "attribute_already_exists" if form == "code" else "parameter_invalid", text)

    def _check_limit(self) -> None:
        counted = [entry for entry in self.customs if self.switches.get("archived_count") or not entry["archived"]]
        if len(counted) >= self.switches.get("attribute_limit", LIMIT):
            raise Refused(
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


def _checked_options(options: Any) -> list[Any]:
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
