"""The computed fields of a model in the file: read first, and validated once its relations are known."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from activations import text_template
from core.errors import Misconfigured
from dinmo.workspace import entities
from dinmo.workspace.kinds.segments import model_scopes
from segments.conditions import computed_fields, parsing
from segments.conditions.computed_fields import KINDS, MAX_FIELDS
from segments.conditions.tree import columns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope

_KEYS = ("related", "through", *KINDS, "where", "labels", "otherwise")


def read(block: Block, taken: Collection[str], existing: entities.Model | None) -> tuple[entities.Computed, ...]:
    """The computed fields of a model, not validated yet: the existing ones if the file has no key `computed`.

    Args:
        taken: the names of the other columns.
    """
    if not block.has("computed"):
        fields = existing.computed if existing else ()
    else:
        fields = tuple(field for item in block.blocks("computed", "A computed field") if (field := _field(item)))
    names = [field.name for field in fields]
    if len(names) > MAX_FIELDS:
        block.report("computed", f"A model can have at most {MAX_FIELDS} computed fields.")
    for name in dict.fromkeys(name for name in names if name in taken or names.count(name) > 1):
        block.report("computed", f"Two columns are named “{name}”. Choose a different name for one of them.")
    return fields


def validate(block: Block, name: str, scope: Scope) -> None:
    """Validates the computed fields of a model and determines their types. Relations are known by now."""
    if any(scope.declared[section] - set(scope.defined[section]) for section in ("models", "relations")):
        return
    model, workspace = scope.defined["models"][name], scope.workspace().applied_to(scope.existing)
    about = replace(model_scopes(workspace, model.source)[name], types=model.source_types(), computed={})
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
    scope.add("models", replace(model, computed=tuple(fields)))


def refuse_used(block: Block, name: str, scope: Scope) -> None:
    """Adds a problem if a computed field is removed that is used by something that is not in the file."""
    before = scope.existing.models.get(name)
    after = scope.defined["models"].get(name)
    if before and after:
        for field in before.computed:
            if field.name not in after.types():
                for user in _users(name, field.name, scope):
                    block.report(
                        "computed", f"The computed field “{field.name}” can't be removed, because {user} uses it."
                    )


def _users(model: str, column: str, scope: Scope) -> Iterator[str]:
    existing = scope.existing
    for segment in existing.segments.values():
        if segment.name not in scope.defined["segments"] and column in _columns_used(segment, model):
            yield f"the segment “{segment.name}”"
    for activation in existing.activations.values():
        about = existing.segments[activation.segment].model if activation.segment else activation.model
        mapped = [name for row in activation.mappings for name in (row.column, *text_template.columns(row.template))]
        if about == model and activation.name not in scope.defined["activations"] and column in mapped:
            yield f"the activation “{activation.name}”"


def _columns_used(segment: entities.Segment, model: str) -> set[str]:
    """The columns of the model that a segment uses."""
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
