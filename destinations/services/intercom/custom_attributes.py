"""New custom attributes: what stands against them (PURE), and creating them."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any, Protocol

from core.errors import Misconfigured, Unavailable
from destinations.services.intercom.fields import COMPANY, Model, fields, other, own_field

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence, Set

    from destinations.contract import Field, NewField

CUSTOM_LIMIT = 250
"""Custom attributes of a workspace, those of contacts included."""

DATA_TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "float",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "date",
}
"""The type of column → the data type of the attribute that is created for it."""
FITTING = {
    "string": frozenset(DATA_TYPES),
    "integer": frozenset({"integer"}),
    "float": frozenset({"integer", "number"}),
    "boolean": frozenset({"boolean"}),
    "date": frozenset({"date", "timestamp"}),
    "datetime": frozenset({"date", "timestamp"}),
}
"""The data type of an attribute that exists → the types of column whose values all fit."""


class AttributeCalls(Protocol):
    """What `prepare` needs of the client."""

    def attributes(self, model: str) -> list[dict[str, Any]]: ...
    def create_attribute(self, name: str, data_type: str, model: str) -> dict[str, Any]: ...
    def unarchive_attribute(self, number: Any) -> dict[str, Any]: ...


def refusals(known: Sequence[Field], wanted: Sequence[NewField], model: Model = COMPANY) -> Iterator[str]:
    """What stands against having all of `wanted` as custom attributes of the model, a sentence each."""
    customs = _customs(known, model)
    theirs = {
        field.config["name"] for field in known if field.custom and field.config.get("model") == other(model).name
    }
    standard = {field.config["name"] for field in known if not field.custom and field.config.get("model") == model.name}
    added = 0
    for new in {new.name: new for new in wanted}.values():
        present = customs.get(new.name)
        sentence = _type_refusal(new, present) or (
            _present_refusal(present)
            if present
            else _name_refusal(new.name, standard | set(model.standard), theirs, other(model))
        )
        if sentence:
            yield sentence
        elif present is None or present.config.get("archived"):
            added += 1
    used = sum(1 for field in known if field.custom and not field.config.get("archived"))
    if added and used + added > CUSTOM_LIMIT:
        yield (
            f"Intercom allows {CUSTOM_LIMIT} custom attributes; the workspace uses {used}, and this needs {added} more. "
            "Archive some in Intercom, or choose fewer columns."
        )


def prepare(
    client: AttributeCalls, known: Sequence[Field], wanted: Sequence[NewField], model: Model = COMPANY
) -> list[Field]:
    """Creates what is missing, and un-archives what is wanted and archived: to want it is to agree to that.

    Returns:
        The fields as they are then, in their order, new ones last.

    Raises:
        Misconfigured: one can't be had; the message names it and says why.
        Unavailable: Intercom does not answer.
    """
    for sentence in refusals(known, wanted, model):
        raise Misconfigured("custom_attribute", sentence, where="custom_attributes")
    found = {field.name: field for field in known}
    for new in {new.name: new for new in wanted}.values():
        present = found.get(new.name)
        if present is None or present.config.get("archived"):
            found[new.name] = _ensure(client, new, present, model)
    return list(found.values())


def planned(new: NewField, model: Model = COMPANY) -> Field:
    """The attribute as it would be created."""
    return own_field({"name": new.name, "data_type": DATA_TYPES[new.type], "custom": True, "api_writable": True}, model)


def _ensure(client: AttributeCalls, new: NewField, archived: Field | None, model: Model) -> Field:
    try:
        if archived:
            entry = client.unarchive_attribute(archived.config["id"])
        else:
            entry = client.create_attribute(new.name, DATA_TYPES[new.type], model.name)
    except (Misconfigured, Unavailable) as problem:
        # Another run may have made it meanwhile, or an earlier request whose answer was lost.
        made = _customs(fields(client.attributes(model.name), (), model), model).get(new.name)
        if made is None or not made.writable:
            raise _named(new, problem, "brought back" if archived else "created") from None
    else:
        made = own_field(entry, model)
    sentence = (
        _type_refusal(new, made)
        or _present_refusal(made)
        or ("" if made.writable else _STILL_ARCHIVED.format(new.name))
    )
    if sentence:
        raise Misconfigured("custom_attribute", sentence, where=new.name)
    return made


_STILL_ARCHIVED = (
    "The custom attribute {!r} is still archived in Intercom. Un-archive it there, or take the column out."
)


def _named(new: NewField, problem: Misconfigured | Unavailable, wanted: str) -> Misconfigured | Unavailable:
    if isinstance(problem, Misconfigured) and problem.where != "token":
        text = f"The custom attribute {new.name!r} can't be {wanted} in Intercom. {problem.message}"
        return Misconfigured(problem.code, text, detail=problem.detail, where=new.name)
    return problem


def _customs(known: Iterable[Field], model: Model) -> dict[str, Field]:
    return {field.config["name"]: field for field in known if field.custom and field.config.get("model") == model.name}


def _type_refusal(new: NewField, present: Field | None) -> str:
    if new.type not in DATA_TYPES:
        return f"The column {new.name!r} holds values of the type {new.type}; a custom attribute of Intercom takes only single plain values."
    if present and present.type in FITTING and new.type not in FITTING[present.type]:
        return (
            f"Intercom has a custom attribute {new.name!r} of the type {present.type}, and the column holds {new.type} values. "
            "Intercom can't change the type: rename the column, or convert it in the model."
        )
    return ""


def _present_refusal(present: Field) -> str:
    if present.writable or present.config.get("archived"):
        return ""
    return f"The custom attribute {present.config['name']!r} exists in Intercom and can't be written. {present.read_only_reason}"


def _name_refusal(name: str, standard: Set[str], theirs: Set[str], owner: Model) -> str:
    """The name stands in the way of a new one: it is that of a standard attribute, or of a custom one of the other model."""
    if not name.strip() or name != name.strip() or not all(_allowed(character) for character in name):
        return (
            f"Intercom takes no custom attribute called {name!r}: names hold only letters, digits, spaces, underscores, hyphens and "
            "currency symbols, and no space at either end. Rename the column in the model."
        )
    if name in standard:
        return f"{name!r} is an attribute of Intercom's own. Map the column to it where it can be written, or rename the column."
    if name in theirs:
        return f"{name!r} is a custom attribute of {owner.plural} in Intercom, and names are unique across both. Rename the column."
    return ""


def _allowed(character: str) -> bool:
    return character.isalnum() or character in " _-" or unicodedata.category(character) == "Sc"
