"""PURE. What stands against an activation as it is configured, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from destinations.contract import Field, NewField, Service
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from activations.models import Activation


@dataclass(frozen=True)
class MappingRow:
    """One field mapping, saved or not."""

    target: str
    column: str = ""
    value: Any = None
    custom_attribute: bool = False


@dataclass(frozen=True)
class Plan:
    """An activation's configuration, saved or not."""

    service: Service
    platform: str
    model_kind: str
    mode: str
    columns: Mapping[str, str]
    match_column: str
    match_field: str
    mappings: Sequence[MappingRow]
    computed: Collection[str] = ()
    """The columns that are worked out, which can't tell records apart."""


def offline(plan: Plan) -> Iterator[Misconfigured]:
    """What is wrong that can be seen without asking the vendor: kinds, modes, columns, doubled targets."""
    service = plan.service
    if service.platform.slug != plan.platform:
        yield _wrong(
            "service_platform", f"{service.label} does not belong to the platform of this connection.", "service"
        )
    if plan.model_kind not in service.accepts:
        kinds = " or ".join(service.accepts)
        yield _wrong("model_kind", f"{service.label} takes models of kind {kinds}, not {plan.model_kind}.", "model")
    if plan.mode not in service.modes:
        allowed = ", ".join(service.modes)
        yield _wrong("mode", f"{service.label} has no mode {plan.mode!r}. Choose one of: {allowed}.", "mode")
    yield from _columns(plan)
    yield from _targets(plan)


def online(plan: Plan, fields: Sequence[Field]) -> Iterator[Misconfigured]:
    """What the vendor's present fields stand against: an unusable match, missing or read-only attributes."""
    by_name = {field.name: field for field in fields}
    match = by_name.get(plan.match_field)
    if match is None or not match.matchable:
        yield unusable_match(plan.service, plan.match_field, fields)
    for row in plan.mappings:
        if row.custom_attribute:
            continue
        found = by_name.get(row.target)
        if found is None:
            yield missing_attribute(row.target)
        elif not found.writable:
            reason = found.read_only_reason or "The destination does not let it be written."
            yield _wrong("attribute_read_only", f"The attribute {row.target!r} is read-only. {reason}", row.target)
    wanted = new_fields(plan)
    for sentence in plan.service.check_new_fields(fields, wanted):
        yield _wrong("custom_attribute", sentence, "custom_attributes")


def unusable_match(service: Service, name: str, fields: Sequence[Field]) -> Misconfigured:
    """The match field is missing or can't identify records: which ones can, or what to do at the vendor where none can."""
    usable = ", ".join(field.name for field in fields if field.matchable)
    advice = f"Usable: {usable}." if usable else f"Usable: none. {service.match_advice}".strip()
    return _wrong("match_field", f"{name!r} can't identify records at this destination (any more). {advice}", "match")


def missing_attribute(target: str) -> Misconfigured:
    return _wrong(
        "attribute_missing",
        f"The destination has no attribute {target!r} (any more). Create it there, or map another one.",
        target,
    )


def new_fields(plan: Plan) -> list[NewField]:
    """The custom attributes that the activation wants, with the type of their column."""
    return [NewField(row.target, plan.columns[row.column]) for row in plan.mappings
            if row.custom_attribute and row.column in plan.columns]  # fmt: skip


def _columns(plan: Plan) -> Iterator[Misconfigured]:
    wanted = [plan.match_column, *(row.column for row in plan.mappings if row.column)]
    for name in dict.fromkeys(wanted):
        if name not in plan.columns:
            known = ", ".join(plan.columns) or "none"
            yield _wrong("column_unknown", f"The model has no column {name!r}. It has: {known}.", name)
    if plan.match_column in plan.computed:
        message = f"{plan.match_column!r} is a computed field: it can change with other rows. Match records by a column of the source."
        yield _wrong("match_computed", message, plan.match_column)


def _targets(plan: Plan) -> Iterator[Misconfigured]:
    seen: set[str] = set()
    for row in plan.mappings:
        if row.target == plan.match_field:
            yield _wrong(
                "match_mapped", f"{row.target!r} is the match; it is sent anyway and can't be mapped again.", row.target
            )
        if row.target in seen:
            yield _wrong("target_twice", f"The attribute {row.target!r} is mapped twice.", row.target)
        seen.add(row.target)
        if row.custom_attribute and not plan.service.creates_fields:
            yield _wrong("custom_attributes", f"{plan.service.label} has no custom attributes block.", row.target)
    for target, sentence in plan.service.contradictions(seen):
        yield _wrong("mapped_together", sentence, target)


def _wrong(code: str, message: str, where: str) -> Misconfigured:
    return Misconfigured(code, message, where=where)


def described(activation: Activation) -> Plan:
    """The saved configuration of an activation, as the rules take it."""
    model = activation.data_model
    rows = [
        MappingRow(mapping.target, mapping.column, mapping.value, mapping.custom_attribute)
        for mapping in activation.mappings.all()
    ]
    return Plan(
        service=services[activation.destination.service],
        platform=activation.destination.connection.platform,
        model_kind=model.kind,
        mode=activation.mode,
        columns=model.column_types(),
        match_column=activation.match_column,
        match_field=activation.match_field,
        mappings=rows,
        computed=[field.name for field in model.computed_fields()],
    )
