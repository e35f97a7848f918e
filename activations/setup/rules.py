"""PURE. Validates the configuration of an activation before anything is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations import text_template
from activations.setup.attached import rules as attached
from core.errors import Misconfigured
from destinations.contract import Field, NewField, Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from activations.setup.spec import ActivationSpec


def offline(spec: ActivationSpec) -> Iterator[Misconfigured]:
    """Problems that can be found without the vendor: kinds, modes, columns, duplicate targets."""
    service = spec.service
    if service.platform.slug != spec.platform:
        yield _wrong(
            "service_platform", f"{service.label} does not belong to the platform of this connection.", "service"
        )
    if spec.model_kind not in service.accepts:
        kinds = " or ".join(service.accepts)
        yield _wrong("model_kind", f"{service.label} accepts models of kind {kinds}, not {spec.model_kind}.", "model")
    if spec.mode not in service.modes:
        allowed = ", ".join(service.modes)
        yield _wrong("mode", f"{service.label} has no mode “{spec.mode}”. Choose one of: {allowed}.", "mode")
    yield from _columns(spec)
    yield from _targets(spec)
    yield from _policies(spec)
    yield from attached.problems(spec)


def online(spec: ActivationSpec, fields: Sequence[Field]) -> Iterator[Misconfigured]:
    """Problems by the destination's fields: an unusable match, and missing or read-only attributes."""
    by_name = {field.name: field for field in fields}
    match = by_name.get(spec.match_field)
    if match is None or not match.matchable:
        yield unusable_match(spec.service, spec.match_field, fields)
    for row in spec.mappings:
        field = by_name.get(row.target)
        if not row.custom_attribute and (problem := unusable_attribute(field, row.target)):
            yield problem
        if row.country and field and not spec.service.takes_country(field):
            message = f"“{row.target}” takes no phone numbers, so its mapping has no country. Remove the country."
            yield _wrong("country", message, row.target)
    yield from new_field_problems(spec, fields)


def new_field_problems(spec: ActivationSpec, fields: Sequence[Field]) -> Iterator[Misconfigured]:
    """Why the custom attributes can't all be created.

    Args:
        fields: those of the destination as far as they are known. Without them, names and types are checked, but not
            whether an attribute exists already, under a name that could not be created today.
    """
    for sentence in spec.service.check_new_fields(fields, new_fields(spec)):
        yield _wrong("custom_attribute", sentence, "custom_attributes")


def unusable_match(service: Service, name: str, fields: Sequence[Field]) -> Misconfigured:
    """The problem of a match attribute that is missing or can't identify records, with those that can."""
    usable = ", ".join(field.name for field in fields if field.matchable)
    advice = f"Choose one of: {usable}." if usable else f"No attribute can. {service.match_advice}".strip()
    return _wrong(
        "match_field", f"The attribute “{name}” can't identify records at this destination. {advice}", "match"
    )


def unusable_attribute(field: Field | None, target: str) -> Misconfigured | None:
    """Why a mapped attribute can't be written; None if it can."""
    if field is None:
        message = (
            f"The destination has no attribute “{target}”, or it is archived there. "
            "Create or restore it, or map a different one."
        )
        return _wrong("attribute_missing", message, target)
    if not field.writable:
        reason = field.read_only_reason or "The destination does not allow writing it."
        return _wrong("attribute_read_only", f"The attribute “{target}” is read-only. {reason}", target)
    return None


def new_fields(spec: ActivationSpec) -> list[NewField]:
    """The custom attributes that the activation wants, with the type of their column."""
    return [NewField(row.target, spec.columns[row.column]) for row in spec.mappings
            if row.custom_attribute and row.column in spec.columns]  # fmt: skip


def _columns(spec: ActivationSpec) -> Iterator[Misconfigured]:
    wanted = [spec.match_column, *(row.column for row in spec.mappings if row.column)]
    for name in dict.fromkeys(wanted):
        if name not in spec.columns:
            known = ", ".join(spec.columns) or "none"
            yield _wrong("column_unknown", f"The model has no column “{name}”. It has: {known}.", name)
    for row in spec.mappings:
        try:
            if row.template:
                text_template.check(row.template, spec.columns)
        except Misconfigured as problem:
            yield _wrong("template", problem.message, row.target)
    if spec.match_column in spec.computed:
        message = (
            f"“{spec.match_column}” is a computed field, which can change when other rows do. "
            "Match records by a column of the source."
        )
        yield _wrong("match_computed", message, spec.match_column)


def _targets(spec: ActivationSpec) -> Iterator[Misconfigured]:
    targets: set[str] = set()
    for row in spec.mappings:
        if row.target == spec.match_field:
            yield _wrong(
                "match_mapped",
                f"“{row.target}” is the match attribute. It is always sent, and can't be mapped again.",
                row.target,
            )
        if row.target in targets:
            yield _wrong("target_twice", f"The attribute “{row.target}” is mapped twice.", row.target)
        targets.add(row.target)
        if row.custom_attribute and not spec.service.creates_fields:
            yield _wrong("custom_attributes", f"{spec.service.label} doesn't support custom attributes.", row.target)
    for target, sentence in spec.service.contradictions(targets):
        yield _wrong("mapped_together", sentence, target)


def _policies(spec: ActivationSpec) -> Iterator[Misconfigured]:
    """Write policies that need the values of records, which not every service can read."""
    for row in spec.mappings:
        if row.policy in ("if_empty", "restore") and not spec.service.compares:
            message = (
                f"{spec.service.label} can't read what its records hold, so “{row.target}” can be written always or "
                "only when the record is created."
            )
            yield _wrong("policy_unreadable", message, row.target)


def _wrong(code: str, message: str, where: str) -> Misconfigured:
    return Misconfigured(code, message, where=where)
