"""Reads the workspace from the database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from typing import TYPE_CHECKING, Any

from activations.models import Activation, AlertChannel, FieldMapping, Schedule
from activations.setup import attribute_drift, spec_from_db
from activations.setup.settings import stored
from activations.warning_kinds import EVENTS
from destinations import discovery
from destinations.models import Connection, Destination
from dinmo.workspace import entities
from dinmo.workspace.kinds import relations
from segments.models import Column, DataModel, Relation, Segment, Source
from segments.registry import engines

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from activations.setup.identity import Identity


def read() -> entities.Workspace:
    """Everything that a workspace file can contain, with secrets.

    Raises:
        Misconfigured: a secret can't be decrypted.
    """
    return entities.Workspace(
        sources=_by_name(_source(row) for row in Source.objects.order_by("pk")),
        models=_by_name(
            _model(row) for row in DataModel.objects.select_related("source").prefetch_related("columns").order_by("pk")
        ),
        relations=_by_name(
            _relation(row) for row in Relation.objects.select_related("from_model", "to_model").order_by("pk")
        ),
        segments=_by_name(_segment(row) for row in Segment.objects.select_related("model").order_by("pk")),
        connections=_by_name(_connection(row) for row in Connection.objects.order_by("pk")),
        destinations=_by_name(
            _destination(row) for row in Destination.objects.select_related("connection").order_by("pk")
        ),
        activations=_by_name(_activation(row) for row in _activations()),
        channels=_by_name(_channel(row) for row in AlertChannel.objects.order_by("pk")),
    )


def accepted() -> dict[str, Identity]:
    """Activation → what the records of its sync history belong to, with the model by name.

    Activations without a sync history are left out.
    """
    names = dict(DataModel.objects.values_list("pk", "name"))
    identities = {row.name: spec_from_db.accepted_identity(row) for row in _activations()}
    return {
        name: replace(identity, model=names.get(identity.model)) if isinstance(identity.model, int) else identity
        for name, identity in identities.items()
        if identity
    }


def retyped() -> dict[str, list[str]]:
    """Activation → what a person should know about attributes whose type changed since they were mapped."""
    by_name = {row.name: [problem.message for problem in attribute_drift.unconfirmed(row)] for row in _activations()}
    return {name: sentences for name, sentences in by_name.items() if sentences}


def _activations() -> Iterable[Activation]:
    related = Activation.objects.select_related("segment", "model", "destination__connection", "attach_contacts__model")
    return related.prefetch_related("mappings", "schedules__after").order_by("pk")


def _by_name(items: Iterable[Any]) -> dict[str, Any]:
    return {entity.name: entity for entity in items}


def _source(row: Source) -> entities.Source:
    # A setting that is newer than the row has its default value.
    engine = engines.all.get(row.engine)
    defaults = (
        {parameter.name: parameter.default for parameter in engine.parameters if not parameter.secret} if engine else {}
    )
    config = {**defaults, **row.config}
    return entities.Source(name=row.name, engine=row.engine, timezone=row.timezone, config=config, secrets=row.secrets)


def _model(row: DataModel) -> entities.Model:
    columns = tuple(_column(column) for column in row.columns.all() if not column.definition)
    fields = (
        entities.Computed(name=field.name, type=field.type, definition=field.definition)
        for field in row.computed_fields()
    )
    return entities.Model(
        name=row.name,
        source=row.source.name,
        kind=row.kind,
        table=row.table,
        sql=row.sql,
        primary_key=row.primary_key,
        display=row.display_column,
        columns=columns,
        computed=tuple(fields),
    )


def _column(row: Column) -> entities.Column:
    return entities.Column(
        name=row.name,
        type=row.type,
        origin=row.origin,
        used=row.used,
        categorical=row.categorical,
        native=row.native,
        nullable=row.nullable,
    )


def _relation(row: Relation) -> entities.Relation:
    ends = (row.from_model.name, row.from_column, row.to_model.name, row.to_column)
    return entities.Relation(
        name=relations.name(*ends), model=ends[0], column=ends[1], to_model=ends[2], to_column=ends[3]
    )


def _segment(row: Segment) -> entities.Segment:
    return entities.Segment(
        name=row.name,
        model=row.model.name,
        where=row.where,
        limit=row.limit,
        description=row.description,
        tags=tuple(row.tags),
    )


def _connection(row: Connection) -> entities.Connection:
    return entities.Connection(
        name=row.name, platform=row.platform, config=row.config, secrets=row.secrets, workspace=row.workspace_id
    )


def _destination(row: Destination) -> entities.Destination:
    last = discovery.cached(row)
    return entities.Destination(
        name=row.name,
        connection=row.connection.name,
        service=row.service,
        known_fields=tuple(last.fields) if last else (),
    )


def _channel(row: AlertChannel) -> entities.Channel:
    return entities.Channel(
        name=row.name,
        kind=row.kind,
        config=row.config,
        secrets=row.secrets,
        events=tuple(event for event in EVENTS if event in row.events),
        digest_at=f"{row.digest_at:%H:%M}" if row.digest_at else "",
        enabled=row.enabled,
    )


def _activation(row: Activation) -> entities.Activation:
    # In a file, custom attributes have a block of their own after the fields.
    attach = spec_from_db.attach_spec(getattr(row, "attach_contacts", None))
    mappings = sorted(row.mappings.all(), key=lambda mapping: mapping.custom_attribute)
    return entities.Activation(
        name=row.name,
        segment=row.segment.name if row.segment else "",
        model=row.model.name if row.model else "",
        destination=row.destination.name,
        mode=row.mode,
        match_column=row.match_column,
        match_field=row.match_field,
        mappings=tuple(_mapping(mapping) for mapping in mappings),
        schedules=tuple(schedule(each) for each in sorted(row.schedules.all(), key=lambda each: each.pk)),
        is_draft=row.is_draft,
        settings=stored(row),
        attach=attach and replace(attach, columns={}),
    )


def _mapping(row: FieldMapping) -> entities.FieldMapping:
    return entities.FieldMapping(
        target=row.target,
        column=row.column,
        value=row.value,
        when_empty=row.when_empty,
        multi=row.multi,
        country=row.country,
        template=row.template,
        rounds=row.round_to_whole,
        policy=row.policy,
        custom_attribute=row.custom_attribute,
    )


def schedule(row: Schedule) -> entities.Schedule:
    """A stored schedule, with only the settings of its kind."""
    return replace(_kind(row), starts=_moment(row.starts_at), ends=_moment(row.ends_at), purpose=row.purpose)


def _kind(row: Schedule) -> entities.Schedule:
    if row.kind == Schedule.Kind.INTERVAL:
        return entities.Schedule(kind=row.kind, every=row.every, unit=row.unit)
    if row.kind == Schedule.Kind.DATA_CHANGED:
        return entities.Schedule(kind=row.kind, every=row.every, unit=row.unit, column=row.watch_column)
    if row.kind == Schedule.Kind.AFTER:
        return entities.Schedule(kind=row.kind, after=row.after.name if row.after else "")
    if row.kind == Schedule.Kind.CRON:
        return entities.Schedule(kind=row.kind, cron=" ".join(row.cron.split()), timezone=str(row.timezone))
    at = f"{row.at:%H:%M}" if row.at else ""
    days = tuple(day for day in entities.WEEK if day in row.days)
    return entities.Schedule(kind=row.kind, days=days, at=at, timezone=str(row.timezone))


def _moment(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat() if moment else ""
