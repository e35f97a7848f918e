"""Applies a workspace file to the database: in one transaction, so all of it or nothing."""

from __future__ import annotations

from dataclasses import asdict
from datetime import time
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from activations.models import Activation, AlertChannel, AttachContacts, FieldMapping, Schedule
from activations.scheduling import periodic_tasks
from activations.setup import attribute_drift, settings
from core.audit import recording
from core.errors import Misconfigured
from core.health import Health
from destinations.models import Connection, Destination
from dinmo.workspace import entities, file, from_database, plan, vendors
from dinmo.workspace.kinds import attached
from dinmo.workspace.kinds.schedules import columns
from dinmo.workspace.problems import Problem, Refused
from segments.integrity import segments
from segments.models import FIRST_COMPUTED, Column, DataModel, Relation, Segment, Source
from segments.sources import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dinmo.workspace.entity import Entity
    from dinmo.workspace.kinds.models import ColumnReader


def apply(
    text: str, environment: Mapping[str, str], read_columns: ColumnReader, *, dry_run: bool = False, yes: bool = False
) -> plan.Plan:
    """Applies a workspace file. Returns what that did, or what it would do with `dry_run`.

    Args:
        environment: the variables that replace `${NAME}`.
        read_columns: reads the columns of a model from its source.
        yes: a person agrees to every reset of a sync history that the file requires, and confirms the current types
            of its mapped attributes.

    Raises:
        Refused: the file has problems. Nothing is applied.
        Misconfigured: the workspace was changed in the meantime. Nothing is applied.
    """
    before = from_database.read()
    wanted = file.read(text, environment, before, read_columns)
    planned = plan.make(
        wanted, before, from_database.accepted(), from_database.retyped(), workspace_of=vendors.workspace_of
    )
    if dry_run:
        return planned
    if planned.resets and not yes:
        raise Refused(Problem(reset.activation.line(), str(reset)) for reset in planned.resets)
    with transaction.atomic(), recording():
        # Reading columns from the sources can take long, and a person may have edited the workspace since.
        if from_database.read() != before:
            raise Misconfigured(
                "workspace_changed",
                "The workspace was changed in the meantime. Nothing was applied. Apply the file again.",
            )
        _write(planned)
        if yes:
            for activation in Activation.objects.filter(name__in=planned.retyped):
                attribute_drift.confirm_discovered(activation)
    return planned


def _write(planned: plan.Plan) -> None:
    broken = {source.pk: segments.broken(source) for source in Source.objects.all()}
    for step in planned.steps:
        _WRITERS[step.entity.noun](step.entity)
    # Once all activations exist: a schedule may follow any of them.
    for step in planned.steps:
        if isinstance(step.entity, entities.Activation):
            _schedules(Activation.objects.get(name=step.entity.name), step.entity)
    for source in Source.objects.all():
        discovery.retype(source)
        segments.refuse_breaking(source, broken.get(source.pk, {}))
    resets = [reset.activation.name for reset in planned.resets]
    for agreed, names in ((True, resets), (False, planned.restored)):
        with recording(*(activations := Activation.objects.filter(name__in=names))):
            activations.update(start_afresh=agreed)


def _row(model: type[models.Model], entity: Entity) -> Any:
    return model._default_manager.filter(name=entity.name).first() or model(name=entity.name)


def _saved(row: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    # A run may update its counters in the same row at the same time, so only the given columns are written.
    row.save(update_fields=list(values) if row.pk else None)
    return row


def _source(entity: entities.Source) -> None:
    _saved(
        _row(Source, entity),
        engine=entity.engine,
        timezone=entity.timezone,
        config=dict(entity.config),
        secrets=dict(entity.secrets),
        **_unchecked(),
    )


def _connection(entity: entities.Connection) -> None:
    _saved(
        _row(Connection, entity),
        platform=entity.platform,
        config=dict(entity.config),
        secrets=dict(entity.secrets),
        **_unchecked(),
    )


def _unchecked() -> dict[str, Any]:
    return {"health": Health.State.UNKNOWN, "health_message": "", "health_at": None}


def _model(entity: entities.Model) -> None:
    row = _saved(
        _row(DataModel, entity),
        source=Source.objects.get(name=entity.source),
        kind=entity.kind,
        table=entity.table,
        sql=entity.sql,
        primary_key=entity.primary_key,
        display_column=entity.display,
    )
    before = {name: column.name for name, column in row.source_columns().items()}
    for column in entity.columns:
        known = before.get(column.origin or column.name, column.name)
        if known != column.name:
            segments.rename_column(row, known, column.name)
    row.columns.filter(definition={}).delete()
    Column.objects.bulk_create(
        Column(model=row, position=place, **asdict(column)) for place, column in enumerate(entity.columns)
    )
    if entity.has_key("computed"):
        row.columns.all().exclude(definition={}).delete()
        Column.objects.bulk_create(
            _field(row, place, field) for place, field in enumerate(entity.computed, FIRST_COMPUTED)
        )


def _field(row: DataModel, place: int, entity: entities.Computed) -> Column:
    return Column(model=row, position=place, name=entity.name, type=entity.type, definition=dict(entity.definition))


def _relation(entity: entities.Relation) -> None:
    models = [DataModel.objects.get(name=name) for name in (entity.model, entity.to_model)]
    Relation.objects.get_or_create(
        from_model=models[0], from_column=entity.column, to_model=models[1], to_column=entity.to_column
    )


def _segment(entity: entities.Segment) -> None:
    model = DataModel.objects.get(name=entity.model)
    _saved(
        _row(Segment, entity),
        model=model,
        where=dict(entity.where),
        limit=dict(entity.limit),
        description=entity.description,
        tags=list(entity.tags),
    )


def _destination(entity: entities.Destination) -> None:
    _saved(_row(Destination, entity), connection=Connection.objects.get(name=entity.connection), service=entity.service)


def _activation(entity: entities.Activation) -> None:
    row = _saved(
        _row(Activation, entity),
        segment=Segment.objects.get(name=entity.segment) if entity.segment else None,
        model=DataModel.objects.get(name=entity.model) if entity.model else None,
        destination=Destination.objects.get(name=entity.destination),
        mode=entity.mode,
        match_column=entity.match_column,
        match_field=entity.match_field,
        **settings.columns(entity.settings),
    )
    _mappings(row, entity)
    AttachContacts.store(row, attached.columns(entity.attach))


def _mappings(row: Activation, entity: entities.Activation) -> None:
    """A mapping is identified by its attribute: if that stays, so does the row with its slot."""
    present = {mapping.target: mapping for mapping in row.mappings.all()}
    row.mappings.exclude(target__in=[wanted.target for wanted in entity.mappings]).delete()
    for position, wanted in enumerate(entity.mappings):
        _saved(
            present.get(wanted.target) or FieldMapping(activation=row, target=wanted.target),
            column=wanted.column,
            value=wanted.value,
            when_empty=wanted.when_empty,
            multi=wanted.multi,
            country=wanted.country,
            template=wanted.template,
            round_to_whole=wanted.rounds,
            policy=wanted.policy,
            custom_attribute=wanted.custom_attribute,
            position=position,
        )


def _schedules(row: Activation, entity: entities.Activation) -> None:
    """A schedule has no name: one that is in the file unchanged keeps its row, and so the time it last fired."""
    wanted = list(entity.schedules)
    for present in row.schedules.all():
        if from_database.schedule(present) in wanted:
            wanted.remove(from_database.schedule(present))
        else:
            periodic_tasks.remove(present)
            present.delete()
    for new in wanted:
        after = Activation.objects.get(name=new.after) if new.after else None
        Schedule.objects.create(activation=row, after=after, **columns(new))
    periodic_tasks.sync_all(row)


def _channel(entity: entities.Channel) -> None:
    _saved(
        _row(AlertChannel, entity),
        kind=entity.kind,
        config=dict(entity.config),
        secrets=dict(entity.secrets),
        events=list(entity.events),
        digest_at=time.fromisoformat(entity.digest_at) if entity.digest_at else None,
        enabled=entity.enabled,
        **_unchecked(),
    )


_WRITERS: dict[str, Callable[[Any], None]] = {
    "source": _source,
    "model": _model,
    "relation": _relation,
    "segment": _segment,
    "connection": _connection,
    "destination": _destination,
    "activation": _activation,
    "alert channel": _channel,
}
