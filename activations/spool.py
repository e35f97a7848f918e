"""What planning decided, on its way into the database: in transactions that are over in a fraction of a second, all fenced."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
from django.db.models import F

from activations import bulk, bundles, decide
from activations.beside import Beside
from activations.lease import Lease
from activations.models import Bundle, Change, Generation, Record, Run

CHUNK = 2_000
_CHANGE_COLUMNS = [
    "run_id", "epoch", "key", "key_digest", "is_new", "remote_id", "match_identity", "match_value", "values", "changed",
    "row_digest", "match_digest", "field_digests", "state", "outcome", "attempts", "code", "message", "field", "request_id",
    "sent", "created", "settled_at",
]  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """A row that was settled without a request.

    Args:
        row: its digest, which it is remembered with, so that its reason is told once.
        match: the digest of its match value; 0 where it has none that counts.
        values: JSON, shown with the reason.
    """

    key: str
    key_digest: int
    why: decide.Settled
    row: int = 0
    match: int = 0
    is_new: bool = False
    values: str = "{}"


class Spool:
    """Collects what one pass decides and writes it with `flush`. A dry run writes changes, and moves no baseline."""

    def __init__(self, run: Run, generation: Generation, lease: Lease, now: datetime, writer: Beside) -> None:
        self.run = run
        self.generation = generation
        self.lease = lease
        self.now = now
        self.began = run.started_at or now
        self.records = Record.objects.filter(generation=generation)
        self.robbed = np.empty(0, dtype=np.int64)
        """Key digests of records that other keys take over."""
        self.shown: list[tuple[Any, ...]] = []
        self.tried: list[Tried] = []
        self.same: list[tuple[Any, ...]] = []
        self.pending: list[pl.DataFrame] = []
        self.writer = writer
        self.bundles_written: Future[None] | None = None

    def take_back(self, epoch: int) -> None:
        """Takes back what planning decided up to this epoch, so that every row is decided, shown and counted once."""
        earlier = Change.objects.filter(run=self.run, epoch__lte=epoch)
        settled = earlier.filter(state=Change.State.SETTLED).values("key_digest")
        with self.lease.fenced():
            if not self.run.dry_run:
                self.records.filter(key_digest__in=settled).update(tried_digest=0)
                self.records.filter(left_at=self.began).update(left_at=None)
                self.records.filter(returned_at=self.began).update(left_at=F("accepted_at"), returned_at=None)
            earlier.delete()
            Bundle.objects.filter(run=self.run, epoch__lte=epoch).delete()

    def send(self, changes: pl.DataFrame) -> None:
        """Changes to deliver, as columns of the table."""
        self.pending.append(changes)

    def show(self, tried: Tried) -> None:
        """A settled row to be shown with its reason, but not remembered: it has no key."""
        why = tried.why
        self.shown.append((
            self.run.pk, self.lease.epoch, tried.key, tried.key_digest, tried.is_new, "", "", "null", tried.values, "[]", tried.row, 0,
            b"", Change.State.SETTLED, why.outcome, 0, why.code, why.message, why.field, "", "[]", False, self.now,
        ))  # fmt: skip

    def settle(self, tried: Tried, *, told: bool = False) -> None:
        """A row that is settled without a request. Its reason is shown unless it was `told` before."""
        if not told:
            self.show(tried)
        self.tried.append(tried)

    def unchanged(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Rows whose values are what was accepted: (key digest, row digest, match digest, packed field digests) each."""
        self.same.extend((*row, "", 0) for row in rows)

    def flush(self, *, wait: bool = True) -> None:
        """Writes all that was collected; without `wait`, the last bundles may still be on their way."""
        for shown in bulk.chunks(self.shown, CHUNK):
            with self.lease.fenced():
                bulk.insert(Change, _CHANGE_COLUMNS, shown)
        for frame in self.pending:
            self.await_bundles()
            self.bundles_written = self.writer.begin(bundles.write, self.run, self.lease, frame)
        if wait:
            self.await_bundles()
        if not self.run.dry_run:
            self._move_baseline()
        self.shown, self.tried, self.same, self.pending = [], [], [], []

    def await_bundles(self) -> None:
        """Waits for the bundles that are being written; raises what went wrong."""
        if self.bundles_written:
            self.bundles_written.result()
            self.bundles_written = None

    def replace(self, rows: Sequence[Tried], told: set[int]) -> None:
        """Settles rows about which something else was decided already. `told`: key digests whose reason is known."""
        with self.lease.fenced():
            self.changes_of([row.key_digest for row in rows]).delete()
            for row in rows:
                self.settle(row, told=row.key_digest in told)
            self.flush()

    def draw_out(self, keys: Sequence[int]) -> None:
        """Lets `changes_of` find what is packed already."""
        bundles.draw_out(self.run, self.lease, np.fromiter(keys, dtype=np.int64, count=len(keys)))

    def changes_of(self, keys: Sequence[int]) -> Any:
        """The changes of this run about these key digests."""
        return Change.objects.filter(run=self.run, key_digest__in=keys)

    def update(self, keys: np.ndarray, **columns: Any) -> None:
        """Sets columns of the baseline for these key digests; not in a dry run."""
        if self.run.dry_run:
            return
        for chunk in bulk.chunks(keys.tolist(), CHUNK):
            with self.lease.fenced():
                self.records.filter(key_digest__in=chunk).update(**columns)

    def forget_robbed(self) -> None:
        """Forgets what was accepted for taken over records. Nothing undoes it, so it goes with the step that makes the plan count."""
        self.update(self.robbed, accepted_at=None, remote_id="", match_digest=0, row_digest=0, field_digests=b"")

    def _move_baseline(self) -> None:
        names = ["row_digest", "match_digest", "field_digests", "tried", "attempts"]
        for same in bulk.chunks(self.same, CHUNK):
            with self.lease.fenced():
                bulk.update(Record, {"generation_id": self.generation.pk}, "key_digest", names, same)
        once = list({one.key_digest: one for one in self.tried}.values())
        columns = ["tried", "tried_digest", "tried_match", "retry_at"]
        for tried in bulk.chunks(once, CHUNK):
            records = [self._record(one) for one in tried]
            with self.lease.fenced():
                Record.objects.bulk_create(
                    records, update_conflicts=True, unique_fields=["generation", "key_digest"], update_fields=columns
                )

    def _record(self, tried: Tried) -> Record:
        return Record(
            generation=self.generation, key=tried.key, key_digest=tried.key_digest, tried=tried.why.outcome, tried_digest=tried.row,
            tried_match=tried.match, retry_at=self.now + decide.SKIP_AGAIN,
        )  # fmt: skip
