"""PURE. What identifies the records of an activation, and whether a change of it resets the sync history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

RESET = "Reset the sync history"
HOW_TO_RESET = f"“{RESET}” on its page, or `manage.py activate NAME --start-afresh`"


@dataclass(frozen=True)
class Identity:
    """What a baseline is about: if any part differs, what was accepted can no longer be compared.

    Args:
        workspace: the vendor's own ID of the workspace; "" if nobody has asked the vendor yet. Two connections to one
            workspace write to the same records, so the connection itself doesn't matter.
        service: the slug of the service.
        model: the model's ID, or its name in a workspace file.
        key: the model's primary key.
        match: the column and the attribute that records are matched by.
    """

    workspace: str
    service: str
    model: int | str | None
    key: str
    match: tuple[str, str]

    @classmethod
    def parse(cls, stored: Mapping[str, Any]) -> Identity:
        """The identity from its form in `Generation.identity`."""
        column, attribute = stored.get("match") or ("", "")
        return cls(
            workspace=stored.get("workspace", ""),
            service=stored.get("service", ""),
            model=stored.get("model"),
            key=stored.get("key", ""),
            match=(column, attribute),
        )

    def stored(self) -> dict[str, Any]:
        """The form that `parse` takes."""
        return {
            "workspace": self.workspace,
            "service": self.service,
            "key": self.key,
            "model": self.model,
            "match": list(self.match),
        }

    def changes(self, before: Identity) -> tuple[str, ...]:
        """The parts that differ from `before`, in words. An unknown workspace counts as the same: the run finds out."""
        parts = {
            "workspace": bool(self.workspace and before.workspace) and self.workspace != before.workspace,
            "service": self.service != before.service,
            "model": self.model != before.model,
            "primary key": self.key != before.key,
            "match": self.match != before.match,
        }
        return tuple(name for name, differs in parts.items() if differs)


def needs_reset(accepted: Identity | None, before: Identity, after: Identity) -> tuple[str, ...]:
    """The parts because of which saving `after` in place of `before` resets the sync history; empty if it does not.

    Args:
        accepted: what the accepted records belong to; None if there are none. Going back to it resets nothing.
    """
    if accepted is None or not after.changes(before):
        return ()
    return after.changes(accepted)


def reset_sentence(changes: tuple[str, ...]) -> str:
    """What a reset means, for a person who has to agree to it."""
    parts = " and ".join(changes)
    verb = "identifies" if len(changes) == 1 else "identify"
    return (
        f"The {parts} {verb} records that were already synchronized. "
        f"If you change {'it' if len(changes) == 1 else 'them'}, "
        "the sync history is reset, and the next run sends every record again."
    )
