"""The segments in the file. The problems of each condition are reported at its own line."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured
from dinmo.workspace import entities
from segments.conditions import limits, parsing
from segments.conditions.scope import Definition, ModelScope
from segments.conditions.scope_from_db import links_by_model
from segments.integrity.segments import tags_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dinmo.workspace.block import Block
    from dinmo.workspace.names import Scope
    from dinmo.workspace.problems import Problems
    from dinmo.workspace.yaml_document import Node

DESCRIPTION_LENGTH = 10_000


def read(block: Block, scope: Scope) -> entities.Segment:
    """A segment in the file. Without `where`, it contains every row of its model."""
    name = block.name()
    model = scope.find("models", block, "model")
    where, limit = block.node("where"), block.node("limit")
    if where and model:
        scope.deferred["segments"].append(lambda: _check(block.problems, where, name, model.name, scope))
    return entities.Segment(
        name=name,
        model=model.name if model else "",
        where=where.plain() if where and isinstance(where.value, dict) else {},
        limit=_limit(block, limit, model.types()) if limit and model else {},
        description=block.text("description", longest=DESCRIPTION_LENGTH),
        tags=tuple(tags_of(text for _, text in block.texts("tags"))),
        lines=block.lines(),
    )


def model_scopes(workspace: entities.Workspace, source: str) -> dict[str, ModelScope]:
    """The scope of each model of a source: what conditions can refer to."""
    links = links_by_model(
        (relation.model, relation.column, relation.to_model, relation.to_column)
        for relation in workspace.relations.values()
    )
    scopes: dict[str, ModelScope] = {}
    for model in workspace.models.values():
        if model.source == source:
            segments = {
                segment.name: Definition(segment.where, segment.limit)
                for segment in workspace.segments.values()
                if segment.model == model.name
            }
            scopes[model.name] = ModelScope(
                model.types(), model.name, tuple(links[model.name]), segments, scopes, model.definitions()
            )
    return scopes


def _limit(block: Block, node: Node, types: dict[str, str]) -> dict[str, Any]:
    try:
        return limits.plain(limits.parse(node.plain(), types))
    except Misconfigured as problem:
        block.problems.add(node.line, problem.message)
        return {}


def _check(problems: Problems, where: Node, name: str, model: str, scope: Scope) -> None:
    """Called once all segments in the file are known, since a condition may refer to one further down."""
    workspace = scope.workspace().applied_to(scope.existing)
    about = model_scopes(workspace, workspace.models[model].source).get(model)
    # A computed field has no type if it has a problem, which has already been added.
    if about is None or not all(field.type for model in workspace.models.values() for field in model.computed):
        return
    undefined = scope.declared["segments"] - set(scope.defined["segments"])
    about = replace(about, segments={**about.segments, **{unread: Definition({}) for unread in undefined}})
    before = len(problems.items)
    for node in _leaves(where):
        if isinstance(node.value, dict) and "is" in node.value and not isinstance(node.value["is"].value, str):
            problems.add(node.line, "`is` must be one word, such as `equals`.")
        else:
            _validate(problems, node, {"all": [node.plain()]}, about, name)
    if len(problems.items) == before:
        _validate(problems, where, where.plain(), about, name)


def _leaves(node: Node) -> Iterator[Node]:
    """Everything but well-formed groups: conditions, and what can't be understood."""
    inner = (
        node.value.get("all", node.value.get("any")) if isinstance(node.value, dict) and len(node.value) == 1 else None
    )
    if inner is not None and isinstance(inner.value, list):
        for child in inner.value:
            yield from _leaves(child)
    elif node.value != {}:
        yield node


def _validate(problems: Problems, node: Node, tree: Any, about: ModelScope, name: str) -> None:
    try:
        parsing.parse(tree, about, name=name)
    except Misconfigured as problem:
        problems.add(node.line, problem.message)
