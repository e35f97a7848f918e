"""Writes the workspace as a file. Applying that file changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from destinations.registry import platforms
from dinmo.workspace.kinds import schedules, settings
from dinmo.workspace.kinds.models import display_key, file_table
from dinmo.workspace.yaml_document import escape
from segments.registry import engines

if TYPE_CHECKING:
    from core.parameters import Parameter
    from core.plugins import Registry
    from dinmo.workspace import entities

HEAD = (
    "# The configuration of this workspace, without secrets. A secret that is left out stays as it is.\n"
    "# To set one, write `password: ${NAME}`, for example.\n"
)
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*(?<! )|[0-9]+ [a-z]+")
_BLOCK = re.compile(r"[!-~](?:[ -~]*[!-~])?(?:\n+ *[!-~](?:[ -~]*[!-~])?)*\n?")
_LEAF = (
    "field", "segment", "related", "through", "has", "count", "sum", "average", "min", "max", "is", "value", "where",
    "labels", "otherwise",
)  # fmt: skip
_LIMIT = ("rows", "order_by", "descending")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


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
    return HEAD + out.getvalue()


def _source(entity: entities.Source) -> CommentedMap:
    zone = entity.timezone if entity.timezone != "UTC" else None
    return _account({"name": entity.name, "engine": entity.engine, "timezone": zone}, "engine", entity, engines)


def _connection(entity: entities.Connection) -> CommentedMap:
    return _account({"name": entity.name, "platform": entity.platform}, "platform", entity, platforms)


def _account(
    head: Mapping[str, Any], slug: str, entity: entities.Source | entities.Connection, registry: Registry[Any]
) -> CommentedMap:
    plugin = registry.all.get(head[slug])
    written = _block({**head, **_settings(entity.config, plugin.parameters if plugin else ())})
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
    return _block(
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
    return _flow({"from": entity.origin or entity.name, **shown})


def _computed(entity: entities.Computed) -> CommentedMap:
    definition = dict(sorted(entity.definition.items(), key=_place))
    labels = [_block({**item, "where": _conditions(item["where"])}) for item in definition.get("labels", ())]
    if labels or "where" in definition:
        return _block(
            {"name": entity.name, **definition, "where": _conditions(definition.get("where", {})), "labels": labels}
        )
    return _flow({"name": entity.name, **definition})


def _segment(entity: entities.Segment) -> CommentedMap:
    return _block(
        {
            "name": entity.name,
            "model": entity.model,
            "description": entity.description,
            "tags": list(entity.tags),
            "where": _conditions(entity.where),
            "limit": _flow({name: entity.limit[name] for name in _LIMIT if name in entity.limit}),
        }
    )


def _relation(entity: entities.Relation) -> CommentedMap:
    return _flow({"from": f"{entity.model}.{entity.column}", "to": f"{entity.to_model}.{entity.to_column}"})


def _destination(entity: entities.Destination) -> CommentedMap:
    return _block({"name": entity.name, "connection": entity.connection, "service": entity.service})


def _activation(entity: entities.Activation) -> CommentedMap:
    return _block(
        {
            "name": entity.name,
            "segment": entity.segment,
            "model": entity.model,
            "destination": entity.destination,
            "mode": entity.mode,
            "match": _flow({"from": entity.match_column, "to": entity.match_field}),
            "fields": [_field(row) for row in entity.mappings if not row.custom_attribute],
            "custom_attributes": [_custom(row) for row in entity.mappings if row.custom_attribute],
            "schedules": [_flow(schedules.written(schedule)) for schedule in entity.schedules],
            **{
                key: _flow(value) if isinstance(value, Mapping) else value
                for key, value in settings.written(entity.settings).items()
            },
        }
    )


def _field(row: entities.FieldMapping) -> CommentedMap:
    text = {"from": row.column, "template": row.template}
    origin: dict[str, Any] = {key: value for key, value in text.items() if value} or {"value": row.value}
    written = _flow({**origin, "to": row.target, **_options(row)})
    if "value" in origin and "value" not in written:
        written.insert(0, "value", as_yaml(row.value))
    return written


def _custom(row: entities.FieldMapping) -> Any:
    options = _options(row)
    if row.target == row.column and not options:
        return as_yaml(row.column)
    return _flow({"from": row.column, "to": row.target, **options})


def _options(row: entities.FieldMapping) -> dict[str, Any]:
    options = {
        "when_empty": (row.when_empty, "keep"),
        "multi": (row.multi, "replace"),
        "country": (row.country, ""),
        "round": (row.rounds, False),
    }
    return {name: value for name, (value, default) in options.items() if value != default}


def _block(pairs: Mapping[str, Any]) -> CommentedMap:
    """A YAML mapping without empty values."""
    return CommentedMap(
        (key, as_yaml(value)) for key, value in pairs.items() if value is not None and value not in ("", [], {}, ())
    )


def _flow(pairs: Mapping[str, Any]) -> CommentedMap:
    written = _block(pairs)
    written.fa.set_flow_style()
    return written


def _conditions(tree: Any) -> Any:
    """A condition tree: groups in block style, and each condition on one line."""
    if isinstance(tree, Mapping) and all(isinstance(group, list) for group in tree.values()):
        return CommentedMap((key, [_conditions(item) for item in group]) for key, group in tree.items())
    written = as_yaml(dict(sorted(tree.items(), key=_place)) if isinstance(tree, Mapping) else tree)
    if isinstance(written, CommentedMap):
        written.fa.set_flow_style()
    return written


def _place(item: tuple[str, Any]) -> tuple[int, str]:
    """The sort key of a condition's keys, since some databases reorder the keys of JSON."""
    return (_LEAF.index(item[0]) if item[0] in _LEAF else len(_LEAF), item[0])


def as_yaml(value: Any) -> Any:
    """The value in a form that is read back unchanged: text that YAML could mistake for something else is quoted."""
    if isinstance(value, CommentedMap):
        return value
    if isinstance(value, str):
        return _text(escape(value))
    if isinstance(value, Mapping):
        return CommentedMap((_text(str(key)), as_yaml(item)) for key, item in value.items())
    if isinstance(value, Sequence):
        return [as_yaml(item) for item in value]
    return value


def _text(words: str) -> str:
    if "\n" in words and _BLOCK.fullmatch(words):
        return LiteralScalarString(words)
    if _PLAIN.fullmatch(words) and words.lower() not in _WORDS:
        return words
    return DoubleQuotedScalarString(words)
