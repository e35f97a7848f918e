"""Opens both ends of a run: the vendor's client with its pacing, and the layout that the vendor's present fields allow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from activations import attributes
from activations.mapping import Layout, Slot
from activations.models import Activation, FieldMapping, Generation, Run
from activations.rules import MappingRow, Plan, new_fields, offline, unusable_match
from core.errors import Misconfigured
from destinations import discovery, live
from destinations.contract import Field, NewField, Service, Workspace
from destinations.models import Connection
from destinations.pacing import Pacer
from destinations.registry import platforms, services
from segments.contract import ColumnType

THREADS = 128


@dataclass
class Context:
    """What planning and delivering share. Discovery is asked at most once, and only where it is needed.

    Args:
        missing: the mapped attributes that are left out, with why.
        changed: those whose type is another one than it was when they were mapped.
        found, found_at: what differed from the discovery before, and when.
    """

    run: Run
    activation: Activation
    service: Service
    client: Any
    pacer: Pacer
    missing: list[Misconfigured] = field(default_factory=list)
    changed: list[Misconfigured] = field(default_factory=list)
    found: list[discovery.Difference] = field(default_factory=list)
    found_at: datetime | None = None

    @cached_property
    def fields(self) -> list[Field]:
        """The destination's fields as the vendor has them now."""
        return self.service.fields(self.client)

    @cached_property
    def match_field(self) -> Field:
        """Raises Misconfigured where the match field is gone."""
        name = self.activation.match_field
        for found in self.fields:
            if found.name == name and found.matchable:
                return found
        raise unusable_match(self.service, name, self.fields)

    def counts(self) -> dict[str, int]:
        """The requests sent since the last call, by the run's column names."""
        return {f"{purpose}_requests": number for purpose, number in self.pacer.take_counts().items()}


@contextmanager
def open_context(run: Run) -> Iterator[Context]:
    """The vendor's side of a run, closed at the end."""
    activation = run.activation
    destination = activation.destination
    service = services[destination.service]
    connection = destination.connection
    pacer = Pacer(_budget(connection), service.limits)
    with live.opened(connection, pacer, THREADS) as client:
        yield Context(run, activation, service, client, pacer)


def check_workspace(context: Context) -> Workspace:
    """Asks the vendor whose workspace it is, and keeps the answer on the connection.

    Raises:
        Misconfigured, Unavailable: see `Platform.check`.
    """
    connection = context.activation.destination.connection
    workspace = platforms[connection.platform].check(context.client)
    live.keep(connection, workspace)
    context.pacer.move(_budget(connection))
    return workspace


def _budget(connection: Connection) -> str:
    """What the requests of a workspace are counted under, whichever connection they leave by."""
    return f"{connection.platform}:{connection.workspace_id or connection.pk}"


def discover(context: Context, now: datetime) -> None:
    """Asks the vendor for its fields, and renews what is kept of them for the pages."""
    context.found_at = now
    context.found = discovery.keep(context.activation.destination, context.fields, now)


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


def described(activation: Activation) -> Plan:
    """The saved configuration of an activation, as the rules take it."""
    model = activation.data_model
    rows = [MappingRow(mapping.target, mapping.column, mapping.value, mapping.custom_attribute) for mapping in activation.mappings.all()]
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


def layout(context: Context, now: datetime) -> Layout:
    """How rows become records now. Mappings whose attribute is missing or read-only are left out and noted as `missing`.

    Args:
        now: before anything that comes of this layout is accepted.

    Raises:
        Misconfigured: not one attribute is left, so that records would be created with nothing but their match.
    """
    activation = context.activation
    model = activation.data_model
    by_name = {found.name: found for found in context.fields}
    slots: list[Slot] = []
    for mapping in activation.mappings.all():
        found = by_name.get(mapping.target)
        problem = attributes.unusable(found, mapping.target)
        if problem:
            context.missing.append(problem)
        elif found:
            slots.append(_slot(activation, mapping, found, now))
            if changed := attributes.retyped(found, attributes.first_seen(mapping, found, context.found)):
                context.changed.append(changed)
    if context.missing and not slots:
        raise Misconfigured(
            "nothing_to_send", f"No mapped attribute can be written. {context.missing[0].message}", where=context.missing[0].where
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


def generation(context: Context, workspace: Workspace) -> tuple[Generation, str]:
    """The generation that the run belongs to, and why it is a new one ("" where it is not).

    Raises:
        Misconfigured: what identifies records changed, and nobody agreed to start afresh.
    """
    activation = context.activation
    identity = {
        "workspace": workspace.id,
        "service": context.service.slug,
        "key": activation.data_model.primary_key,
        "model": activation.data_model.pk,
        "match": [activation.match_column, activation.match_field],
    }
    current = activation.generations.first()
    if not context.run.dry_run:
        Activation.objects.filter(pk=activation.pk).update(start_afresh=False)
    if current and current.identity == identity:
        return current, "" if current.records.exists() else _reason(current)
    if current and not activation.start_afresh and current.records.exists():
        raise _changed(current.identity, identity, workspace)
    number = current.number + 1 if current else 1
    # A dry run may make the same one at the same time.
    made, _ = Generation.objects.get_or_create(activation=activation, number=number, defaults={"identity": identity})
    return made, _reason(made)


def _reason(of: Generation) -> str:
    return "First run" if of.number == 1 else "What identifies records changed"


_AFRESH = "agree that this activation starts afresh: “Start afresh” on its page, or `manage.py activate NAME --start-afresh`."


def _changed(before: dict[str, Any], now: dict[str, Any], workspace: Workspace) -> Misconfigured:
    if before["workspace"] != now["workspace"]:
        return Misconfigured(
            "workspace_changed",
            f"The credential belongs to another workspace ({workspace.name}) than the one that was synchronized until now. "
            f"Put the former credential back, or {_AFRESH}",
        )
    return Misconfigured(
        "identity_changed",
        "The key or the match of this activation changed, so what was sent before says nothing about its records any more. "
        f"Put it back, or {_AFRESH}",
    )


def settle_backfill(activation: Activation, planned: Layout, now: datetime) -> None:
    """Keeps the choice between all records and from now on for mappings that are planned with for the first time.

    The activation's setting may be another one when a record that this run does not reach is due: one that is refused,
    invalid or away, or that comes after a cut. Said before the pass, which fills slots from now on while it goes.
    """
    first = activation.mappings.filter(backfill="", slot__in=[slot.number for slot in planned.slots])
    first.update(backfill=activation.backfill, planned_at=now)


def _slot(activation: Activation, mapping: FieldMapping, found: Field, now: datetime) -> Slot:
    from_now_on = (mapping.backfill or activation.backfill) == Activation.Backfill.NEW
    return Slot(
        number=mapping.slot,
        field=found,
        column=mapping.column,
        value=mapping.value,
        when_empty=mapping.when_empty,
        adds=mapping.multi == FieldMapping.Multi.ADD and found.multiple,
        since=(mapping.planned_at or now) if from_now_on else None,
    )
