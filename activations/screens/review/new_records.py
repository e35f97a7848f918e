"""How many of the records that a dry run found new exist at the destination already: looked up there, never written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from activations.vendor_session import open_context
from destinations.contract import Mode

if TYPE_CHECKING:
    from activations.models import Change, Run

MOST_LOOKUPS = 200
"""Records that are looked up at the destination for one review."""


@dataclass(frozen=True)
class Split:
    """The new records of a dry run: how many were looked up, and how many of these exist."""

    new: int
    looked_up: int
    existing: int

    @property
    def is_complete(self) -> bool:
        return self.looked_up >= self.new

    def counts(self, mode: str, known: int) -> list[tuple[str, int]]:
        """PURE. What a run would do, as labels and numbers. If not all were looked up, the numbers are estimates.

        Args:
            known: how many records that were sent before have changed.
        """
        existing = self.new * self.existing // self.looked_up if self.looked_up else 0
        missing = self.new - existing
        created = missing if mode != Mode.UPDATE else 0
        updated = known + (existing if mode != Mode.INSERT else 0)
        skipped = {Mode.UPDATE: missing, Mode.INSERT: existing}.get(Mode(mode), 0)
        return [("Would create", created), ("Would update", updated), ("Would skip", skipped)]


def split(run: Run) -> Split:
    """Looks up the first new records of a dry run at the destination.

    Raises:
        Misconfigured, Unavailable
    """
    new = run.changes.filter(outcome="", is_new=True).order_by("pk")
    changes: list[Change] = list(new[:MOST_LOOKUPS])
    if not changes:
        return Split(run.new, 0, 0)
    with open_context(run) as context:
        service, field = context.service, context.match_field
        parts = [set(service.identities(field, change.match_value)) for change in changes]
        names = sorted(set().union(*parts))
        found: set[str] = set()
        for start in range(0, len(names), service.limits.find_batch):
            found.update(service.find(context.client, field, names[start : start + service.limits.find_batch]))
    return Split(run.new, len(changes), sum(not identities.isdisjoint(found) for identities in parts))
