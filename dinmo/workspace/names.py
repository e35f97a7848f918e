"""PURE. What names mean while a file is read: what the file has said so far, over what stands already."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from dinmo.workspace import entities
from dinmo.workspace.block import Block, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable

SECTIONS = tuple(item.name for item in fields(entities.Workspace))


class Scope:
    """Grows section by section. Only what was read without a problem counts as said, so that one mistake is told once."""

    def __init__(self, standing: entities.Workspace) -> None:
        self.standing = standing
        self.said: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        self.declared: dict[str, set[str]] = defaultdict(set)
        self.later: dict[str, list[Callable[[], None]]] = defaultdict(list)
        """What can be checked only once a whole section is known, by that section."""

    def declare(self, section: str, block: Block, name: str) -> None:
        """Notes a name as used by the file, and refuses it where it is used already."""
        if name and name in self.declared[section]:
            block.wrong(
                "name", f"{name!r} stands twice under `{section}`. Names are identities: give one of them another name."
            )
        self.declared[section].add(name)

    def say(self, section: str, thing: entities.Entity) -> None:
        self.said[section][thing.name] = thing

    def held(self, section: str) -> dict[str, Any]:
        """Everything of a section by name, as it will be."""
        return {**getattr(self.standing, section), **self.said[section]}

    def find(self, section: str, block: Block, key: str) -> Any | None:
        """The thing that `key` names; None, with a problem noted, where there is none."""
        name = block.name(key)
        held = self.held(section)
        if name in self.declared[section] and name not in self.said[section]:
            block.sound = False
            return None
        if not name:
            return None
        if name not in held:
            noun = section.removesuffix("s")
            shown = block.held[key].written
            block.wrong(
                key,
                f"There is no {noun} called {shown!r}, neither in this file nor in the database."
                + did_you_mean(shown, held),
            )
        return held.get(name)

    def workspace(self) -> entities.Workspace:
        """All that the file says."""
        return entities.Workspace(**self.said)
