"""Plans a check for drift, or a run that restores: the records that are as they were accepted, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import Change
from activations.planning.plan import Planner
from activations.planning.unchanged import scope
from activations.planning.writer import CHUNK
from activations.storage import bulk, bundles

if TYPE_CHECKING:
    import numpy as np

    from activations.planning.mapping import Rows
    from activations.planning.picked import Picked
    from activations.planning.unchanged.scope import Scope
    from activations.planning.verdicts import Known
    from segments.contract import Skipped


class ScopedPlanner(Planner):
    """One pass that picks the records whose values are compared. It decides nothing about any other row."""

    def __init__(self, within: Scope, *args: Any) -> None:
        super().__init__(*args)
        self.within = within

    def _scan(self, keys: np.ndarray, row_digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        places, _ = self.scan.scan(keys, row_digests, full=True)
        return places, (places >= 0) & self.within.rows(keys)

    def _decide_rows(self, picked: Picked, rows: Rows, known: Known) -> None:
        verdict = scope.unchanged(self.layout, rows, known, picked.keys, self.within)
        if verdict.send.any():
            self.writer.add_changes(picked.changes(rows, verdict, self.layout.slots))

    def _list_keyless(self, keys: np.ndarray) -> None:
        """No other row is listed."""

    def _list_skipped(self, skipped: Skipped) -> None:
        self.scan.skipped_lines = skipped.count

    def _finalize(self) -> dict[str, int]:
        """Drops rows that share a key: nobody knows which of them was accepted."""
        duplicates = list(self.scan.duplicates())
        self.writer.unpack(duplicates)
        for chunk in bulk.chunks(duplicates, CHUNK):
            with self.lease.fenced():
                self.writer.changes_of(chunk).delete()
        run = self.context.run
        planned = bundles.counts(run).known + Change.objects.filter(run=run).count()
        return {"rows": self.scan.rows + self.scan.skipped_lines, "new": 0, "known": planned, "planned": planned}
