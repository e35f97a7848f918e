"""The workspace as a file that, applied to it, changes nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from destinations.registry import platforms
from dinmo.workspace.kinds import settings
from dinmo.workspace.kinds.models import file_table
from dinmo.workspace.yaml_document import escape
from segments.registry import engines

if TYPE_CHECKING:
    from core.parameters import Parameter
    from core.plugins import Registry
    from dinmo.workspace import entities

HEAD = "# The workspace. Secrets are not part of it: one that is left out stays as it is; write e.g. `password: ${NAME}` to set it.\n"
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./ -]*(?<! )|[0-9]+ [a-z]+")
_BLOCK = re.compile(r"[!-~](?:[ -~]*[!-~])?(?:\n+ *[!-~](?:[ -~]*[!-~])?)*\n?")
_LEAF = (
    "field",
    "segment",
    "related",
    "through",
    "has",
    "count",
    "sum",
    "average",
    "min",
    "max",
    "is",
    "value",
    "where",
    "labels",
    "otherwise",
)
_LIMIT = ("rows", "order_by", "descending")
_WORDS = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}


def text(workspace: entities.Workspace) -> str:
    """The YAML of the workspace, without any secret."""
    written = {
        "sources": [_source(thing) for thing in workspace.sources.values()],
        "models": [_model(thing, workspace.sources[thing.source]) for thing in workspace.models.values()],
        "relations": [_relation(thing) for thing in workspace.relations.values()],
        "segments": [_segment(thing) for thing in workspace.segments.values()],
        "connections": [_connection(thing) for thing in workspace.connections.values()],
        "destinations": [_destination(thing) for thing in workspace.destinations.values()],
        "activations": [_activation(thing) for thing in workspace.activations.values()],
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


def _source(thing: entities.Source) -> CommentedMap:
    zone = thing.timezone if thing.timezone != "UTC" else None
    return _account({"name": thing.name, "engine": thing.engine, "timezone": zone}, "engine", thing, engines)


def _connection(thing: entities.Connection) -> CommentedMap:
    return _account({"name": thing.name, "platform": thing.platform}, "platform", thing, platforms)


def _account(
    head: Mapping[str, Any], slug: str, thing: entities.Source | entities.Connection, registry: Registry[Any]
) -> CommentedMap:
    plugin = registry.all.get(head[slug])
    written = _block({**head, **_settings(thing.config, plugin.parameters if plugin else ())})
    hidden = sorted(name for name, value in thing.secrets.items() if value not in (None, ""))
    if hidden:
        written.yaml_add_eol_comment(f"{', '.join(hidden)}: kept, not exported", key=slug)
    return written


def _settings(config: Mapping[str, Any], parameters: Iterable[Parameter]) -> dict[str, Any]:
    """The settings that say something: a default goes without saying."""
    defaults = {parameter.name: parameter.default for parameter in parameters}
    # In the order of the parameters: a database may have another one for the keys of JSON.
    ordered = [*(name for name in defaults if name in config), *sorted(config.keys() - defaults.keys())]
    return {
        name: config[name] for name in ordered if config[name] not in (None, "") and config[name] != defaults.get(name)
    }


def _model(thing: entities.Model, source: entities.Source) -> CommentedMap:
    table = thing.table if thing.table != file_table(source) else None
    return _block(
        {
            "name": thing.name,
            "source": thing.source,
            "kind": thing.kind,
            "table": table,
            "sql": thing.sql,
            "primary_key": thing.primary_key,
            "columns": [
                _column(column) for column in thing.columns if column.origin or not column.used or column.categorical
            ],
            "computed": [_computed(field) for field in thing.computed],
        }
    )


def _column(thing: entities.Column) -> CommentedMap:
    shown = {
        "as": thing.name if thing.origin else None,
        "used": None if thing.used else False,
        "categorical": thing.categorical or None,
    }
    return _flow({"from": thing.origin or thing.name, **shown})


def _computed(thing: entities.Computed) -> CommentedMap:
    definition = dict(sorted(thing.definition.items(), key=_place))
    labels = [_block({**item, "where": _conditions(item["where"])}) for item in definition.get("labels", ())]
    if labels or "where" in definition:
        return _block(
            {"name": thing.name, **definition, "where": _conditions(definition.get("where", {})), "labels": labels}
        )
    return _flow({"name": thing.name, **definition})


def _segment(thing: entities.Segment) -> CommentedMap:
    return _block(
        {
            "name": thing.name,
            "model": thing.model,
            "description": thing.description,
            "tags": list(thing.tags),
            "where": _conditions(thing.where),
            "limit": _flow({name: thing.limit[name] for name in _LIMIT if name in thing.limit}),
        }
    )


def _relation(thing: entities.Relation) -> CommentedMap:
    return _flow({"from": f"{thing.model}.{thing.column}", "to": f"{thing.to_model}.{thing.to_column}"})


def _destination(thing: entities.Destination) -> CommentedMap:
    return _block({"name": thing.name, "connection": thing.connection, "service": thing.service})


def _activation(thing: entities.Activation) -> CommentedMap:
    return _block(
        {
            "name": thing.name,
            "segment": thing.segment,
            "model": thing.model,
            "destination": thing.destination,
            "mode": thing.mode,
            "match": _flow({"from": thing.match_column, "to": thing.match_field}),
            "fields": [_field(row) for row in thing.mappings if not row.custom_attribute],
            "custom_attributes": [_custom(row) for row in thing.mappings if row.custom_attribute],
            "schedules": [_schedule(schedule) for schedule in thing.schedules],
            **{
                key: _flow(value) if isinstance(value, Mapping) else value
                for key, value in settings.written(thing.settings).items()
            },
        }
    )


def _field(row: entities.FieldMapping) -> CommentedMap:
    origin = {"from": row.column} if row.column else {"value": row.value}
    written = _flow({**origin, "to": row.target, **_options(row)})
    if "value" in origin and "value" not in written:
        written.insert(0, "value", as_yaml(row.value))
    return written


def _custom(row: entities.FieldMapping) -> Any:
    options = _options(row)
    if row.target == row.column and not options:
        return as_yaml(row.column)
    return _flow({"from": row.column, "to": row.target, **options})


def _options(row: entities.FieldMapping) -> dict[str, str]:
    options = {"when_empty": (row.when_empty, "keep"), "multi": (row.multi, "replace")}
    return {name: value for name, (value, default) in options.items() if value != default}


def _schedule(schedule: entities.Schedule) -> CommentedMap:
    if schedule.kind == "interval":
        return _flow({"every": f"{schedule.every} {schedule.unit}"})
    zone = schedule.timezone if schedule.timezone != "UTC" else None
    return _flow({"cron": schedule.cron, "days": list(schedule.days), "at": schedule.at, "timezone": zone})


def _block(pairs: Mapping[str, Any]) -> CommentedMap:
    """A mapping without what is empty."""
    return CommentedMap(
        (key, as_yaml(value)) for key, value in pairs.items() if value is not None and value not in ("", [], {}, ())
    )


def _flow(pairs: Mapping[str, Any]) -> CommentedMap:
    written = _block(pairs)
    written.fa.set_flow_style()
    return written


def _conditions(tree: Any) -> Any:
    """Groups below one another, each condition on a line."""
    if isinstance(tree, Mapping) and all(isinstance(held, list) for held in tree.values()):
        return CommentedMap((key, [_conditions(item) for item in held]) for key, held in tree.items())
    written = as_yaml(dict(sorted(tree.items(), key=_place)) if isinstance(tree, Mapping) else tree)
    if isinstance(written, CommentedMap):
        written.fa.set_flow_style()
    return written


def _place(item: tuple[str, Any]) -> tuple[int, str]:
    """What is asked, then how: a database may have another order for the keys of JSON."""
    return (_LEAF.index(item[0]) if item[0] in _LEAF else len(_LEAF), item[0])


def as_yaml(value: Any) -> Any:
    """The value so that reading gives it back: what could be taken for something else is put in quotes."""
    if isinstance(value, CommentedMap):
        return value
    if isinstance(value, str):
        return _text(escape(value))
    if isinstance(value, Mapping):
        return CommentedMap((_text(str(key)), as_yaml(held)) for key, held in value.items())
    if isinstance(value, Sequence):
        return [as_yaml(held) for held in value]
    return value


def _text(words: str) -> str:
    if "\n" in words and _BLOCK.fullmatch(words):
        return LiteralScalarString(words)
    if _PLAIN.fullmatch(words) and words.lower() not in _WORDS:
        return words
    return DoubleQuotedScalarString(words)
