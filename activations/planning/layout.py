"""Opens both ends of a run: the vendor's client with its pacing, and the layout that the vendor's present fields allow."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from activations.models import Activation, FieldMapping
from activations.planning.mapping import Layout, Slot
from activations.setup import attribute_drift
from activations.setup.rules import described, new_fields, offline
from core.errors import Misconfigured
from destinations import discovery
from segments.contract import ColumnType

if TYPE_CHECKING:
    from activations.vendor_session import Context
    from destinations.contract import Field, NewField, Service


def prepare_fields(context: Context) -> None:
    """Creates the custom attributes that are missing, before any record is sent. What was created stays at the vendor.

    Raises:
        Misconfigured: one can't be created, or the activation's settings contradict one another.
    """
    wanted_plan = described(context.activation)
    for problem in offline(wanted_plan):
        raise problem
    wanted = new_fields(wanted_plan)
    if not wanted:
        return
    if context.run.dry_run:
        context.fields = planned_fields(context.service, context.fields, wanted)
    else:
        context.fields = context.service.prepare(context.client, context.fields, wanted)
        if context.found_at:
            discovery.keep(context.activation.destination, context.fields, context.found_at)


def planned_fields(service: Service, fields: list[Field], wanted: list[NewField]) -> list[Field]:
    """PURE. The fields as `prepare` would leave them.

    Raises:
        Misconfigured: one could not be created.
    """
    for sentence in service.check_new_fields(fields, wanted):
        raise Misconfigured("custom_attribute", sentence, where="custom_attributes")
    writable = {found.name for found in fields if found.writable}
    missing = {new.name: service.new_field(new) for new in wanted if new.name not in writable}
    return [*(found for found in fields if found.name not in missing), *missing.values()]


def layout(context: Context) -> Layout:
    """How rows become records now. Mappings whose attribute is missing or read-only are left out and noted as `missing`.

    Raises:
        Misconfigured: not one attribute is left, so that records would be created with nothing but their match.
    """
    activation = context.activation
    model = activation.data_model
    by_name = {found.name: found for found in context.fields}
    slots: list[Slot] = []
    for mapping in activation.mappings.all():
        found = by_name.get(mapping.target)
        problem = attribute_drift.unusable(found, mapping.target)
        if problem:
            context.missing.append(problem)
        elif found:
            slots.append(_slot(activation, mapping, found))
            if changed := attribute_drift.retyped(found, attribute_drift.first_seen(mapping, found, context.found)):
                context.changed.append(changed)
    if context.missing and not slots:
        raise Misconfigured(
            "nothing_to_send",
            f"No mapped attribute can be written. {context.missing[0].message}",
            where=context.missing[0].where,
        )
    if context.match_field.multiple:
        slots.append(Slot(activation.slot_of_match(), context.match_field, activation.match_column, is_match=True))
    return Layout(
        service=context.service,
        mode=activation.mode,
        key_column=model.primary_key,
        match_column=activation.match_column,
        match_field=context.match_field,
        slots=slots,
        types={name: ColumnType(kind) for name, kind in model.column_types().items()},
        zone=ZoneInfo(model.source.timezone),
    )


def _slot(activation: Activation, mapping: FieldMapping, found: Field) -> Slot:
    from_now_on = activation.backfill == Activation.Backfill.NEW
    return Slot(
        number=mapping.slot,
        field=found,
        column=mapping.column,
        value=mapping.value,
        when_empty=mapping.when_empty,
        adds=mapping.multi == FieldMapping.Multi.ADD and found.multiple,
        since=mapping.created_at if from_now_on else None,
    )
