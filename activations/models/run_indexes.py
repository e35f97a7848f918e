"""The indexes of runs: for the lists, the sweep and the overview."""

from __future__ import annotations

from django.db.models import Index, Q

_LISTED = Q(previewed_by=None)
_COUNTED = ["accepted", "created", "rejected", "invalid", "unknown", "not_sent"]
INDEXES = [
    Index(fields=["state", "-id"], name="run_by_state"),
    Index(fields=["follow_up"], condition=Q(follow_up=True), name="run_follow_up"),
    Index(fields=["activation", "-id"], name="run_newest"),
    Index(fields=["finished_at"], name="run_finished"),
    # What lists and the overview count, read from the index alone: the rows themselves are wide.
    Index(fields=["created_at"], condition=_LISTED, name="run_created_at"),
    Index(fields=["trigger", "created_at"], condition=_LISTED, name="run_trigger"),
    Index(fields=["finished_at"], include=_COUNTED, condition=Q(dry_run=False, previewed_by=None), name="run_totals"),
]
