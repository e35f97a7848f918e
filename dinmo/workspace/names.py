"""PURE. The names in scope while a file is read: what it has defined so far, and the existing workspace."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from dinmo.workspace import entities
from dinmo.workspace.block import Block, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

    from dinmo.workspace.entity import Entity

SECTIONS = tuple(item.name for item in fields(entities.Workspace))


class Scope:
    """Grows section by section. Only entities without problems are defined, so that each mistake is reported once.

    If a source has an unknown engine, for example, its models can't be read either. Their names are declared but not
    defined, so segments that use them add no further problem.
    """

    def __init__(self, existing: entities.Workspace) -> None:
        self.existing = existing
        self.defined: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        self.declared: dict[str, set[str]] = defaultdict(set)
        self.deferred: dict[str, list[Callable[[], None]]] = defaultdict(list)
        """Checks that have to wait until a whole section has been read, by that section."""

    def declare(self, section: str, block: Block, name: str) -> None:
        """Marks a name as used in the file, and adds a problem if it is already in use."""
        if name and name in self.declared[section]:
            block.report(
                "name", f"The name “{name}” appears twice under `{section}`. Choose a different name for one of them."
            )
        self.declared[section].add(name)

    def add(self, section: str, entity: Entity) -> None:
        """Defines an entity, or replaces its definition."""
        self.defined[section][entity.name] = entity

    def visible(self, section: str) -> dict[str, Any]:
        """The entities of a section by name: the existing ones, replaced by those that the file defines."""
        return {**getattr(self.existing, section), **self.defined[section]}

    def find(self, section: str, block: Block, key: str) -> Any | None:
        """The entity that `key` names. If there is none, adds a problem and returns None."""
        name = block.name(key)
        visible = self.visible(section)
        if name in self.declared[section] and name not in self.defined[section]:
            block.usable = False
            return None
        if not name:
            return None
        if name not in visible:
            noun = section.removesuffix("s")
            written = block.nodes[key].written
            block.report(
                key,
                f"There is no {noun} named “{written}” in this file or in the database."
                + did_you_mean(written, visible),
            )
        return visible.get(name)

    def workspace(self) -> entities.Workspace:
        """Everything that the file has defined so far."""
        return entities.Workspace(**self.defined)
