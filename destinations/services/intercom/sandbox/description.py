"""How the simulator describes its attributes and records to its page and to the conformance suite.

Attributes are named as in requests, and what can be written is what the reference of each endpoint accepts, which is
more than `GET /data_attributes` marks as writable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.services.intercom.sandbox.companies import CREATABLE
from destinations.services.intercom.sandbox.contacts import ROLES, TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from destinations.services.intercom.sandbox.attributes import DataAttributes

LISTED_AS = {"plan.name": "plan"}
LINK = "company"
"""The company of a contact: written by requests of its own, and so in no list of attributes."""
ACCEPTED = {"company": CREATABLE - {"company_id", "custom_attributes"}, "contact": frozenset({*TYPES, LINK})}
UNIQUE = {"company": {"company_id"}, "contact": {"email", "external_id"}}


def attributes(model: str, known: DataAttributes) -> list[dict[str, Any]]:
    """Every attribute of a model, including archived ones."""
    types = {
        LISTED_AS.get(entry["full_name"], entry["full_name"]): entry["data_type"] for entry in known.standard[model]
    }
    types |= {name: "string" for name in ACCEPTED[model] if name not in types}
    if model == "contact":
        types[LINK] = LINK
    return [_standard(model, name, data_type) for name, data_type in types.items()] + [
        {
            "name": entry["name"],
            "type": entry["data_type"],
            "archived": entry["archived"],
            "fixed": False,
            "writable": entry["api_writable"],
            **({"options": entry["options"]} if "options" in entry else {}),
        }
        for entry in known.custom
        if entry["model"] == model
    ]


def company_values(company: Mapping[str, Any]) -> dict[str, Any]:
    """The stored values of a company by attribute."""
    return {**company, "plan": company["plan"].get("name"), **company["custom_attributes"]}


def contact_values(contact: Mapping[str, Any], company_ids: Sequence[str]) -> dict[str, Any]:
    """The stored values of a contact by attribute, with the `company_id` of each company that it is attached to."""
    return {**contact, **contact["custom_attributes"], LINK: list(company_ids)}


def nested(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Values by attribute, with custom ones where the API has them."""
    standard = CREATABLE if kind == "companies" else TYPES
    custom = {name: value for name, value in values.items() if name not in standard}
    return {**{name: values[name] for name in values.keys() & set(standard)}, "custom_attributes": custom}


def _standard(model: str, name: str, data_type: str) -> dict[str, Any]:
    role = {"clearable": False, "options": list(ROLES)} if (model, name) == ("contact", "role") else {}
    return {
        "name": name,
        "type": data_type,
        "archived": False,
        "fixed": True,
        "writable": name in ACCEPTED[model],
        "unique": name in UNIQUE[model],
        **role,
    }
