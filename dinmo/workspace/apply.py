"""Writes what a workspace file wants into the database: all of it in one transaction, or nothing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from django.db import models, transaction

from activations.models import Activation, FieldMapping, Schedule
from activations.setup import attribute_drift, schedules
from core.errors import Misconfigured
from core.health import Health
from destinations.models import Connection, Destination
from dinmo.workspace import entities, file, from_database, plan, vendors
from dinmo.workspace.kinds.schedules import columns
from dinmo.workspace.problems import Problem, Refused
from segments.integrity import segments
from segments.models import FIRST_COMPUTED, Column, DataModel, Relation, Segment, Source
from segments.sources import discovery

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dinmo.workspace.kinds.models import Ask


def apply(
    text: str, environment: Mapping[str, str], ask: Ask, *, dry_run: bool = False, yes: bool = False
) -> plan.Plan:
    """Applies a workspace file, and returns what that did, or with `dry_run` what it would do.

    Args:
        environment: where `${NAME}` is looked up.
        ask: finds the columns of a model in its source.
        yes: a person agrees to every reset of a sync history that the file makes necessary, and has seen the types
            that its mapped attributes have now.

    Raises:
        Refused: with everything that is wrong; nothing is applied.
        Misconfigured: the workspace was changed at the same time.
    """
    before = from_database.read()
    wanted = file.read(text, environment, before, ask)
    made = plan.make(
        wanted, before, from_database.accepted(), from_database.retyped(), workspace_of=vendors.workspace_of
    )
    if dry_run:
        return made
    if made.resets and not yes:
        raise Refused(Problem(reset.activation.line(), str(reset)) for reset in made.resets)
    with transaction.atomic():
        # Sources were asked since `before` was read, which can take long.
        if from_database.read() != before:
            raise Misconfigured(
                "workspace_changed", "The workspace was changed in the meantime. Nothing was applied; apply again."
            )
        _write(made)
        if yes:
            for activation in Activation.objects.filter(name__in=made.retyped):
                attribute_drift.confirm_discovered(activation)
    return made


def _write(made: plan.Plan) -> None:
    broken = {source.pk: segments.broken(source) for source in Source.objects.all()}
    for step in made.steps:
        _WRITERS[step.thing.noun](step.thing)
    for source in Source.objects.all():
        discovery.retype(source)
        segments.refuse_breaking(source, broken.get(source.pk, {}))
    names = [reset.activation.name for reset in made.resets]
    Activation.objects.filter(name__in=names).update(start_afresh=True)
    Activation.objects.filter(name__in=made.restored).update(start_afresh=False)


def _row(model: type[models.Model], thing: entities.Entity) -> Any:
    return model._default_manager.filter(name=thing.name).first() or model(name=thing.name)


def _saved(row: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(row, name, value)
    # A run may count on the same row at this moment: only what the file says is written.
    row.save(update_fields=list(values) if row.pk else None)
    return row


def _source(thing: entities.Source) -> None:
    _saved(
        _row(Source, thing),
        engine=thing.engine,
        timezone=thing.timezone,
        config=dict(thing.config),
        secrets=dict(thing.secrets),
        **_unchecked(),
    )


def _connection(thing: entities.Connection) -> None:
    _saved(
        _row(Connection, thing),
        platform=thing.platform,
        config=dict(thing.config),
        secrets=dict(thing.secrets),
        **_unchecked(),
    )


def _unchecked() -> dict[str, Any]:
    return {"health": Health.State.UNKNOWN, "health_message": "", "health_at": None}


def _model(thing: entities.Model) -> None:
    row = _saved(
        _row(DataModel, thing),
        source=Source.objects.get(name=thing.source),
        kind=thing.kind,
        table=thing.table,
        sql=thing.sql,
        primary_key=thing.primary_key,
    )
    before = {name: column.name for name, column in row.source_columns().items()}
    for column in thing.columns:
        known = before.get(column.origin or column.name, column.name)
        if known != column.name:
            segments.rename_column(row, known, column.name)
    row.columns.filter(definition={}).delete()
    Column.objects.bulk_create(
        Column(model=row, position=place, **asdict(column)) for place, column in enumerate(thing.columns)
    )
    if thing.says("computed"):
        row.columns.all().exclude(definition={}).delete()
        Column.objects.bulk_create(
            _field(row, place, field) for place, field in enumerate(thing.computed, FIRST_COMPUTED)
        )


def _field(row: DataModel, place: int, thing: entities.Computed) -> Column:
    return Column(model=row, position=place, name=thing.name, type=thing.type, definition=dict(thing.definition))


def _relation(thing: entities.Relation) -> None:
    models = [DataModel.objects.get(name=name) for name in (thing.model, thing.to_model)]
    Relation.objects.get_or_create(
        from_model=models[0], from_column=thing.column, to_model=models[1], to_column=thing.to_column
    )


def _segment(thing: entities.Segment) -> None:
    model = DataModel.objects.get(name=thing.model)
    _saved(
        _row(Segment, thing),
        model=model,
        where=dict(thing.where),
        limit=dict(thing.limit),
        description=thing.description,
        tags=list(thing.tags),
    )


def _destination(thing: entities.Destination) -> None:
    _saved(_row(Destination, thing), connection=Connection.objects.get(name=thing.connection), service=thing.service)


def _activation(thing: entities.Activation) -> None:
    row = _saved(
        _row(Activation, thing),
        segment=Segment.objects.get(name=thing.segment) if thing.segment else None,
        model=DataModel.objects.get(name=thing.model) if thing.model else None,
        destination=Destination.objects.get(name=thing.destination),
        mode=thing.mode,
        match_column=thing.match_column,
        match_field=thing.match_field,
        **{name: list(value) if isinstance(value, tuple) else value for name, value in thing.settings.items()},
    )
    _mappings(row, thing)
    _schedules(row, thing)


def _mappings(row: Activation, thing: entities.Activation) -> None:
    """A mapping is its attribute: where that stays, the row stays with its slot."""
    present = {mapping.target: mapping for mapping in row.mappings.all()}
    row.mappings.exclude(target__in=[wanted.target for wanted in thing.mappings]).delete()
    for position, wanted in enumerate(thing.mappings):
        _saved(
            present.get(wanted.target) or FieldMapping(activation=row, target=wanted.target),
            column=wanted.column,
            value=wanted.value,
            when_empty=wanted.when_empty,
            multi=wanted.multi,
            custom_attribute=wanted.custom_attribute,
            position=position,
        )


def _schedules(row: Activation, thing: entities.Activation) -> None:
    """A schedule has no name: one that is wanted as it is stays, with the time it last fired."""
    wanted = list(thing.schedules)
    for present in row.schedules.all():
        if from_database.schedule(present) in wanted:
            wanted.remove(from_database.schedule(present))
        else:
            schedules.remove(present)
            present.delete()
    for new in wanted:
        Schedule.objects.create(activation=row, **columns(new))
    schedules.sync_all(row)


_WRITERS: dict[str, Callable[[Any], None]] = {
    "source": _source,
    "model": _model,
    "relation": _relation,
    "segment": _segment,
    "connection": _connection,
    "destination": _destination,
    "activation": _activation,
}
