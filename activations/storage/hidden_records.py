"""The records that the destination accepted but does not show: noted in the commit that accepts them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from django.db.models import OuterRef, Q, Subquery

from activations.models import HiddenRecord, Record
from activations.storage import bulk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from django.db.models import QuerySet

    from activations.models import Change, Run
    from destinations.contract import Outcome

STALE_FOR = timedelta(days=1)
"""How long after something was attached the vendor may still report the record as hidden."""
_COLUMNS = ["key", "key_digest", "name", "remote_id", "is_created"]
_NEVER = {"attempts": 0, "tried_run": 0, "retry_run": 0}
_KEPT = ["key", "attempts", "tried_run", "retry_run"]


class Noted:
    """Collects which of the records of a run were reported as hidden or visible, and stores it with its commits.

    Args:
        notes: whether it is stored: the service can make hidden records visible.
    """

    def __init__(self, run: Run, *, notes: bool) -> None:
        assert run.generation_id is not None
        self.generation_id, self.run_number, self.notes = run.generation_id, run.number, notes
        self.reported: list[tuple[Change, bool]] = []

    def accepted(self, change: Change, outcome: Outcome) -> bool:
        """Takes in an accepted change. Returns whether it created a record that is hidden."""
        says_so = bool(outcome.sent) or change.outcome == change.Outcome.MATCHED
        if self.notes and says_so:
            self.reported.append((change, outcome.hidden))
        return change.created and outcome.hidden

    def commit(self, now: datetime) -> None:
        """Notes the hidden records, and forgets those that are visible."""
        hidden = [change for change, is_hidden in self.reported if is_hidden]
        visible = [change.key_digest for change, is_hidden in self.reported if not is_hidden]
        self.reported = []
        if visible:
            _of(self.generation_id, visible).delete()
        if hidden:
            _reopen(self.generation_id, hidden, now)
            shared = {"generation_id": self.generation_id, "reported_run": self.run_number, **_NEVER}
            rows = [(each.key, each.key_digest, each.name, each.remote_id, each.created) for each in hidden]
            bulk.upsert(HiddenRecord, ["generation_id", "key_digest"], shared, _COLUMNS, rows, _KEPT)


def _reopen(generation_id: int, changes: Sequence[Change], now: datetime) -> None:
    """Makes records due again that are hidden although something was attached to them, or that were replaced."""
    remote_ids = {change.key_digest: change.remote_id for change in changes}
    known = _of(generation_id, remote_ids).exclude(tried_run=0)
    stale = [
        record.pk
        for record in known.only("key_digest", "remote_id", "attached_at")
        if record.remote_id != remote_ids[record.key_digest]
        or (record.attached_at and record.attached_at < now - STALE_FOR)
    ]
    HiddenRecord.objects.filter(pk__in=stale).update(**_NEVER, attached_at=None, retry_at=None)


def open_in(generation_id: int | None) -> QuerySet[HiddenRecord]:
    """The hidden records of a generation that are still in the data, and that nothing was attached to."""
    left = Record.objects.filter(generation=OuterRef("generation"), key_digest=OuterRef("key_digest"))
    found = HiddenRecord.objects.filter(generation=generation_id, attached_at=None)
    return found.annotate(left_at=Subquery(left.values("left_at")[:1])).filter(left_at=None)


def due(run: Run, now: datetime) -> QuerySet[HiddenRecord]:
    """Those that the run tries to make visible. A full run tries all of them again."""
    found = open_in(run.generation_id).filter(tried_run__lt=run.number)
    if run.only_key:
        return found.filter(key=run.only_key)
    return found if run.kind == run.Kind.FULL else found.filter(Q(retry_run__lte=run.number) | Q(retry_at__lte=now))


def _of(generation_id: int, key_digests: Iterable[int]) -> QuerySet[HiddenRecord]:
    return HiddenRecord.objects.filter(generation=generation_id, key_digest__in=list(key_digests))
