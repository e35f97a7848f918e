"""Reads a workspace file: the workspace that it describes, or all of its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dinmo.workspace import entities, yaml_document
from dinmo.workspace.block import Block
from dinmo.workspace.kinds import accounts, activations, alerts, models, relations, segments
from dinmo.workspace.names import Scope
from dinmo.workspace.problems import Problems

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from dinmo.workspace.entity import Entity


def read(
    text: str, environment: Mapping[str, str], existing: entities.Workspace, read_columns: models.ColumnReader
) -> entities.Workspace:
    """The workspace that the text describes, validated together with the existing one and with the sources.

    Args:
        environment: the variables that replace `${NAME}`.
        existing: the workspace in the database. Names may refer to it, and omitted secrets come from it.
        read_columns: reads the columns of a model from its source.

    Raises:
        problems.Refused: the text has problems.
    """
    problems = Problems()
    top = Block(yaml_document.parse(text, environment, problems), "The workspace", problems)
    # If a variable is missing, a source would be opened with incorrect credentials.
    model_reader = models.Reader(None if problems.items else read_columns)
    scope = Scope(existing)
    readers: dict[str, tuple[str, Callable[[Block, Scope], Entity]]] = {
        "sources": ("A source", accounts.source),
        "models": ("A model", model_reader),
        "relations": ("A relation", relations.read),
        "segments": ("A segment", segments.read),
        "connections": ("A connection", accounts.connection),
        "destinations": ("A destination", accounts.destination),
        "activations": ("An activation", activations.read),
    }
    for section, (what, reader) in readers.items():
        for block in top.blocks(section, what):
            _read_block(scope, section, block, reader)
        for check in scope.deferred.pop(section, []):
            check()
    alerts.read(top, scope)
    top.close()
    problems.raise_if_any()
    return scope.workspace()


def _read_block(scope: Scope, section: str, block: Block, reader: Callable[[Block, Scope], Entity]) -> None:
    before = len(block.problems.items)
    if not block.broken:
        entity = reader(block, scope)
        block.close()
        scope.declare(section, block, entity.name)
        if block.usable and len(block.problems.items) == before:
            scope.add(section, entity)
