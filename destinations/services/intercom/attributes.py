"""PURE. Intercom's data attributes as fields.

A standard attribute is named as in the API (`plan`, `size`), a custom one by its bare name. Attributes that can't be
written through this service are listed too, because their names are taken: Intercom never releases a name, and custom
attributes of companies and contacts share one namespace. Archived ones keep their name. Those of the other model are
listed as `contact.NAME` or `company.NAME`: a custom attribute's name can't contain a dot, so the two never collide.
`config` tells them apart:

    model      `company` or `contact`, whichever has the attribute
    name       the bare name
    id         Intercom's ID of a custom attribute
    archived   true if it is archived, otherwise absent
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from destinations.contract import Field, Option
from destinations.services.intercom.values.conversion import TYPES

MATCH = "company_id"
LINK = "company"
"""The `company_id` of the company that a contact is attached to, and the type of this attribute. See `links`."""
COMPANY_STANDARD = {
    "name": ("string", "Company name"),
    MATCH: ("string", "Company ID"),
    "plan": ("string", "Plan"),
    "size": ("integer", "Company size"),
    "website": ("string", "Company website"),
    "industry": ("string", "Company industry"),
    "monthly_spend": ("float", "Monthly spend"),
    "remote_created_at": ("date", "Company created at"),
}
"""What `POST /companies` accepts in every workspace, besides custom attributes."""
CONTACT_STANDARD = {
    "external_id": ("string", "External ID"),
    "email": ("string", "Email"),
    "role": ("string", "Role"),
    "name": ("string", "Name"),
    "phone": ("string", "Phone"),
    "avatar": ("string", "Avatar (image URL)"),
    "signed_up_at": ("date", "Signed up at"),
    "last_seen_at": ("date", "Last seen at"),
    "owner_id": ("integer", "Owner (admin ID)"),
    "unsubscribed_from_emails": ("boolean", "Unsubscribed from emails"),
    LINK: (LINK, "Company"),
}
"""What `POST /contacts` accepts, and the company: https://developers.intercom.com/docs/references/rest-api/api.intercom.io/contacts/createcontact"""
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """A kind of Intercom record, and its attributes that can be written in every workspace.

    Args:
        name, plural: Intercom's name of the model, and its plural for messages.
        standard: the standard attributes that a request accepts: name → type and label.
        matches: the attributes by which records are found.
        fixed: the attributes that never change.
        listed_as: name in Intercom's attribute list → name in a request. These can be written even if listed as
            read-only.
        options: the allowed values of standard attributes.
    """

    name: str
    plural: str
    standard: Mapping[str, tuple[str, str]]
    matches: frozenset[str]
    fixed: frozenset[str] = frozenset()
    listed_as: Mapping[str, str] = dataclasses.field(default_factory=dict)
    options: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)

    @property
    def writable(self) -> frozenset[str]:
        return frozenset(self.standard) - self.fixed


# Intercom lists the plan's name as read-only, but accepts it as `plan`.
COMPANY = Model("company", "companies", COMPANY_STANDARD, frozenset({MATCH}), frozenset({MATCH}), {"plan.name": "plan"})
CONTACT = Model(
    "contact",
    "contacts",
    CONTACT_STANDARD,
    frozenset({"email", "external_id"}),
    listed_as={name: name for name in ("email", "external_id", "role")},
    options={"role": ("user", "lead")},
)


def to_fields(entries: Iterable[Entry], other_entries: Iterable[Entry], model: Model = COMPANY) -> list[Field]:
    """The fields of a workspace.

    Args:
        entries: Intercom's list of the attributes of `model`, including archived ones.
        other_entries: the same list for the other model.
    """
    fields: dict[str, Field] = {}
    entries = list(entries)
    reserved = frozenset(model.standard) | {_standard_name(entry, model) for entry in entries if not _is_custom(entry)}
    for entry in entries:
        field = to_field(entry, model, reserved)
        # An active attribute takes precedence over an archived one with the same name.
        if field.name not in fields or fields[field.name].config.get("archived"):
            fields[field.name] = field
    for name, (data_type, label) in model.standard.items():
        fields.setdefault(name, _standard_field(model, name, data_type, label, writable=name in model.writable))
    for entry in other_entries:
        field = _other_model_field(entry, other_model(model), model)
        fields.setdefault(field.name, field)
    return list(fields.values())


def other_model(model: Model) -> Model:
    """The model whose custom attributes share their names with this one's."""
    return CONTACT if model is COMPANY else COMPANY


def to_field(entry: Entry, model: Model = COMPANY, reserved: frozenset[str] = frozenset()) -> Field:
    """One attribute of the model as a field.

    Args:
        reserved: names of standard attributes. A custom attribute with such a name can't be mapped.
    """
    if _is_custom(entry):
        return _custom_field(entry, model, shadowed=str(entry.get("name")) in reserved | frozenset(model.standard))
    name = _standard_name(entry, model)
    data_type, label = str(entry.get("data_type") or "string"), str(entry.get("label") or name)
    if name in model.standard:
        data_type = model.standard[name][0]
    writable = name in model.writable and bool(entry.get("api_writable", True) or name in model.listed_as.values())
    return _standard_field(model, name, data_type, label, writable=writable)


def _custom_field(entry: Entry, model: Model, *, shadowed: bool) -> Field:
    name, data_type = str(entry.get("name")), str(entry.get("data_type") or "string")
    archived = bool(entry.get("archived"))
    reason = _read_only_reason(entry, data_type, shadowed=shadowed)
    return Field(
        name=f"custom_attributes.{name}" if shadowed else name,
        label=str(entry.get("label") or name),
        type=data_type,
        writable=not reason,
        options=_options(entry),
        read_only_reason=reason,
        custom=True,
        config={"model": model.name, "name": name, "id": entry.get("id"), **({"archived": True} if archived else {})},
    )


def _read_only_reason(entry: Entry, data_type: str, *, shadowed: bool) -> str:
    if entry.get("archived"):
        return (
            "It is archived in Intercom. Select it as a custom attribute to unarchive it, unarchive it in Intercom, "
            "or map a different attribute."
        )
    if shadowed:
        # A mapping has only the name to go by, so the standard attribute keeps it.
        return "It has the same name as one of Intercom's standard attributes."
    if data_type not in TYPES:
        return f"Its type, “{data_type}”, is not supported."
    return "" if entry.get("api_writable", True) else "Intercom does not allow the API to write it."


def _is_custom(entry: Entry) -> bool:
    return bool(entry.get("custom")) or str(entry.get("full_name")).startswith("custom_attributes.")


def _standard_name(entry: Entry, model: Model) -> str:
    listed = str(entry.get("full_name") or entry.get("name") or "")
    return model.listed_as.get(listed, listed)


def _standard_field(model: Model, name: str, data_type: str, label: str, *, writable: bool) -> Field:
    reason = "" if writable else "Intercom maintains it."
    if name in model.fixed:
        reason = f"It identifies the {model.name} and can't be changed."
    return Field(
        name=name,
        label=label,
        type=data_type,
        writable=writable,
        unique=name in model.matches,
        matchable=name in model.matches,
        options=tuple(Option(value, value) for value in model.options.get(name, ())),
        read_only_reason=reason,
        meaning="company id" if name == LINK else "",
        config={"model": model.name, "name": name},
    )


def _other_model_field(entry: Entry, owner: Model, model: Model) -> Field:
    custom, bare = _is_custom(entry), str(entry.get("name"))
    name = bare if custom else str(entry.get("full_name") or bare)
    return Field(
        name=f"{owner.name}.{name}",
        label=str(entry.get("label") or bare),
        type=str(entry.get("data_type") or "string"),
        writable=False,
        read_only_reason=f"It belongs to {owner.plural}, not to {model.plural}.",
        custom=custom,
        config={"model": owner.name, "name": name, **({"archived": True} if entry.get("archived") else {})},
    )


def _options(entry: Entry) -> tuple[Option, ...]:
    """The options of a list attribute. Intercom returns plain strings, but accepts objects, so both forms are read."""
    listed = entry.get("options")
    values = (
        [option.get("value") if isinstance(option, dict) else option for option in listed]
        if isinstance(listed, list)
        else []
    )
    return tuple(Option(str(value), str(value)) for value in values if value is not None)
