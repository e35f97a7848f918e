"""PURE. A channel that sends alerts, as a workspace contains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from dinmo.workspace.entity import Entity, without_empty

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Channel(Entity):
    """A channel that sends alerts. `digest_at` is "HH:MM" in UTC, or "" for one that sends immediately."""

    noun: ClassVar[str] = "alert channel"
    kind: str
    config: Mapping[str, Any]
    secrets: Mapping[str, Any] = field(repr=False)
    events: tuple[str, ...]
    digest_at: str = ""
    enabled: bool = True

    def details(self) -> dict[str, Any]:
        own = {"kind": self.kind, "events": self.events, "digest_at": self.digest_at, "enabled": self.enabled}
        return {**own, **without_empty(self.config), **without_empty(self.secrets)}
