"""What became of mapped attributes since they were mapped: gone, read-only, or of another type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Activation, FieldMapping
from core.errors import Misconfigured
from destinations import discovery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from destinations.contract import Field


def unusable(found: Field | None, target: str) -> Misconfigured | None:
    """PURE. Why a mapped attribute can't be written, None where it can."""
    if found is None:
        return Misconfigured(
            "attribute_missing",
            f"The destination has no attribute {target!r} (any more). Create it there, or map another one. "
            "Until then it is left out, and all other attributes are sent.",
            where=target,
        )
    if not found.writable:
        reason = found.read_only_reason or "The destination does not let it be written."
        return Misconfigured(
            "attribute_read_only", f"The attribute {target!r} is read-only: {reason} It is left out.", where=target
        )
    return None


def retyped(found: Field, before: str) -> Misconfigured | None:
    """PURE. That an attribute has another type than when it was mapped; None where it has not, or nobody knows."""
    now = discovery.kind(found)
    if not before or before == now:
        return None
    return Misconfigured(
        "attribute_changed",
        f"The attribute {found.name!r} was {before} when it was mapped, and is {now} now. Values that don't fit make their rows invalid. "
        "Look at its mapping, and save the activation to confirm it, or apply its workspace file with --yes.",
        where=found.name,
    )


def warning(mapping: FieldMapping, fields: Sequence[Field]) -> str:
    """PURE. What a person should know about a mapping, by the fields as they were found last; "" where all is well."""
    found = next((field for field in fields if field.name == mapping.target), None)
    problem = unusable(found, mapping.target) or (found and retyped(found, mapping.target_type))
    return problem.message if problem else ""


def unconfirmed(activation: Activation) -> list[Misconfigured]:
    """The mapped attributes that nobody has seen with the type that they were found with last. The vendor is not asked."""
    kept = discovery.cached(activation.destination)
    by_name = {field.name: field for field in kept.fields} if kept else {}
    pairs = [
        (by_name[mapping.target], mapping.target_type)
        for mapping in activation.mappings.all()
        if mapping.target in by_name
    ]
    return [problem for found, before in pairs if (problem := retyped(found, before))]


def confirm_found(activation: Activation) -> None:
    """As `confirm`, with the types as they were found last."""
    if kept := discovery.cached(activation.destination):
        confirm(activation, kept.fields)


def confirm(activation: Activation, fields: Sequence[Field]) -> None:
    """Notes the types that the mapped attributes have now: a person has seen them."""
    kinds = {field.name: discovery.kind(field) for field in fields}
    for mapping in activation.mappings.all():
        _note(mapping, kinds.get(mapping.target, mapping.target_type))


def first_seen(mapping: FieldMapping, found: Field, differences: Sequence[discovery.Difference]) -> str:
    """The type that the attribute was mapped with, noted now where nobody did before."""
    if not mapping.target_type:
        _note(
            mapping,
            next((one.before for one in differences if one.name == found.name and one.before), discovery.kind(found)),
        )
    return mapping.target_type


def _note(mapping: FieldMapping, kind: str) -> None:
    if mapping.target_type != kind:
        mapping.target_type = kind
        FieldMapping.objects.filter(pk=mapping.pk).update(target_type=kind)
