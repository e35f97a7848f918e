"""PURE. Intercom's data attributes as fields.

A standard attribute goes by its name in the API (`plan`, `size`), a custom one by its bare name. Names that can't be written
through this service are listed too, under names that no custom attribute can have (they hold a dot), because a name is
taken for good: archived ones as they are, those of the other model as `contact.NAME`. `config` says which is which:

    model      `company` or `contact`, whose attribute it is
    name       the bare name
    id         Intercom's number of a custom attribute
    archived   true where it is archived
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from destinations.contract import Field, Option
from destinations.services.intercom.values.conversion import TYPES

MATCH = "company_id"
STANDARD = {
    "name": ("string", "Company name"),
    MATCH: ("string", "Company ID"),
    "plan": ("string", "Plan"),
    "size": ("integer", "Company size"),
    "website": ("string", "Company website"),
    "industry": ("string", "Company industry"),
    "monthly_spend": ("float", "Monthly spend"),
    "remote_created_at": ("date", "Company created at"),
}
"""What `POST /companies` takes of every workspace, besides custom attributes."""
CONTACT_STANDARD = {
    "external_id": ("string", "External ID"),
    "email": ("string", "Email"),
    "role": ("string", "Role"),
    "name": ("string", "Name"),
    "phone": ("string", "Phone"),
    "avatar": ("string", "Avatar (the address of an image)"),
    "signed_up_at": ("date", "Signed up at"),
    "last_seen_at": ("date", "Last seen at"),
    "owner_id": ("integer", "Owner (the number of an admin)"),
    "unsubscribed_from_emails": ("boolean", "Unsubscribed from emails"),
}
"""What `POST /contacts` takes: https://developers.intercom.com/docs/references/rest-api/api.intercom.io/contacts/createcontact"""
Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Model:
    """What Intercom keeps attributes of, and what of it can be written in every workspace.

    Args:
        name, plural: Intercom's word, and the one for sentences.
        standard: the attributes that a request takes: name → type and label.
        matches: those that records are found by.
        fixed: those that never change.
        listed_as: the name in Intercom's list → the name in a request; these can be written whatever the list says.
        options: the allowed values of a standard attribute.
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


# Intercom lists the plan's name as read-only, yet takes it as `plan`.
COMPANY = Model("company", "companies", STANDARD, frozenset({MATCH}), frozenset({MATCH}), {"plan.name": "plan"})
CONTACT = Model(
    "contact",
    "contacts",
    CONTACT_STANDARD,
    frozenset({"email", "external_id"}),
    listed_as={name: name for name in ("email", "external_id", "role")},
    options={"role": ("user", "lead")},
)


def fields(own: Iterable[Entry], others: Iterable[Entry], model: Model = COMPANY) -> list[Field]:
    """The fields of a workspace from its two lists of attributes, those of `model` and those of the other one, both with archived ones."""
    found: dict[str, Field] = {}
    own = list(own)
    reserved = frozenset(model.standard) | {_standard_name(entry, model) for entry in own if not _is_custom(entry)}
    for entry in own:
        made = own_field(entry, model, reserved)
        if made.name not in found or found[made.name].config.get("archived"):
            found[made.name] = made
    for name, (kind, label) in model.standard.items():
        found.setdefault(name, _standard(model, name, kind, label, writable=name in model.writable))
    for entry in others:
        made = _other_field(entry, other(model), model)
        found.setdefault(made.name, made)
    return list(found.values())


def other(model: Model) -> Model:
    """The model that shares the names of custom attributes with this one."""
    return CONTACT if model is COMPANY else COMPANY


def own_field(entry: Entry, model: Model = COMPANY, reserved: frozenset[str] = frozenset()) -> Field:
    """One attribute of the model. `reserved` are the names of standard ones, under which no custom one can be mapped."""
    if _is_custom(entry):
        return _custom(entry, model, shadowed=str(entry.get("name")) in reserved | frozenset(model.standard))
    name = _standard_name(entry, model)
    kind, label = str(entry.get("data_type") or "string"), str(entry.get("label") or name)
    writable = name in model.writable and bool(entry.get("api_writable", True) or name in model.listed_as.values())
    return _standard(model, name, model.standard[name][0] if name in model.standard else kind, label, writable=writable)


def _custom(entry: Entry, model: Model, *, shadowed: bool) -> Field:
    name, kind = str(entry.get("name")), str(entry.get("data_type") or "string")
    archived = bool(entry.get("archived"))
    reason = _read_only_reason(entry, kind, shadowed=shadowed)
    return Field(
        name=f"custom_attributes.{name}" if shadowed else name,
        label=str(entry.get("label") or name),
        type=kind,
        writable=not reason,
        options=_options(entry),
        read_only_reason=reason,
        custom=True,
        config={"model": model.name, "name": name, "id": entry.get("id"), **({"archived": True} if archived else {})},
    )


def _read_only_reason(entry: Entry, kind: str, *, shadowed: bool) -> str:
    if entry.get("archived"):
        return "It is archived in Intercom. Chosen as a custom attribute it is brought back; else un-archive it there, or map another one."
    if shadowed:
        # Nothing tells the two apart in a mapping, so the standard one keeps the name.
        return "Its name is that of an attribute of Intercom's own."
    if kind not in TYPES:
        return f"It holds values of the kind {kind!r}, which can't be written here."
    return "" if entry.get("api_writable", True) else "Intercom does not let it be written by the API."


def _is_custom(entry: Entry) -> bool:
    return bool(entry.get("custom")) or str(entry.get("full_name")).startswith("custom_attributes.")


def _standard_name(entry: Entry, model: Model) -> str:
    listed = str(entry.get("full_name") or entry.get("name") or "")
    return model.listed_as.get(listed, listed)


def _standard(model: Model, name: str, kind: str, label: str, *, writable: bool) -> Field:
    fixed = f"It identifies the {model.name} and can't be changed."
    reason = fixed if name in model.fixed else "" if writable else "Intercom keeps it itself."
    return Field(
        name=name,
        label=label,
        type=kind,
        writable=writable,
        unique=name in model.matches,
        matchable=name in model.matches,
        options=tuple(Option(value, value) for value in model.options.get(name, ())),
        read_only_reason=reason,
        config={"model": model.name, "name": name},
    )


def _other_field(entry: Entry, theirs: Model, ours: Model) -> Field:
    custom, bare = _is_custom(entry), str(entry.get("name"))
    name = bare if custom else str(entry.get("full_name") or bare)
    return Field(
        name=f"{theirs.name}.{name}",
        label=str(entry.get("label") or bare),
        type=str(entry.get("data_type") or "string"),
        writable=False,
        read_only_reason=f"It belongs to {theirs.plural}, not to {ours.plural}.",
        custom=custom,
        config={"model": theirs.name, "name": name, **({"archived": True} if entry.get("archived") else {})},
    )


def _options(entry: Entry) -> tuple[Option, ...]:
    """The options of a list attribute: plain texts as they are read, objects as they are written."""
    listed = entry.get("options")
    values = (
        [option.get("value") if isinstance(option, dict) else option for option in listed]
        if isinstance(listed, list)
        else []
    )
    return tuple(Option(str(value), str(value)) for value in values if value is not None)
