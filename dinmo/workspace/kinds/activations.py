"""The activations in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import FieldMapping
from activations.setup import rules
from activations.setup.attached.rules import PLACE
from destinations.contract import Mode
from destinations.kit.values.countries import alpha2
from destinations.registry import services
from dinmo.workspace import entities
from dinmo.workspace.block import Block
from dinmo.workspace.kinds import attached, schedules, settings

if TYPE_CHECKING:
    from core.errors import Misconfigured
    from dinmo.workspace.names import Scope

TEMPLATE_LENGTH = 2_000
Rows = list[tuple[int, entities.FieldMapping]]
"""Each mapping with its line."""


def read(block: Block, scope: Scope) -> entities.Activation:
    """An activation in the file."""
    name = block.name()
    segment, model = _rows(block, scope)
    destination = scope.find("destinations", block, "destination")
    match_column, match_field = _match(block)
    rows = [*_fields(block), *_custom_attributes(block)]
    activation = entities.Activation(
        name=name,
        segment=segment.name if segment else "",
        model=model.name if model and not segment else "",
        destination=destination.name if destination else "",
        mode=_mode(block, destination),
        match_column=match_column,
        match_field=match_field,
        mappings=tuple(row for _, row in rows),
        schedules=schedules.read(block, scope, name),
        attach=attached.read(block, scope, destination),
        settings=settings.read(block),
        lines=block.lines(),
    )
    if model and destination and match_column and match_field:
        _check(block, scope, activation, rows)
    return activation


def _rows(block: Block, scope: Scope) -> tuple[entities.Segment | None, entities.Model | None]:
    """The segment, if there is one, and the model that rows come from."""
    if block.has("segment") == block.has("model"):
        block.problems.add(block.line, "An activation needs either a `segment` or a `model`.")
        return None, None
    if block.has("model"):
        return None, scope.find("models", block, "model")
    segment = scope.find("segments", block, "segment")
    return segment, scope.visible("models").get(segment.model) if segment else None


def _mode(block: Block, destination: entities.Destination | None) -> str:
    default = services[destination.service].default_mode if destination else Mode.UPSERT
    mode = block.choice("mode", [mode.value for mode in Mode], default.value)
    if not block.has("insert_new"):
        return mode
    if block.has("mode"):
        block.report(
            "insert_new",
            "Set `mode` or `insert_new`, not both. `insert_new: true` means upsert, and `false` means update.",
        )
    return (Mode.UPSERT if block.flag("insert_new", True) else Mode.UPDATE).value


def _match(block: Block) -> tuple[str, str]:
    match = block.block("match", "The match")
    if match is None:
        block.report("match", "An activation needs `match: {from: column, to: attribute}`.")
        return "", ""
    pair = match.text("from", required=True), match.text("to", required=True)
    match.close()
    return pair


def _fields(block: Block) -> Rows:
    """The key `fields`: each attribute gets the value of a column, text of several columns, or a fixed value."""
    rows = []
    for row in block.blocks("fields", "A field"):
        value = row.node("value")
        if sum([row.has("from"), row.has("template"), value is not None]) != 1:
            row.problems.add(row.line, 'A field needs one of `from: column`, `template: "{column} …"` or `value: …`.')
        target, plain = row.text("to", required=True), value.plain() if value else None
        template = row.text("template", longest=TEMPLATE_LENGTH)
        rows.append((row.line, _row(row, row.text("from"), target, plain, template=template)))
    return rows


def _custom_attributes(block: Block) -> Rows:
    """The key `custom_attributes`: names of columns, or blocks for those with options."""
    rows = []
    for node in block.items("custom_attributes"):
        if isinstance(node.value, str) and node.value:
            rows.append((node.line, entities.FieldMapping(target=node.value, column=node.value, custom_attribute=True)))
            continue
        row = Block(node, "A custom attribute", block.problems)
        column = row.text("from", required=True)
        rows.append((row.line, _row(row, column, row.text("to", default=column), None, custom=True)))
    return rows


def _row(
    row: Block, column: str, target: str, value: object, custom: bool = False, template: str = ""
) -> entities.FieldMapping:
    mapping = entities.FieldMapping(
        target=target,
        column=column,
        value=value,
        when_empty=row.choice("when_empty", ("keep", "clear"), "keep"),
        multi=row.choice("multi", ("replace", "add", "detach"), "replace"),
        custom_attribute=custom,
        country=_country(row),
        template=template,
        rounds=row.flag("round", False),
        policy=row.choice("write", tuple(FieldMapping.Policy.values), "always"),
    )
    row.close()
    return mapping


def _country(row: Block) -> str:
    """The key `country` as ISO alpha-2."""
    name = row.text("country")
    code = alpha2(name) if name else ""
    if code is None:
        row.report("country", "`country` takes an ISO 3166 code such as FR, or the English name of a country.")
    return code or ""


def _check(block: Block, scope: Scope, activation: entities.Activation, rows: Rows) -> None:
    """Adds the problems that the rules find, each at the line that it is about."""
    workspace = scope.workspace().applied_to(scope.existing)
    spec, fields = workspace.spec(activation), workspace.destinations[activation.destination].known_fields
    for problem in (*rules.offline(spec), *rules.new_field_problems(spec, fields)):
        block.problems.add(_line(block, rows, problem), problem.message)


def _line(block: Block, rows: Rows, problem: Misconfigured) -> int:
    """The line that a problem is about: that of a key, of a column, or of an attribute's last mapping."""
    keys = {
        "service_platform": "destination",
        "model_kind": "model" if block.has("model") else "segment",
        "mode": "insert_new" if block.has("insert_new") else "mode",
    }
    if problem.where.startswith(f"{PLACE}."):
        return block.at(PLACE)
    if problem.code in keys:
        return block.at(keys[problem.code])
    if problem.code == "custom_attribute":
        return block.at("custom_attributes")
    if problem.code == "column_unknown":
        return next((line for line, row in rows if row.column == problem.where), block.at("match"))
    return next((line for line, row in reversed(rows) if row.target == problem.where), block.at("match"))
