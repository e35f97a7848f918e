"""Schema drift at the destination: mapped attributes that are gone, read-only, or now of a different type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Activation, FieldMapping
from activations.setup import rules
from core.errors import Misconfigured
from destinations import discovery
from destinations.contract import type_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from destinations.contract import Field

LEFT_OUT = "Until then, it is left out, and all other attributes are sent."


def unusable(field: Field | None, target: str) -> Misconfigured | None:
    """PURE. Why runs leave out a mapped attribute; None if they send it."""
    problem = rules.unusable_attribute(field, target)
    return Misconfigured(problem.code, f"{problem.message} {LEFT_OUT}", where=target) if problem else None


def retyped(field: Field, before: str) -> Misconfigured | None:
    """PURE. Reports that the type of an attribute changed since it was mapped. None if it did not, or is unknown."""
    now = discovery.type_label(field)
    if not before or before == now:
        return None
    return Misconfigured(
        "attribute_changed",
        f"The attribute “{field.name}” was {type_words(before)} when it was mapped, and is {type_words(now)} now. "
        "Values that don't fit make their rows invalid. Check its mapping, then save the activation to confirm it, or "
        "apply its workspace file with --yes.",
        where=field.name,
    )


def warning(mapping: FieldMapping, fields: Sequence[Field]) -> str:
    """PURE. What a person should know about a mapping, by the fields of the last discovery; "" if nothing is wrong."""
    field = next((field for field in fields if field.name == mapping.target), None)
    problem = unusable(field, mapping.target) or (field and retyped(field, mapping.target_type))
    return problem.message if problem else ""


def unconfirmed(activation: Activation) -> list[Misconfigured]:
    """The mapped attributes whose type changed and that nobody has confirmed since. Sends no request."""
    last = discovery.cached(activation.destination)
    by_name = {field.name: field for field in last.fields} if last else {}
    pairs = [
        (by_name[mapping.target], mapping.target_type)
        for mapping in activation.mappings.all()
        if mapping.target in by_name
    ]
    return [problem for field, before in pairs if (problem := retyped(field, before))]


def confirm_discovered(activation: Activation) -> None:
    """Like `confirm`, with the types of the last discovery."""
    if last := discovery.cached(activation.destination):
        confirm(activation, last.fields)


def confirm(activation: Activation, fields: Sequence[Field]) -> None:
    """Stores the current types of the mapped attributes, because a person has confirmed them."""
    types = {field.name: discovery.type_label(field) for field in fields}
    for mapping in activation.mappings.all():
        _store_type(mapping, types.get(mapping.target, mapping.target_type))


def store_first_types(
    mappings: Iterable[FieldMapping], fields: Sequence[Field], differences: Sequence[discovery.Difference]
) -> None:
    """Stores the type of each mapped attribute that has none yet: the one before this discovery if it just changed."""
    types = {field.name: discovery.type_label(field) for field in fields}
    types |= {difference.name: difference.before for difference in differences if difference.before}
    for mapping in mappings:
        if not mapping.target_type and mapping.target in types:
            _store_type(mapping, types[mapping.target])


def _store_type(mapping: FieldMapping, type_name: str) -> None:
    if mapping.target_type != type_name:
        mapping.target_type = type_name
        FieldMapping.objects.filter(pk=mapping.pk).update(target_type=type_name)
