"""A workspace file → what it wants, or everything that is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dinmo.workspace import entities, yaml_document
from dinmo.workspace.block import Block
from dinmo.workspace.kinds import accounts, activations, models, relations, segments
from dinmo.workspace.names import Scope
from dinmo.workspace.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def read(
    text: str, environment: Mapping[str, str], standing: entities.Workspace, ask: models.Ask
) -> entities.Workspace:
    """What the text wants, checked against itself, against what stands, and against its sources.

    Args:
        environment: where `${NAME}` is looked up.
        standing: the workspace in the database: names may refer to it, and omitted secrets come from it.
        ask: finds the columns of a model.

    Raises:
        problems.Refused: with everything that is wrong.
    """
    problems = Problems()
    top = Block(yaml_document.parse(text, environment, problems), "The workspace", problems)
    # Where a variable is missing, a source would be asked with wrong credentials.
    reader_of_models = models.Reader(None if problems.found else ask)
    scope = Scope(standing)
    readers: dict[str, tuple[str, Callable[[Block, Scope], entities.Entity]]] = {
        "sources": ("A source", accounts.source),
        "models": ("A model", reader_of_models),
        "relations": ("A relation", relations.read),
        "segments": ("A segment", segments.read),
        "connections": ("A connection", accounts.connection),
        "destinations": ("A destination", accounts.destination),
        "activations": ("An activation", activations.read),
    }
    for section, (what, reader) in readers.items():
        for block in top.blocks(section, what):
            _say(scope, section, block, reader)
        for check in scope.later.pop(section, []):
            check()
    top.close()
    problems.settle()
    return scope.workspace()


def _say(scope: Scope, section: str, block: Block, reader: Callable[[Block, Scope], entities.Entity]) -> None:
    before = len(block.problems.found)
    if not block.broken:
        thing = reader(block, scope)
        block.close()
        scope.declare(section, block, thing.name)
        if block.sound and len(block.problems.found) == before:
            scope.say(section, thing)
