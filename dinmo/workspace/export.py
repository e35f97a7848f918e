"""Writes the workspace as a file. Applying that file changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML

from activations.setup.attached.rules import PLACE
from destinations.registry import platforms
from dinmo.workspace.kinds import alerts, attached, schedules, settings
from dinmo.workspace.kinds.models import display_key, file_table
from dinmo.workspace.kinds.yaml_values import as_yaml, block, conditions, flow, place
from segments.registry import engines

if TYPE_CHECKING:
    from ruamel.yaml.comments import CommentedMap

    from core.parameters import Parameter
    from core.plugins import Registry
    from dinmo.workspace import entities

HEAD = (
    "# The configuration of this workspace, without secrets. A secret that is left out stays as it is.\n"
    "# To set one, write `password: ${NAME}`, for example.\n"
)
_LIMIT = ("rows", "order_by", "descending")


def text(workspace: entities.Workspace) -> str:
    """The YAML of the workspace, without secrets."""
    written = {
        "sources": [_source(entity) for entity in workspace.sources.values()],
        "models": [_model(entity, workspace.sources[entity.source]) for entity in workspace.models.values()],
        "relations": [_relation(entity) for entity in workspace.relations.values()],
        "segments": [_segment(entity) for entity in workspace.segments.values()],
        "connections": [_connection(entity) for entity in workspace.connections.values()],
        "destinations": [_destination(entity) for entity in workspace.destinations.values()],
        # Not the drafts: applied elsewhere, they would start.
        "activations": [_activation(entity) for entity in workspace.activations.values() if not entity.is_draft],
    }
    yaml = YAML()
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    for section, items in written.items():
        if items:
            out.write("\n")
            yaml.dump({section: items}, out)
    if workspace.channels:
        out.write("\n")
        yaml.dump({"alerts": _alerts(workspace)}, out)
    return HEAD + out.getvalue()


def _alerts(workspace: entities.Workspace) -> CommentedMap:
    values = alerts.written(workspace.channels)
    rows = []
    for channel in values["channels"]:
        row = block(channel)
        if hidden := sorted(name for name, value in workspace.channels[channel["name"]].secrets.items() if value):
            row.yaml_add_eol_comment(f"{', '.join(hidden)}: kept, not exported", key="kind")
        rows.append(row)
    return block({"recipients": values["recipients"], "channels": rows})


def _source(entity: entities.Source) -> CommentedMap:
    zone = entity.timezone if entity.timezone != "UTC" else None
    return _account({"name": entity.name, "engine": entity.engine, "timezone": zone}, "engine", entity, engines)


def _connection(entity: entities.Connection) -> CommentedMap:
    return _account({"name": entity.name, "platform": entity.platform}, "platform", entity, platforms)


def _account(
    head: Mapping[str, Any], slug: str, entity: entities.Source | entities.Connection, registry: Registry[Any]
) -> CommentedMap:
    plugin = registry.all.get(head[slug])
    written = block({**head, **_settings(entity.config, plugin.parameters if plugin else ())})
    hidden = sorted(name for name, value in entity.secrets.items() if value not in (None, ""))
    if hidden:
        written.yaml_add_eol_comment(f"{', '.join(hidden)}: kept, not exported", key=slug)
    return written


def _settings(config: Mapping[str, Any], parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The settings that differ from their defaults."""
    defaults = {parameter.name: parameter.default for parameter in parameters}
    # In the order of the parameters: some databases reorder the keys of JSON.
    ordered = [*(name for name in defaults if name in config), *sorted(config.keys() - defaults.keys())]
    return {
        name: config[name] for name in ordered if config[name] not in (None, "") and config[name] != defaults.get(name)
    }


def _model(entity: entities.Model, source: entities.Source) -> CommentedMap:
    table = entity.table if entity.table != file_table(source) else None
    return block(
        {
            "name": entity.name,
            "source": entity.source,
            "kind": entity.kind,
            "table": table,
            "sql": entity.sql,
            "primary_key": entity.primary_key,
            "display": display_key(entity),
            "columns": [
                _column(column) for column in entity.columns if column.origin or not column.used or column.categorical
            ],
            "computed": [_computed(field) for field in entity.computed],
        }
    )


def _column(entity: entities.Column) -> CommentedMap:
    shown = {
        "as": entity.name if entity.origin else None,
        "used": None if entity.used else False,
        "categorical": entity.categorical or None,
    }
    return flow({"from": entity.origin or entity.name, **shown})


def _computed(entity: entities.Computed) -> CommentedMap:
    definition = dict(sorted(entity.definition.items(), key=place))
    labels = [block({**item, "where": conditions(item["where"])}) for item in definition.get("labels", ())]
    if labels or "where" in definition:
        return block(
            {"name": entity.name, **definition, "where": conditions(definition.get("where", {})), "labels": labels}
        )
    return flow({"name": entity.name, **definition})


def _segment(entity: entities.Segment) -> CommentedMap:
    return block(
        {
            "name": entity.name,
            "model": entity.model,
            "description": entity.description,
            "tags": list(entity.tags),
            "where": conditions(entity.where),
            "limit": flow({name: entity.limit[name] for name in _LIMIT if name in entity.limit}),
        }
    )


def _relation(entity: entities.Relation) -> CommentedMap:
    return flow({"from": f"{entity.model}.{entity.column}", "to": f"{entity.to_model}.{entity.to_column}"})


def _destination(entity: entities.Destination) -> CommentedMap:
    return block({"name": entity.name, "connection": entity.connection, "service": entity.service})


def _activation(entity: entities.Activation) -> CommentedMap:
    return block(
        {
            "name": entity.name,
            "segment": entity.segment,
            "model": entity.model,
            "destination": entity.destination,
            "mode": entity.mode,
            "match": flow({"from": entity.match_column, "to": entity.match_field}),
            "fields": [_field(row) for row in entity.mappings if not row.custom_attribute],
            "custom_attributes": [_custom(row) for row in entity.mappings if row.custom_attribute],
            PLACE: block(attached.written(entity.attach)) if entity.attach else None,
            "schedules": [flow(schedules.written(schedule)) for schedule in entity.schedules],
            **{
                key: flow(value) if isinstance(value, Mapping) else value
                for key, value in settings.written(entity.settings).items()
            },
        }
    )


def _field(row: entities.FieldMapping) -> CommentedMap:
    text = {"from": row.column, "template": row.template}
    origin: dict[str, Any] = {key: value for key, value in text.items() if value} or {"value": row.value}
    written = flow({**origin, "to": row.target, **_options(row)})
    if "value" in origin and "value" not in written:
        written.insert(0, "value", as_yaml(row.value))
    return written


def _custom(row: entities.FieldMapping) -> Any:
    options = _options(row)
    if row.target == row.column and not options:
        return as_yaml(row.column)
    return flow({"from": row.column, "to": row.target, **options})


def _options(row: entities.FieldMapping) -> dict[str, Any]:
    options = {
        "when_empty": (row.when_empty, "keep"),
        "multi": (row.multi, "replace"),
        "country": (row.country, ""),
        "round": (row.rounds, False),
        "write": (row.policy, "always"),
    }
    return {name: value for name, (value, default) in options.items() if value != default}
