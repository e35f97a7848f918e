"""New custom attributes: the reasons why they can't be created (PURE), and creating them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import Misconfigured, Unavailable
from destinations.services.intercom.attributes import COMPANY, Model, other_model, to_field, to_fields

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

    from destinations.contract import Field, NewField

CUSTOM_LIMIT = 250
"""Custom attributes in a workspace, those of companies and contacts together."""

DATA_TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "float",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "date",
}
"""Column type → data type of the attribute that is created for it."""
FITTING = {
    "string": frozenset(DATA_TYPES),
    "integer": frozenset({"integer"}),
    "float": frozenset({"integer", "number"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date", "timestamp"}),
    "datetime": frozenset({"date", "timestamp"}),
}
"""Data type of an existing attribute → column types whose values all fit."""


class AttributeCalls(Protocol):
    """The part of the client that `prepare` uses."""

    def attributes(self, model: str) -> list[dict[str, Any]]: ...
    def create_attribute(self, name: str, data_type: str, model: str) -> dict[str, Any]: ...
    def unarchive_attribute(self, attribute_id: Any) -> dict[str, Any]: ...


def obstacles(known: Sequence[Field], wanted: Sequence[NewField], model: Model = COMPANY) -> Iterator[str]:
    """Why `wanted` can't all be custom attributes of the model, one sentence for each reason."""
    existing = _custom_fields(known, model)
    other = other_model(model)
    other_names = {field.config["name"] for field in known if field.custom and field.config.get("model") == other.name}
    standard = {field.config["name"] for field in known if not field.custom and field.config.get("model") == model.name}
    added = 0
    for new in {new.name: new for new in wanted}.values():
        present = existing.get(new.name)
        sentence = _type_obstacle(new, present) or (
            _read_only_obstacle(present)
            if present
            else _name_obstacle(new.name, standard | set(model.standard), other_names, other)
        )
        if sentence:
            yield sentence
        elif present is None or present.config.get("archived"):
            added += 1
    used = sum(1 for field in known if field.custom and not field.config.get("archived"))
    if added and used + added > CUSTOM_LIMIT:
        yield (
            f"Intercom allows {CUSTOM_LIMIT} custom attributes. The workspace uses {used}, and this needs {added} "
            "more. Archive some in Intercom, or choose fewer columns."
        )


def prepare(
    client: AttributeCalls, known: Sequence[Field], wanted: Sequence[NewField], model: Model = COMPANY
) -> list[Field]:
    """Creates missing attributes and unarchives archived ones: selecting an archived one is consent to unarchive it.

    Returns:
        The updated fields in their order, new ones last.

    Raises:
        Misconfigured: an attribute can't be created or unarchived; the message names it and the reason.
        Unavailable: Intercom does not answer.
    """
    for sentence in obstacles(known, wanted, model):
        raise Misconfigured("custom_attribute", sentence, where="custom_attributes")
    fields = {field.name: field for field in known}
    for new in {new.name: new for new in wanted}.values():
        present = fields.get(new.name)
        if present is None or present.config.get("archived"):
            fields[new.name] = _create_or_unarchive(client, new, present, model)
    return list(fields.values())


def planned_field(new: NewField, model: Model = COMPANY) -> Field:
    """The attribute as it would be created."""
    return to_field({"name": new.name, "data_type": DATA_TYPES[new.type], "custom": True, "api_writable": True}, model)


def _create_or_unarchive(client: AttributeCalls, new: NewField, archived: Field | None, model: Model) -> Field:
    try:
        if archived:
            entry = client.unarchive_attribute(archived.config["id"])
        else:
            entry = client.create_attribute(new.name, DATA_TYPES[new.type], model.name)
    except (Misconfigured, Unavailable) as problem:
        # A concurrent run may have created it, or an earlier request whose answer was lost.
        existing = _custom_fields(to_fields(client.attributes(model.name), (), model), model).get(new.name)
        if existing is None or not existing.writable:
            raise _with_attribute_name(new, problem, "unarchived" if archived else "created") from None
        field = existing
    else:
        field = to_field(entry, model)
    sentence = (
        _type_obstacle(new, field)
        or _read_only_obstacle(field)
        or ("" if field.writable else _STILL_ARCHIVED.format(new.name))
    )
    if sentence:
        raise Misconfigured("custom_attribute", sentence, where=new.name)
    return field


_STILL_ARCHIVED = "The custom attribute “{}” is still archived in Intercom. Unarchive it there, or remove the column."


def _with_attribute_name(
    new: NewField, problem: Misconfigured | Unavailable, action: str
) -> Misconfigured | Unavailable:
    if isinstance(problem, Misconfigured) and problem.where != "token":
        text = f"The custom attribute “{new.name}” can't be {action} in Intercom. {problem.message}"
        return Misconfigured(problem.code, text, detail=problem.detail, where=new.name)
    return problem


def _custom_fields(known: Iterable[Field], model: Model) -> dict[str, Field]:
    return {field.config["name"]: field for field in known if field.custom and field.config.get("model") == model.name}


def _type_obstacle(new: NewField, present: Field | None) -> str:
    if new.type not in DATA_TYPES:
        return (
            f"The column “{new.name}” has values of type {new.type}. "
            "Custom attributes in Intercom accept only single values, not lists or objects."
        )
    if present and present.type in FITTING and new.type not in FITTING[present.type]:
        return (
            f"The custom attribute “{new.name}” in Intercom is of type {present.type}, but the column has {new.type} "
            "values. Intercom can't change the type: rename the column, or convert it in the model."
        )
    return ""


def _read_only_obstacle(present: Field) -> str:
    if present.writable or present.config.get("archived"):
        return ""
    name = present.config["name"]
    return f"The custom attribute “{name}” exists in Intercom but can't be written. {present.read_only_reason}"


def _name_obstacle(name: str, standard: Set[str], other_names: Set[str], other: Model) -> str:
    """Why a new attribute can't have this name: invalid characters, a standard attribute, or one of the other model."""
    if not name.strip() or name != name.strip() or not all(_allowed(character) for character in name):
        return (
            f"“{name}” is not a valid name for a custom attribute in Intercom: names can contain only letters, digits, "
            "spaces, underscores, hyphens and currency symbols, and can't start or end with a space. "
            "Rename the column in the model."
        )
    if name in standard:
        return (
            f"“{name}” is one of Intercom's standard attributes. Map the column to it if it can be written, "
            "or rename the column."
        )
    if name in other_names:
        return (
            f"“{name}” is already a custom attribute of {other.plural} in Intercom, and names must be unique across "
            "companies and contacts. Rename the column."
        )
    return ""


def _allowed(character: str) -> bool:
    return character.isalnum() or character in " _-" or unicodedata.category(character) == "Sc"
