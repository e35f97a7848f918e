"""The computed fields of a model in the file: read, and judged once its relations are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from core.errors import Misconfigured
from dinmo.workspace import entities
from dinmo.workspace.kinds.segments import world
from segments.conditions import computed_fields, parsing
from segments.conditions.computed_fields import KINDS, MAX_FIELDS
from segments.conditions.tree import columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope

_KEYS = ("related", "through", *KINDS, "where", "labels", "otherwise")


def read(block: Block, taken: Collection[str], stands: entities.Model | None) -> tuple[entities.Computed, ...]:
    """The computed fields that the file wants, not yet judged; as they stand, where it says nothing of `computed`.

    Args:
        taken: the names of the other columns.
    """
    if not block.has("computed"):
        found = stands.computed if stands else ()
    else:
        found = tuple(one for item in block.blocks("computed", "A computed field") if (one := _field(item)))
    names = [one.name for one in found]
    if len(names) > MAX_FIELDS:
        block.wrong("computed", f"A model can have at most {MAX_FIELDS} computed fields.")
    for name in dict.fromkeys(name for name in names if name in taken or names.count(name) > 1):
        block.wrong("computed", f"Two columns would be called {name!r}. Give one of them another name.")
    return found


def settle(block: Block, name: str, scope: Scope) -> None:
    """Judges the computed fields of a model, and gives them their types; relations are known by now."""
    if any(scope.declared[section] - set(scope.said[section]) for section in ("models", "relations")):
        return
    model, workspace = scope.said["models"][name], scope.workspace().over(scope.standing)
    about = replace(world(workspace, model.source)[name], types=model.source_types(), computed={})
    fields = []
    for field in model.computed:
        about = replace(about, computed={**about.computed, field.name: field.definition})
        try:
            type_name = str(computed_fields.type_of(computed_fields.formula_of(about, field.name), about))
        except Misconfigured as problem:
            block.problems.add(field.line or block.line, problem.message)
            return
        about = replace(about, types={**about.types, field.name: type_name})
        fields.append(replace(field, type=type_name))
    scope.say("models", replace(model, computed=tuple(fields)))


def refuse_used(block: Block, name: str, scope: Scope) -> None:
    """Notes where a computed field is left out that something uses of which the file says nothing."""
    before = scope.standing.models.get(name)
    after = scope.said["models"].get(name)
    if before and after:
        for field in before.computed:
            if field.name not in after.types():
                for user in _users(name, field.name, scope):
                    block.wrong("computed", f"The computed field {field.name!r} can't be left out: {user} uses it.")


def _users(model: str, column: str, scope: Scope) -> Iterator[str]:
    standing = scope.standing
    for segment in standing.segments.values():
        if segment.name not in scope.said["segments"] and column in _named(segment, model):
            yield f"the segment {segment.name!r}"
    for activation in standing.activations.values():
        about = standing.segments[activation.segment].model if activation.segment else activation.model
        mapped = [mapping.column for mapping in activation.mappings]
        if about == model and activation.name not in scope.said["activations"] and column in mapped:
            yield f"the activation {activation.name!r}"


def _named(segment: entities.Segment, model: str) -> set[str]:
    """The columns of the model that a segment looks at."""
    limit = {str(segment.limit.get("order_by"))} if segment.model == model else set()
    return limit | set(columns(parsing.parse(segment.where), segment.model, model))


def _field(block: Block) -> entities.Computed | None:
    name = block.name()
    nodes = {key: node for key in _KEYS if (node := block.node(key))}
    block.close()
    try:
        definition = computed_fields.plain(computed_fields.parse({key: node.plain() for key, node in nodes.items()}))
    except Misconfigured as problem:
        block.problems.add(block.line, problem.message)
        return None
    return entities.Computed(name=name, definition=definition, line=block.line) if name else None
