"""The segments of the file, with each condition judged at its own line."""

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
    """A segment of the file; without `where` it holds every row of its model."""
    name = block.name()
    model = scope.find("models", block, "model")
    where, limit = block.node("where"), block.node("limit")
    if where and model:
        scope.later["segments"].append(lambda: _check(block.problems, where, name, model.name, scope))
    return entities.Segment(
        name=name,
        model=model.name if model else "",
        where=where.plain() if where and isinstance(where.value, dict) else {},
        limit=_limit(block, limit, model.types()) if limit and model else {},
        description=block.text("description", longest=DESCRIPTION_LENGTH),
        tags=tuple(tags_of(text for _, text in block.texts("tags"))),
        lines=block.lines(),
    )


def world(workspace: entities.Workspace, source: str) -> dict[str, ModelScope]:
    """What the conditions of a source's models can name."""
    links = links_by_model((one.model, one.column, one.to_model, one.to_column) for one in workspace.relations.values())
    found: dict[str, ModelScope] = {}
    for model in workspace.models.values():
        if model.source == source:
            own = {
                one.name: Definition(one.where, one.limit)
                for one in workspace.segments.values()
                if one.model == model.name
            }
            found[model.name] = ModelScope(
                model.types(), model.name, tuple(links[model.name]), own, found, model.definitions()
            )
    return found


def _limit(block: Block, node: Node, types: dict[str, str]) -> dict[str, Any]:
    try:
        return limits.plain(limits.parse(node.plain(), types))
    except Misconfigured as problem:
        block.problems.add(node.line, problem.message)
        return {}


def _check(problems: Problems, where: Node, name: str, model: str, scope: Scope) -> None:
    """Once all segments of the file are known: a condition may name one that stands further down."""
    workspace = scope.workspace().over(scope.standing)
    about = world(workspace, workspace.models[model].source).get(model)
    # A computed field without a type could not be judged, which has been told.
    if about is None or not all(one.type for model in workspace.models.values() for one in model.computed):
        return
    unread = scope.declared["segments"] - set(scope.said["segments"])
    about = replace(about, segments={**about.segments, **{one: Definition({}) for one in unread}})
    before = len(problems.found)
    for node in _leaves(where):
        if isinstance(node.value, dict) and "is" in node.value and not isinstance(node.value["is"].value, str):
            problems.add(node.line, "`is` takes one word, e.g. `equals`.")
        else:
            _judge(problems, node, {"all": [node.plain()]}, about, name)
    if len(problems.found) == before:
        _judge(problems, where, where.plain(), about, name)


def _leaves(node: Node) -> Iterator[Node]:
    """What is no well-formed group: conditions, and what can't be understood."""
    inner = (
        node.value.get("all", node.value.get("any")) if isinstance(node.value, dict) and len(node.value) == 1 else None
    )
    if inner is not None and isinstance(inner.value, list):
        for child in inner.value:
            yield from _leaves(child)
    elif node.value != {}:
        yield node


def _judge(problems: Problems, node: Node, tree: Any, about: ModelScope, name: str) -> None:
    try:
        parsing.parse(tree, about, name=name)
    except Misconfigured as problem:
        problems.add(node.line, problem.message)
