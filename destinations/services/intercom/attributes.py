"""PURE. Intercom's data attributes as fields.

A standard attribute goes by its name in the API (`plan`, `size`), a custom one by its bare name. Names that can't be written
through this service are listed too, under names that no company attribute can have (they hold a dot), because a name is
taken for good: archived ones as they are, those of contacts as `contact.NAME`. `config` says which is which:

    model      `company` or `contact`
    name       the bare name
    id         Intercom's number of a custom attribute
    archived   true where it is archived
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from destinations.contract import Field, Option
from destinations.services.intercom.values import TYPES

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
WRITABLE = frozenset(STANDARD) - {MATCH}
LISTED_AS = {"plan.name": "plan"}
Entry = Mapping[str, Any]


def fields(company: Iterable[Entry], contact: Iterable[Entry]) -> list[Field]:
    """The fields of a workspace from its two lists of attributes, both with archived ones."""
    found: dict[str, Field] = {}
    company = list(company)
    reserved = frozenset(STANDARD) | {_standard_name(entry) for entry in company if not _is_custom(entry)}
    for entry in company:
        made = company_field(entry, reserved)
        if made.name not in found or found[made.name].config.get("archived"):
            found[made.name] = made
    for name, (kind, label) in STANDARD.items():
        found.setdefault(name, _standard(name, kind, label, writable=name in WRITABLE))
    for entry in contact:
        made = _contact_field(entry)
        found.setdefault(made.name, made)
    return list(found.values())


def company_field(entry: Entry, reserved: frozenset[str] = frozenset(STANDARD)) -> Field:
    """One attribute of companies. `reserved` are the names of standard ones, under which no custom one can be mapped."""
    if _is_custom(entry):
        return _custom(entry, shadowed=str(entry.get("name")) in reserved)
    name = _standard_name(entry)
    kind, label = str(entry.get("data_type") or "string"), str(entry.get("label") or name)
    # Intercom lists the plan's name as read-only, yet takes it as `plan`.
    writable = name in WRITABLE and bool(entry.get("api_writable", True) or name in LISTED_AS.values())
    return _standard(name, STANDARD[name][0] if name in STANDARD else kind, label, writable=writable)


def _custom(entry: Entry, *, shadowed: bool) -> Field:
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
        config={"model": "company", "name": name, "id": entry.get("id"), **({"archived": True} if archived else {})},
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


def _standard_name(entry: Entry) -> str:
    listed = str(entry.get("full_name") or entry.get("name") or "")
    return LISTED_AS.get(listed, listed)


def _standard(name: str, kind: str, label: str, *, writable: bool) -> Field:
    is_match = name == MATCH
    reason = "It identifies the company and can't be changed." if is_match else "" if writable else "Intercom keeps it itself."
    return Field(
        name=name,
        label=label,
        type=kind,
        writable=writable,
        unique=is_match,
        matchable=is_match,
        read_only_reason=reason,
        config={"model": "company", "name": name},
    )


def _contact_field(entry: Entry) -> Field:
    custom, bare = _is_custom(entry), str(entry.get("name"))
    name = bare if custom else str(entry.get("full_name") or bare)
    return Field(
        name=f"contact.{name}",
        label=str(entry.get("label") or bare),
        type=str(entry.get("data_type") or "string"),
        writable=False,
        read_only_reason="It belongs to contacts, not to companies.",
        custom=custom,
        config={"model": "contact", "name": name, **({"archived": True} if entry.get("archived") else {})},
    )


def _options(entry: Entry) -> tuple[Option, ...]:
    """The options of a list attribute: plain texts as they are read, objects as they are written."""
    listed = entry.get("options")
    values = [option.get("value") if isinstance(option, dict) else option for option in listed] if isinstance(listed, list) else []
    return tuple(Option(str(value), str(value)) for value in values if value is not None)
