"""Writes the decisions of a pass to the database, in fenced transactions that take a fraction of a second each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import F

from activations.models import Bundle, Change, Generation, Record, Run
from activations.storage import baseline, bulk, bundles, plain_names, retry_dates

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from datetime import datetime

    import polars as pl

    from activations import reasons
    from activations.planning.background import Background
    from activations.runs.lease import Lease

CHUNK = 2_000
_CHANGE_COLUMNS = [
    "run_id", "epoch", "key", "key_digest", "is_new", "remote_id", "match_identity", "match_value", "values", "changed",
    "row_digest", "match_digest", "field_digests", "state", "outcome", "attempts", "code", "message", "field",
    "request_id", "sent", "created", "settled_at", "name", "plain_name",
]  # fmt: skip


@dataclass(frozen=True)
class SettledRow:
    """A row that was settled without a request.

    Args:
        row: the row's digest. It is stored, so that the reason is reported once, and not again by every run.
        match: the digest of its match value; 0 if it has no usable one.
        values: JSON that is shown with the reason.
        name: the value of the model's display column.
    """

    key: str
    key_digest: int
    why: reasons.Settled
    row: int = 0
    match: int = 0
    is_new: bool = False
    values: str = "{}"
    name: str = ""


class ChangeWriter:
    """Collects what a pass decides and writes it with `flush`. In a dry run, it writes only the changes."""

    def __init__(self, run: Run, generation: Generation, lease: Lease, now: datetime, background: Background) -> None:
        self.run = run
        self.generation = generation
        self.lease = lease
        self.now = now
        self.started_at = run.started_at or now
        self.records = Record.objects.filter(generation=generation)
        self.displaced = np.empty(0, dtype=np.int64)
        """Key digests of records that different keys take over."""
        self.listed: list[tuple[Any, ...]] = []
        self.settled: list[SettledRow] = []
        self.unchanged: list[tuple[Any, ...]] = []
        self.pending: list[pl.DataFrame] = []
        self.background = background
        self.bundles_written: Future[None] | None = None

    def roll_back(self, epoch: int) -> None:
        """Undoes what was planned up to this epoch, so that every row is decided, listed and counted once."""
        earlier = Change.objects.filter(run=self.run, epoch__lte=epoch)
        settled = earlier.filter(state=Change.State.SETTLED).values("key_digest")
        with self.lease.fenced():
            if not self.run.dry_run:
                self.records.filter(key_digest__in=settled).update(tried_digest=0)
                self.records.filter(left_at=self.started_at).update(left_at=None)
                self.records.filter(returned_at=self.started_at).update(left_at=F("accepted_at"), returned_at=None)
            earlier.delete()
            Bundle.objects.filter(run=self.run, epoch__lte=epoch).delete()

    def add_changes(self, changes: pl.DataFrame) -> None:
        """Adds changes to deliver, as columns of their table."""
        self.pending.append(changes)

    def list_row(self, row: SettledRow) -> None:
        """Lists a settled row with its reason, without storing it in the baseline (it may have no key)."""
        why = row.why
        self.listed.append((
            self.run.pk, self.lease.epoch, row.key, row.key_digest, row.is_new, "", "", "null", row.values, "[]",
            row.row, 0, b"", Change.State.SETTLED, why.outcome, 0, why.code, why.message, why.field,
            "", "[]", False, self.now, row.name, plain_names.of(row.name),
        ))  # fmt: skip

    def settle(self, row: SettledRow, *, reported: bool = False) -> None:
        """Adds a row that is settled without a request. Its reason is listed unless it was `reported` before."""
        if not reported:
            self.list_row(row)
        self.settled.append(row)

    def add_unchanged(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Adds rows whose values were all accepted: key digest, row digest, match digest and packed field digests."""
        self.unchanged.extend((*row, "", 0) for row in rows)

    def flush(self, *, wait: bool = True) -> None:
        """Writes everything collected so far. Without `wait`, the last bundles may still be on their way."""
        for rows in bulk.chunks(self.listed, CHUNK):
            with self.lease.fenced():
                bulk.insert(Change, _CHANGE_COLUMNS, rows)
        for frame in self.pending:
            self.await_bundles()
            self.bundles_written = self.background.submit(bundles.write, self.run, self.lease, frame)
        if wait:
            self.await_bundles()
        if not self.run.dry_run:
            self._update_baseline()
        self.listed, self.settled, self.unchanged, self.pending = [], [], [], []

    def await_bundles(self) -> None:
        """Waits for the bundles that are being written, and raises the exception if writing failed."""
        if self.bundles_written:
            self.bundles_written.result()
            self.bundles_written = None

    def replace(self, rows: Sequence[SettledRow], reported: set[int]) -> None:
        """Settles rows that were decided differently before. `reported`: key digests whose reason is listed already."""
        with self.lease.fenced():
            self.changes_of([row.key_digest for row in rows]).delete()
            for row in rows:
                self.settle(row, reported=row.key_digest in reported)
            self.flush()

    def unpack(self, keys: Sequence[int]) -> None:
        """Unpacks the changes of these key digests from their bundles, so that `changes_of` finds them."""
        bundles.unpack_keys(self.run, self.lease, np.fromiter(keys, dtype=np.int64, count=len(keys)))

    def changes_of(self, keys: Sequence[int]) -> Any:
        """The changes of this run with these key digests."""
        return Change.objects.filter(run=self.run, key_digest__in=keys)

    def update(self, keys: np.ndarray, **columns: Any) -> None:
        """Sets columns of the baseline for these key digests; not in a dry run."""
        if self.run.dry_run:
            return
        for chunk in bulk.chunks(keys.tolist(), CHUNK):
            with self.lease.fenced():
                self.records.filter(key_digest__in=chunk).update(**columns)

    def void_displaced(self) -> None:
        """Voids what was accepted for records that different keys take over.

        Nothing undoes it, so it belongs to the one step that makes the plan count: a run that dies or is cancelled
        before that has decided nothing.
        """
        baseline.displace(self.generation.pk, self.displaced)

    def _update_baseline(self) -> None:
        names = ["row_digest", "match_digest", "field_digests", "tried", "attempts"]
        for rows in bulk.chunks(self.unchanged, CHUNK):
            with self.lease.fenced():
                bulk.update(Record, {"generation_id": self.generation.pk}, "key_digest", names, rows)
        last = list({row.key_digest: row for row in self.settled}.values())
        columns = ["tried", "tried_digest", "tried_match", "retry_at"]
        for settled in bulk.chunks(last, CHUNK):
            records = [self._record(row) for row in settled]
            with self.lease.fenced():
                Record.objects.bulk_create(
                    records, update_conflicts=True, unique_fields=["generation", "key_digest"], update_fields=columns
                )

    def _record(self, row: SettledRow) -> Record:
        return Record(
            generation=self.generation,
            key=row.key,
            key_digest=row.key_digest,
            tried=row.why.outcome,
            tried_digest=row.row,
            tried_match=row.match,
            retry_at=self.now + retry_dates.SKIP_AGAIN,
        )
