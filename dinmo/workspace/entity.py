"""PURE. What all entities of a workspace have in common."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Entity:
    """Something in the workspace that is identified by its name.

    Args:
        lines: the line of each of its keys in the file, and that of the entity itself under "".
    """

    noun: ClassVar[str]
    name: str
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def line(self, key: str = "") -> int:
        """The line of a key, or of the entity if the file doesn't have the key."""
        return self.lines.get(key, self.lines.get("", 1))

    def has_key(self, key: str) -> bool:
        """Whether the file has a key."""
        return key in self.lines

    def details(self) -> dict[str, Any]:
        """Everything to compare, by the names that people know from the file."""
        return {item.name: getattr(self, item.name) for item in fields(self) if item.name not in ("name", "lines")}


def without_empty(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that have a value."""
    return {name: value for name, value in settings.items() if value not in (None, "")}
