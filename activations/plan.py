"""Planning: one pass over the source, compared with the baseline; what differs becomes changes.

    load the baseline as packed arrays
    for each batch of columns:  digest the rows → drop those that need no second look → convert and decide the others
    at the end:                 duplicate keys, match twins, leavers → counts → the run enters "delivering"

Nothing is sent here, and the source is closed before the first request.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import numpy as np
import polars as pl
import pyarrow as pa
from django.utils import timezone

from activations import bulk, bundles, closing, decide, digests
from activations.baseline import Baseline, stored
from activations.beside import Beside
from activations.context import Context
from activations.lease import Cancelled, Lease
from activations.mapping import Layout, Mapper, Rows
from activations.models import Generation, Run
from activations.runs import BY_PERSON
from activations.seen import Seen
from activations.spool import Spool, Tried
from core.checkpoints import reach
from core.errors import Problem
from segments import read, sizes

KNOWN_CHUNK = 20_000
TOGETHER = 4_000
TOGETHER_BYTES = 4_000_000
"""So much is waited for before the second look, which costs as much for a few rows as for a thousand."""
EXAMPLES = 100
LOOK_SECONDS = 1.0


@dataclass(frozen=True)
class Picked:
    """Rows that need a second look: as they were read, key digests, places in the baseline, row digests.

    `whole` is their text, where they are a whole batch.
    """

    batch: pa.RecordBatch
    keys: np.ndarray
    places: np.ndarray
    rows: np.ndarray
    whole: pl.DataFrame | None = None

    @classmethod
    def joined(cls, pieces: Sequence[Picked]) -> Picked:
        """Several as one."""
        if len(pieces) == 1:
            return pieces[0]
        keys, places, rows = map(np.concatenate, zip(*((one.keys, one.places, one.rows) for one in pieces), strict=True))
        return cls(pa.concat_batches([one.batch for one in pieces]), keys, places, rows)

    @cached_property
    def texts(self) -> pl.DataFrame:
        """The rows as text, the key first."""
        return digests.as_texts(self.batch.columns) if self.whole is None else self.whole


class Planner:
    """One pass. `run()` ends with the run in `delivering`, or `planned` where it is a dry run."""

    def __init__(self, context: Context, lease: Lease, layout: Layout, generation: Generation, now: datetime) -> None:
        run = context.run
        self.context = context
        self.lease = lease
        self.layout = layout
        self.dry_run = run.dry_run
        self.seed = layout.seed()
        self.full = run.kind == Run.Kind.FULL
        self.now = now
        self.mapper = Mapper(layout)
        self.width = max([context.activation.next_slot, *(slot.number + 1 for slot in layout.slots)], default=0)
        self.lookup = Beside()
        self.spool = Spool(run, generation, lease, now, Beside())
        if lease.epoch > 1:
            self.spool.take_back(lease.epoch - 1)
        self.picked: list[Picked] = []
        self.begun: tuple[Picked, Future[decide.Known]] | None = None
        self.looked_at = 0.0
        again = self.full or run.trigger in BY_PERSON
        self.seen = Seen(Baseline.load(generation, run, now, retry_rejected=again, retry_skipped=self.full))

    def run(self) -> None:
        """Where it raises, nothing was decided.

        Raises:
            Problem: the source can't be read to its end. Cancelled: a person asked for the end meanwhile.
        """
        try:
            with self.spool.writer, self.lookup:
                self._pass()
        except (Problem, Cancelled):
            self.spool.take_back(self.lease.epoch)
            raise
        reach("in_plan")
        if segment := self.context.activation.segment:
            sizes.note(segment, self.seen.rows, self.now)
        counts = closing.close(self.seen, self.spool, self.context.activation.mode, self.layout.numbers())
        if self.dry_run:
            bundles.list_rest(self.context.run, self.lease)
        state = Run.State.PLANNED if self.dry_run else Run.State.DELIVERING
        with self.lease.fenced(state=state, finished_at=timezone.now() if self.dry_run else None, **counts):
            self.spool.forget_robbed()
        reach("plan_committed")

    def _pass(self) -> None:
        source = read.selection(self.context.activation.segment or self.context.activation.data_model)
        with read.stream(source, self.layout.columns, now=self.now, look=self._look) as stream:
            for batch in stream.batches:
                self._batch(batch)
        self._second_look()
        self._decide()
        self.spool.flush()

    def _look(self) -> None:
        if time.monotonic() - self.looked_at > LOOK_SECONDS:
            self.looked_at = time.monotonic()
            if Run.objects.filter(pk=self.context.run.pk, cancel_requested=True).exists():
                raise Cancelled

    def _batch(self, batch: pa.RecordBatch) -> None:
        texts = digests.as_texts(batch.columns)
        keys, row_digests = digests.keys_and_rows(texts, self.seed)
        places, differing = self.seen.look(keys, row_digests, full=self.full)
        self._note_keyless(keys)
        several, further = self.mapper.further(batch, texts)
        self.seen.also(keys[several], further)
        picked = np.flatnonzero(differing)
        if len(picked):
            # Copied, so that a few rows don't keep their whole batch in memory.
            rows, whole = (batch, texts) if len(picked) == len(keys) else (batch.take(pa.array(picked)), None)
            self.picked.append(Picked(rows, keys[picked], places[picked], row_digests[picked], whole))
        if sum(len(one.keys) for one in self.picked) >= TOGETHER or sum(one.batch.nbytes for one in self.picked) >= TOGETHER_BYTES:
            self._second_look()

    def _second_look(self) -> None:
        """Has what is stored of the picked rows looked up, and works meanwhile on those that were picked before."""
        if self.picked:
            picked, self.picked = Picked.joined(self.picked), []
            begun = picked, self.lookup.begin(self._known, picked.keys, picked.places)
            self._decide()
            self.begun = begun

    def _decide(self) -> None:
        """Converts the rows that were looked up, and decides what is to be done with them."""
        if self.begun:
            (picked, looked_up), self.begun = self.begun, None
            rows, known = self.mapper.convert(picked.batch, picked.texts), looked_up.result()
            verdict = decide.for_rows(self.layout, self.context.activation.mode, rows, known, full=self.full)
            self._note(verdict, known, rows, picked)
            self.spool.flush(wait=False)

    def _note(self, verdict: decide.Verdict, known: decide.Known, rows: Rows, picked: Picked) -> None:
        matches = verdict.match_digests.copy()
        matches[[place for place, why in verdict.settled.items() if why.outcome == "invalid"]] = 0
        self.seen.match(picked.places, picked.keys, matches)
        by_match = verdict.send & (verdict.remote_ids == "")
        self.seen.claim(picked.places[by_match], picked.keys[by_match], matches[by_match])
        moves = verdict.send & ~by_match & known.accepted & (known.match_digests != matches)
        self.seen.move(picked.keys[moves], matches[moves])
        self._note_same(verdict, picked)
        for place, why in verdict.settled.items():
            raw = rows.raw(self.layout.slots, why.field, place)
            values = bulk.json_text({why.field: raw}) if raw else "{}"
            self._note_settled(place, why, known, picked, int(matches[place]), values)
        if verdict.send.any():
            self.spool.send(self._changes(verdict, rows, picked))

    def _note_same(self, verdict: decide.Verdict, picked: Picked) -> None:
        same = np.flatnonzero(verdict.same)
        self.seen.unchanged(picked.places[same])
        packed = digests.packed(verdict.digests[same]).to_list()
        columns = (picked.keys[same].tolist(), picked.rows[same].tolist(), verdict.match_digests[same].tolist(), packed)
        self.spool.unchanged(list(zip(*columns, strict=True)))

    def _note_settled(self, place: int, why: decide.Settled, known: decide.Known, picked: Picked, match: int, values: str) -> None:
        row = int(picked.rows[place])
        tried = Tried(picked.texts["0"][place], int(picked.keys[place]), why, row, match, is_new=not known.accepted[place], values=values)
        told = not self.full and known.tried[place] == why.outcome and known.tried_digests[place] == row
        self.spool.settle(tried, told=told)
        if told:
            self.seen.stays(picked.places[[place]])

    def _changes(self, verdict: decide.Verdict, rows: Rows, picked: Picked) -> pl.DataFrame:
        """What is to be delivered, as columns of the table."""
        changes = pl.DataFrame(
            {
                "key": picked.texts["0"],
                "key_digest": picked.keys,
                "is_new": verdict.is_new,
                "another": verdict.another,
                "remote_id": pl.Series(verdict.remote_ids, dtype=pl.String),
                "match_identity": rows.identities,
                "match_value": rows.match,
                "values": rows.values(self.layout.slots),
                "changed": verdict.changed,
                "row_digest": picked.rows,
                "match_digest": verdict.match_digests,
                "field_digests": digests.packed(verdict.digests),
            }
        )
        told = pl.when("another")
        return (changes if verdict.send.all() else changes.filter(verdict.send)).select(
            pl.all().exclude("another"),
            code=told.then(pl.lit(decide.ANOTHER.code)).otherwise(pl.lit("")),
            message=told.then(pl.lit(decide.ANOTHER.message)).otherwise(pl.lit("")),
        )

    def _note_keyless(self, keys: np.ndarray) -> None:
        """Rows without a key can't be told apart; the first hundred are shown."""
        first = self.seen.rows - len(keys) + 1
        shown = self.seen.keyless - int((keys == 0).sum())
        for index in np.flatnonzero(keys == 0)[: max(0, EXAMPLES - shown)].tolist():
            words = f"Row {first + index} has no {self.layout.key_column!r}, the primary key of the model. Fill it in the source."
            self.spool.show(Tried("", 0, decide.Settled("invalid", closing.KEY_EMPTY, words)))

    def _known(self, keys: np.ndarray, places: np.ndarray) -> decide.Known:
        """What the database holds of these rows' records."""
        known = decide.Known.nothing(len(keys), self.width)
        here = np.flatnonzero(places >= 0)
        baseline = self.seen.baseline
        regions = baseline.regions[places[here]]
        together = np.argsort(regions)
        for chunk in bulk.chunks(together, KNOWN_CHUNK):
            found = stored(self.spool.generation, keys[here[chunk]], baseline.span(regions[chunk]), tried=baseline.any_tried)
            # The same key twice in one batch: both rows are duplicates, and none of them is sent.
            rows = here[chunk][np.argsort(keys[here[chunk]], kind="stable")]
            known.take(rows[np.searchsorted(keys[rows], found["key_digest"].to_numpy())], found)
        return known
