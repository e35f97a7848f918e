"""The layout of a run: how rows become records, given the fields that the vendor has now."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from activations.models import FieldMapping
from activations.planning.conversion.slots import Layout, Slot
from activations.setup import attribute_drift, spec_from_db
from activations.setup.rules import new_fields, offline
from core.errors import Misconfigured
from destinations import discovery
from segments.contract import ColumnType
from segments.session import engine

if TYPE_CHECKING:
    from datetime import datetime

    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from destinations.contract import Field, NewField, Service


def prepare_fields(context: Context) -> None:
    """Creates the custom attributes that are missing, before any record is sent. What was created stays at the vendor.

    Raises:
        Misconfigured: one can't be created, or the settings of the activation contradict each other.
    """
    spec = spec_from_db.spec(context.activation)
    for problem in offline(spec):
        raise problem
    wanted = new_fields(spec)
    if not wanted:
        return
    if context.run.dry_run:
        context.fields = planned_fields(context.service, context.fields, wanted)
    else:
        context.fields = context.service.prepare(context.client, context.fields, wanted)
        if context.discovered_at:
            discovery.keep(context.activation.destination, context.fields, context.discovered_at)


def store_first_use(context: Context, lease: Lease) -> None:
    """Stores what the first run finds out: the type of each mapped attribute, and a slot for a match that is a list."""
    activation = context.activation
    with lease.fenced():
        attribute_drift.store_first_types(activation.mappings.all(), context.fields, context.differences)
        if context.match_field.multiple:
            activation.reserve_match_slot()


def planned_fields(service: Service, fields: list[Field], wanted: list[NewField]) -> list[Field]:
    """PURE. The fields as `prepare` would leave them.

    Raises:
        Misconfigured: one could not be created.
    """
    for sentence in service.check_new_fields(fields, wanted):
        raise Misconfigured("custom_attribute", sentence, where="custom_attributes")
    writable = {field.name for field in fields if field.writable}
    missing = {new.name: service.new_field(new) for new in wanted if new.name not in writable}
    return [*(field for field in fields if field.name not in missing), *missing.values()]


def layout(context: Context, now: datetime) -> Layout:
    """How rows become records. Mappings whose attribute is missing or read-only are left out, and listed as `missing`.

    Args:
        now: before anything that this layout leads to is accepted.

    Raises:
        Misconfigured: no attribute is left, so that records would be created with nothing but their match.
    """
    activation = context.activation
    model = activation.data_model
    return Layout(
        service=context.service,
        mode=activation.mode,
        key_column=model.primary_key,
        match_column=activation.match_column,
        match_field=context.match_field,
        slots=[*_mapped(context, now), *_match(context)],
        types={name: ColumnType(kind) for name, kind in model.column_types().items()},
        zone=ZoneInfo(model.source.timezone),
        spelled=engine(model.source).spells,
    )


def _mapped(context: Context, now: datetime) -> list[Slot]:
    """The slots of the mappings that can be written; notes on the context what is missing or has a different type."""
    by_name = {field.name: field for field in context.fields}
    slots: list[Slot] = []
    for mapping in context.activation.mappings.all():
        field = by_name.get(mapping.target)
        if problem := attribute_drift.unusable(field, mapping.target):
            context.missing.append(problem)
        elif field:
            slots.append(_slot(mapping, field, context.service, now))
            if changed := attribute_drift.retyped(field, mapping.target_type):
                context.changed.append(changed)
    if context.missing and not slots:
        first = context.missing[0]
        raise Misconfigured(
            "nothing_to_send", f"No mapped attribute can be written. {first.message}", where=first.where
        )
    return slots


def _match(context: Context) -> list[Slot]:
    """A slot of its own for a match that is a list."""
    activation = context.activation
    if not context.match_field.multiple or activation.match_slot is None:
        return []
    return [Slot(activation.match_slot, context.match_field, activation.match_column, is_match=True)]


def _adds(mapping: FieldMapping, field: Field, service: Service) -> bool:
    """Whether what the record has besides the mapped value stays. Further links do, unless they are to be detached."""
    if field.name in service.links:
        return mapping.multi != FieldMapping.Multi.DETACH
    return mapping.multi == FieldMapping.Multi.ADD and field.multiple


def _slot(mapping: FieldMapping, field: Field, service: Service, now: datetime) -> Slot:
    return Slot(
        number=mapping.slot,
        field=field,
        column=mapping.column,
        value=mapping.value,
        when_empty=mapping.when_empty,
        adds=_adds(mapping, field, service),
        country=mapping.country,
        template=mapping.template,
        rounds=mapping.round_to_whole,
        since=mapping.since(now),
    )
