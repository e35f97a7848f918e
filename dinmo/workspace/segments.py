"""PURE. The segments of the file, with each condition judged at its own line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from core.errors import Misconfigured
from dinmo.workspace import things
from dinmo.workspace.document import Node
from dinmo.workspace.reading import Block
from dinmo.workspace.scope import Scope
from segments import conditions

DESCRIPTION_LENGTH = 10_000


def read(block: Block, scope: Scope) -> things.Segment:
    """A segment of the file; without `where` it holds every row of its model."""
    name = block.name()
    model = scope.find("models", block, "model")
    where = block.node("where")
    if where and model:
        _check(block, where, model.types())
    return things.Segment(
        name=name,
        model=model.name if model else "",
        where=where.plain() if where and isinstance(where.value, dict) else {},
        description=block.text("description", longest=DESCRIPTION_LENGTH),
        lines=block.lines(),
    )


def _check(block: Block, where: Node, types: dict[str, str]) -> None:
    before = len(block.problems.found)
    for node in _leaves(where):
        if isinstance(node.value, dict) and "is" in node.value and not isinstance(node.value["is"].value, str):
            block.problems.add(node.line, "`is` takes one word, e.g. `equals`.")
        else:
            _judge(block, node, {"all": [node.plain()]}, types)
    if len(block.problems.found) == before:
        _judge(block, where, where.plain(), types)


def _leaves(node: Node) -> Iterator[Node]:
    """What is no well-formed group: conditions, and what can't be understood."""
    inner = node.value.get("all", node.value.get("any")) if isinstance(node.value, dict) and len(node.value) == 1 else None
    if inner is not None and isinstance(inner.value, list):
        for child in inner.value:
            yield from _leaves(child)
    elif node.value != {}:
        yield node


def _judge(block: Block, node: Node, tree: Any, types: dict[str, str]) -> None:
    try:
        conditions.validate(conditions.parse(tree), types)
    except Misconfigured as problem:
        block.problems.add(node.line, problem.message)
