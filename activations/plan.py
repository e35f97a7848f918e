"""Planning: one pass over the source, compared with the baseline; what differs becomes changes.

    load the baseline as packed arrays
    for each batch of columns:  digest the rows → drop those that need no second look → convert and decide the others
    at the end:                 duplicate keys, match twins, leavers → counts → the run enters "delivering"

Nothing is sent here, and the source is closed before the first request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
from django.db.models import Count, F
from django.utils import timezone

from activations import bulk, decide, digests
from activations.baseline import Baseline, Seen
from activations.context import Context
from activations.lease import Lease
from activations.mapping import Layout, Mapper, Rows
from activations.models import Change, Generation, Record, Run
from activations.runs import BY_PERSON
from core.checkpoints import reach
from destinations.contract import Mode
from segments import read

CHUNK = 2_000
KNOWN_CHUNK = 10_000
FRAME_CHUNK = 20_000
EXAMPLES = 100
DUPLICATE_KEY, MATCH_TWIN, KEY_EMPTY = "duplicate_key", "match_twin", "key_empty"
_CHANGE_COLUMNS = [
    "run_id", "epoch", "key", "key_digest", "is_new", "remote_id", "match_identity", "match_value", "values", "changed",
    "row_digest", "match_digest", "field_digests", "state", "outcome", "attempts", "code", "message", "field", "request_id",
    "sent", "created", "settled_at",
]  # fmt: skip


@dataclass(frozen=True)
class Tried:
    """With which row a record was found invalid or skipped."""

    key_digest: int
    key: str
    outcome: str
    row: int
    match: int = 0


@dataclass(frozen=True)
class Picked:
    """The rows of a batch that need a second look: keys as text and digest, places in the baseline, row digests."""

    texts: pl.Series
    keys: np.ndarray
    places: np.ndarray
    rows: np.ndarray


class Planner:
    """One pass. `run()` ends with the run in `delivering`, or `planned` where it is a dry run."""

    def __init__(self, context: Context, lease: Lease, layout: Layout, generation: Generation, now: datetime) -> None:
        self.context = context
        self.run_row = context.run
        self.lease = lease
        self.layout = layout
        self.generation = generation
        self.now = now
        self.began = context.run.started_at or now
        self.seed = layout.seed()
        self.full = self.run_row.kind == Run.Kind.FULL
        self.changes: list[tuple[Any, ...]] = []
        self.same: list[tuple[Any, ...]] = []
        self.settled: list[Tried] = []
        self.pending: pl.DataFrame | None = None
        self.mapper = Mapper(layout)
        self.width = max([context.activation.next_slot, *(slot.number + 1 for slot in layout.slots)], default=0)
        by_person = self.run_row.trigger in BY_PERSON
        self._start_afresh()
        self.seen = Seen(Baseline.load(generation, self.run_row, now, retry_rejected=self.full or by_person, retry_skipped=self.full))

    def run(self) -> None:
        """Raises Problem where the source can't be read to its end: then nothing was decided."""
        source = read.selection(self.context.activation.segment or self.context.activation.data_model)
        with read.stream(source, self.layout.columns, now=self.now) as stream:
            for batch in stream.batches:
                self._batch(batch)
        self._flush()
        self._end()

    def _start_afresh(self) -> None:
        """Takes back what a worker decided that died while planning, so that every row is decided, shown and counted once."""
        earlier = Change.objects.filter(run=self.run_row, epoch__lt=self.lease.epoch)
        settled = earlier.filter(state=Change.State.SETTLED).values("key_digest")
        with self.lease.fenced():
            if self.lease.epoch > 1 and not self.run_row.dry_run:
                mine = Record.objects.filter(generation=self.generation)
                mine.filter(key_digest__in=settled).update(tried_digest=0)
                mine.filter(left_at=self.began).update(left_at=None)
                mine.filter(returned_at=self.began).update(left_at=F("accepted_at"), returned_at=None)
            earlier.delete()

    def _batch(self, batch: pa.RecordBatch) -> None:
        texts, keys = digests.keys(batch.column(0))
        row_digests = digests.rows(batch.columns, self.seed)
        places, differing = self.seen.look(keys, row_digests, full=self.full)
        self._note_keyless(keys)
        picked = np.flatnonzero(differing)
        if len(picked):
            rows = self.mapper.convert(batch.take(pa.array(picked)))
            known = self._known(keys[picked], places[picked])
            verdict = decide.for_rows(self.layout, self.context.activation.mode, rows, known, full=self.full)
            self._note(verdict, rows, Picked(texts.gather(picked), keys[picked], places[picked], row_digests[picked]))
        self._flush()

    def _note(self, verdict: decide.Verdict, rows: Rows, picked: Picked) -> None:
        match_digests = verdict.match_digests.copy()
        match_digests[[place for place, why in verdict.settled.items() if why.outcome == "invalid"]] = 0
        self.seen.match(picked.places, picked.keys, match_digests)
        by_match = verdict.send & (verdict.remote_ids == "")
        self.seen.claim(picked.places[by_match], picked.keys[by_match], match_digests[by_match])
        self._note_same(verdict, picked)
        for place, why in verdict.settled.items():
            key, digest, row = picked.texts[place], int(picked.keys[place]), int(picked.rows[place])
            self.changes.append(self._settled(key, digest, why, row, bool(verdict.is_new[place])))
            self.settled.append(Tried(digest, key, why.outcome, row, int(match_digests[place])))
        if verdict.send.any():
            self.pending = self._pending(verdict, rows, picked)

    def _note_same(self, verdict: decide.Verdict, picked: Picked) -> None:
        same = np.flatnonzero(verdict.same)
        self.seen.unchanged(picked.places[same])
        packed = digests.packed(verdict.digests[same])
        columns = (picked.keys[same].tolist(), picked.rows[same].tolist(), verdict.match_digests[same].tolist(), packed)
        self.same.extend((*row, "", 0) for row in zip(*columns, strict=True))

    def _pending(self, verdict: decide.Verdict, rows: Rows, picked: Picked) -> pl.DataFrame:
        """The changes to deliver, as columns of the table."""
        send = np.flatnonzero(verdict.send)
        fixed = {
            "run_id": self.run_row.pk, "epoch": self.lease.epoch, "state": Change.State.PENDING.value, "outcome": "", "attempts": 0,
            "code": "", "message": "", "field": "", "request_id": "", "sent": "[]", "created": False,
        }  # fmt: skip
        return pl.DataFrame(
            {
                "key": picked.texts.gather(send),
                "key_digest": picked.keys[send],
                "is_new": verdict.is_new[send],
                "remote_id": pl.Series(verdict.remote_ids[send].tolist(), dtype=pl.String),
                "match_identity": rows.identities.gather(send),
                "match_value": rows.match.gather(send),
                "values": rows.values(self.layout.slots).gather(send),
                "changed": pl.Series(verdict.changed, dtype=pl.String).gather(send),
                "row_digest": picked.rows[send],
                "match_digest": verdict.match_digests[send],
                "field_digests": pl.Series(digests.packed(verdict.digests[send]), dtype=pl.Binary),
            }
        ).with_columns(**{name: pl.lit(value) for name, value in fixed.items()})

    def _settled(
        self, key: str, digest: int, why: decide.Settled, row: int = 0, is_new: bool = False, values: str = "{}"
    ) -> tuple[Any, ...]:
        return (
            self.run_row.pk, self.lease.epoch, key, digest, is_new, "", "", "null", values, "[]", row, 0, b"",
            Change.State.SETTLED, why.outcome, 0, why.code, why.message, why.field, "", "[]", False, self.now,
        )  # fmt: skip

    def _note_keyless(self, keys: np.ndarray) -> None:
        """Rows without a key can't be told apart; the first hundred are shown."""
        first = self.seen.rows - len(keys) + 1
        shown = self.seen.keyless - int((keys == 0).sum())
        for index in np.flatnonzero(keys == 0)[: max(0, EXAMPLES - shown)].tolist():
            why = decide.Settled(
                "invalid",
                KEY_EMPTY,
                f"Row {first + index} has no {self.layout.key_column!r}, the primary key of the model. Fill it in the source.",
            )
            self.changes.append(self._settled("", 0, why))

    def _known(self, keys: np.ndarray, places: np.ndarray) -> decide.Known:
        """What the database holds of these rows' records."""
        count, width = len(keys), self.width
        accepted_at = np.full(count, np.datetime64("NaT", "us"), dtype="datetime64[us]")
        match_digests, found = np.zeros(count, dtype=np.int64), np.zeros((count, width), dtype=np.int64)
        remote_ids = np.full(count, "", dtype=object)
        where = {int(keys[place]): place for place in np.flatnonzero(places >= 0).tolist()}
        for chunk in bulk.chunks(list(where), KNOWN_CHUNK):
            for key, packed, match, remote_id, accepted in self._stored(chunk):
                place = where[key]
                found[place] = np.frombuffer(bytes(packed).ljust(width * digests.WIDTH, b"\0"), dtype="<i8", count=width)
                match_digests[place], remote_ids[place] = match, remote_id
                if accepted:
                    accepted_at[place] = accepted.replace(tzinfo=None)
        # The same key twice in one batch: both rows are duplicates, and none of them is sent.
        return decide.Known(accepted_at, match_digests, found, remote_ids)

    def _stored(self, keys: Sequence[int]) -> Any:
        records = Record.objects.filter(generation=self.generation, key_digest__in=keys)
        return records.values_list("key_digest", "field_digests", "match_digest", "remote_id", "accepted_at")

    def _flush(self) -> None:
        """Writes what was decided, in transactions that are over in a fraction of a second."""
        settled = {row.key_digest: row for row in self.settled}
        for chunk in bulk.chunks(self.changes, CHUNK):
            tried = [settled[row[3]] for row in chunk if row[3] in settled]
            with self.lease.fenced():
                bulk.insert(Change, _CHANGE_COLUMNS, chunk)
                self._remember(tried)
        if self.pending is not None:
            for frame in self.pending.iter_slices(FRAME_CHUNK):
                with self.lease.fenced():
                    bulk.insert_frame(Change, frame)
        for chunk in bulk.chunks(self.same, CHUNK):
            with self.lease.fenced():
                self._move(chunk)
        self.changes, self.same, self.settled, self.pending = [], [], [], None

    def _move(self, rows: Any) -> None:
        if not self.run_row.dry_run:
            names = ["row_digest", "match_digest", "field_digests", "tried", "attempts"]
            bulk.update(Record, {"generation_id": self.generation.pk}, "key_digest", names, rows)

    def _remember(self, tried: list[Tried]) -> None:
        """Keeps with which row a record was found invalid or skipped, so that its reason is written once."""
        if self.run_row.dry_run or not tried:
            return
        records = [
            Record(
                generation=self.generation,
                key=one.key,
                key_digest=one.key_digest,
                tried=one.outcome,
                tried_digest=one.row,
                tried_match=one.match,
                retry_at=self.now + decide.SKIP_AGAIN,
            )
            for one in {one.key_digest: one for one in tried}.values()
        ]
        columns = ["tried", "tried_digest", "tried_match", "retry_at"]
        Record.objects.bulk_create(records, update_conflicts=True, unique_fields=["generation", "key_digest"], update_fields=columns)

    def _end(self) -> None:
        """What only the whole pass can tell, and the one step into delivering."""
        reach("in_plan")
        duplicates = self.seen.duplicates()
        twins = self.seen.twins(list(duplicates))
        self._set_aside(duplicates, twins)
        if not self.run_row.dry_run:
            self._void_robbed([*duplicates, *(key for keys in twins.values() for key in keys)])
            self._mark_leavers()
        counts = self._counts(sum(duplicates.values()) + sum(map(len, twins.values())))
        state = Run.State.PLANNED if self.run_row.dry_run else Run.State.DELIVERING
        with self.lease.fenced(state=state, finished_at=timezone.now() if self.run_row.dry_run else None, **counts):
            pass
        reach("plan_committed")

    def _set_aside(self, duplicates: Mapping[int, int], twins: Mapping[int, list[int]]) -> None:
        """Takes back what was decided for rows that share a key or a match value: none of them is sent."""
        shared = [key for keys in twins.values() for key in keys]
        self.seen.drop([*duplicates, *shared])
        keys = self._keys([*duplicates, *shared])
        for chunk in bulk.chunks(list(duplicates.items()), CHUNK):
            self._replace([(key, keys.get(key, ""), _duplicate(keys.get(key, ""), rows)) for key, rows in chunk])
        for group in twins.values():
            names = sorted(keys.get(key, "") for key in group)
            self._replace([(key, keys.get(key, ""), _twin(keys.get(key, ""), names)) for key in group])

    def _replace(self, rows: list[tuple[int, str, decide.Settled]]) -> None:
        digests_of = [key for key, _, _ in rows]
        mine = Change.objects.filter(run=self.run_row, key_digest__in=digests_of)
        values: dict[int, list[Any]] = {}
        for digest, stored in mine.values_list("key_digest", "values"):
            values.setdefault(digest, []).append(stored)
        told = Record.objects.filter(generation=self.generation, key_digest__in=digests_of, tried=Record.Tried.INVALID)
        old = dict(told.values_list("key_digest", "tried_digest"))
        markers = {digest: digests.of_text(why.code + why.message) for digest, _, why in rows}
        fresh = [row for row in rows if old.get(row[0]) != markers[row[0]]]
        with self.lease.fenced():
            mine.delete()
            shown = [self._settled(key, digest, why, values=bulk.json_text({"rows": values.get(digest, [])})) for digest, key, why in fresh]
            bulk.insert(Change, _CHANGE_COLUMNS, shown)
            self._remember([Tried(digest, key, "invalid", markers[digest]) for digest, key, why in rows])

    def _keys(self, wanted: list[int]) -> dict[int, str]:
        """Key digest → key, from this run's changes and from the baseline."""
        found: dict[int, str] = {}
        for chunk in bulk.chunks(wanted, CHUNK):
            found.update(Record.objects.filter(generation=self.generation, key_digest__in=chunk).values_list("key_digest", "key"))
            found.update(Change.objects.filter(run=self.run_row, key_digest__in=chunk).values_list("key_digest", "key"))
        return found

    def _void_robbed(self, set_aside: list[int]) -> None:
        """Forgets what was accepted for keys whose record another key takes over by its match."""
        if self.context.activation.mode == Mode.INSERT:
            return
        tried = np.empty((0, 2), dtype=np.int64)
        if self.seen.baseline.any_tried:
            accepted = Record.objects.filter(generation=self.generation, accepted_at__isnull=False).exclude(tried="")
            tried = np.array(accepted.values_list("key_digest", "match_digest"), dtype=np.int64).reshape(-1, 2)
        self._update(self.seen.robbed(set_aside, tried), accepted_at=None, remote_id="", match_digest=0, row_digest=0, field_digests=b"")

    def _mark_leavers(self) -> None:
        """Marks who left and who is back. Neither is written to."""
        self._update(self.seen.left(), left_at=self.began, returned_at=None)
        self._update(self.seen.returned(), left_at=None, returned_at=self.began)

    def _update(self, keys: np.ndarray, **columns: Any) -> None:
        for chunk in bulk.chunks(keys.tolist(), CHUNK):
            with self.lease.fenced():
                Record.objects.filter(generation=self.generation, key_digest__in=chunk).update(**columns)

    def _counts(self, set_aside: int) -> dict[str, int]:
        """Every row of the source in exactly one count."""
        mine = Change.objects.filter(run=self.run_row)
        pending = dict(mine.filter(state=Change.State.PENDING).values_list("is_new").annotate(Count("pk")).order_by())
        counted_already = [DUPLICATE_KEY, MATCH_TWIN, KEY_EMPTY]
        settled = mine.filter(state=Change.State.SETTLED).exclude(code__in=counted_already)
        outcomes = dict(settled.values_list("outcome").annotate(Count("pk")).order_by())
        new, known = pending.get(True, 0), pending.get(False, 0)
        seen = self.seen
        return {
            "rows": seen.rows,
            "new": new,
            "known": known,
            "planned": new + known,
            "left": len(seen.left()),
            "returned": len(seen.returned()),
            "unchanged": seen.still(""),
            "waiting": seen.still(Record.Tried.REJECTED),
            "skipped": outcomes.get("skipped", 0) + seen.still(Record.Tried.SKIPPED),
            "invalid": outcomes.get("invalid", 0) + seen.still(Record.Tried.INVALID) + seen.keyless + set_aside,
        }


def _duplicate(key: str, rows: int) -> decide.Settled:
    return decide.Settled(
        "invalid",
        DUPLICATE_KEY,
        f"{rows} rows have the key {key!r}. None of them is sent, since any choice would be a guess. Make the key unique.",
    )


def _twin(key: str, names: list[str]) -> decide.Settled:
    others = ", ".join(repr(name) for name in names if name != key)[:300]
    return decide.Settled(
        "invalid",
        MATCH_TWIN,
        f"It has the same match value as {others}, so they would be one record at the destination. None of them is sent.",
    )
