"""Plans a run: one pass over the source, compared with the baseline. Rows that differ become changes.

    load the baseline as packed arrays
    for each batch of columns:  digest the rows → drop those that are unchanged → convert and decide the others
    at the end:                 duplicate keys, match twins, records that left → counts

Nothing is sent here, and the source is closed before the first request. `begin` decides what follows from the plan.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from activations import digests, reasons
from activations.models import Generation, Record, Run
from activations.planning import finalize, one_record, verdicts
from activations.planning.background import Background
from activations.planning.conversion.losses import Losses
from activations.planning.mapping import Mapper, Rows
from activations.planning.picked import Picked
from activations.planning.source_scan import SourceScan
from activations.planning.writer import ChangeWriter, SettledRow
from activations.runs import stopping
from activations.runs.lease import Cancelled, Lease
from activations.runs.requests import BY_PERSON
from activations.storage import bulk
from activations.storage.snapshot import Baseline, fetch_records
from core.errors import Problem
from core.failpoints import reach
from segments.reading import read, sizes

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from activations.planning.conversion.slots import Layout
    from activations.vendor_session import Context
    from segments.contract import Skipped

LOOKUP_CHUNK = 20_000
COMPARED_ROWS = 4_000
COMPARED_BYTES = 4_000_000
"""Rows are collected up to these limits and compared together, because ten cost about as much as a thousand."""
KEYLESS_LISTED = 100
CANCEL_CHECK_SECONDS = 1.0


class Planner:
    """One pass. It writes what it decides, and leaves the run in `planning`."""

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
        self.losses = Losses(layout)
        self.retried = 0
        self.again = 0
        self.width = max([context.activation.next_slot, *(slot.number + 1 for slot in layout.slots)], default=0)
        self.lookup = Background()
        self.writer = ChangeWriter(run, generation, lease, now, Background())
        if lease.epoch > 1:
            self.writer.roll_back(lease.epoch - 1)
        self.picked: list[Picked] = []
        self.in_progress: tuple[Picked, Future[verdicts.Known]] | None = None
        self.checked_at = 0.0
        self.name_place = -1
        self.only_key = run.only_key
        retry_rejected = self.full or run.trigger in BY_PERSON
        baseline = Baseline.load(generation, run, now, retry_rejected=retry_rejected, retry_skipped=self.full)
        self.scan = SourceScan(baseline)

    def run(self) -> dict[str, int]:
        """The counts of the plan, by column of `Run`. If it raises, nothing was decided.

        Raises:
            Problem: the source can't be read to its end.
            Cancelled: a person cancelled the run meanwhile.
        """
        try:
            with self.writer.background, self.lookup:
                self._pass()
        except (Problem, Cancelled):
            self.writer.roll_back(self.lease.epoch)
            raise
        reach("in_plan")
        return self._finalize()

    def _finalize(self) -> dict[str, int]:
        segment = self.context.activation.segment
        if not self.only_key:
            sizes.store(segment or self.context.activation.data_model, self.scan.rows, self.now)
        return finalize.finalize(self.scan, self.writer, self.context.activation.mode, self.layout.numbers())

    def _pass(self) -> None:
        display, columns = self.context.activation.data_model.display_column, self.layout.columns
        optional = [display] if display not in ("", *columns) else []
        with read.stream(self._rows(), columns, now=self.now, check=self._check_cancelled, optional=optional) as stream:
            names = list(stream.types)
            self.name_place = names.index(display) if display in names[1:] else -1
            for batch in stream.batches:
                whole = digests.with_whole_keys(batch, stream.types, self.scan.baseline.knows)
                self._add_batch(one_record.only(whole, self.only_key) if self.only_key else whole)
        if not self.only_key:
            self._list_skipped(stream.skipped)
        self._compare_picked()
        self._decide()
        self.writer.flush()
        if self.only_key and not self.scan.rows and not self.dry_run:
            raise one_record.absent(self.only_key)

    def _rows(self) -> read.Selection:
        activation = self.context.activation
        if self.only_key:
            return one_record.rows(activation, self.only_key, self.layout.zone)
        return read.selection(activation.segment or activation.data_model)

    def _check_cancelled(self) -> None:
        stopping.check()
        if time.monotonic() - self.checked_at > CANCEL_CHECK_SECONDS:
            self.checked_at = time.monotonic()
            if Run.with_previews.filter(pk=self.context.run.pk, cancel_requested=True).exists():
                raise Cancelled

    def _add_batch(self, batch: pa.RecordBatch) -> None:
        # Without the display column: a new name alone makes no row differ.
        texts = digests.as_texts(batch.columns[: len(self.layout.columns)])
        keys, row_digests = digests.keys_and_rows(texts, self.seed)
        places, differing = self._scan(keys, row_digests)
        self._list_keyless(keys)
        rows_with_more, further = self.mapper.further_matches(batch, texts)
        self.scan.note_further_matches(keys[rows_with_more], further)
        picked = np.flatnonzero(differing)
        if len(picked):
            # Copied, so that a few rows don't keep their whole batch in memory.
            rows, whole = (batch, texts) if len(picked) == len(keys) else (batch.take(pa.array(picked)), None)
            digest = row_digests[picked]
            self.picked.append(Picked(rows, keys[picked], places[picked], digest, whole, self.name_place))
        if (
            sum(len(piece.keys) for piece in self.picked) >= COMPARED_ROWS
            or sum(piece.batch.nbytes for piece in self.picked) >= COMPARED_BYTES
        ):
            self._compare_picked()

    def _scan(self, keys: np.ndarray, row_digests: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See `SourceScan.scan`."""
        return self.scan.scan(keys, row_digests, full=self.full)

    def _compare_picked(self) -> None:
        """Starts to fetch the records of the picked rows, and meanwhile decides the rows that were picked before."""
        if self.picked:
            picked, self.picked = Picked.joined(self.picked), []
            started = picked, self.lookup.submit(self._known, picked.keys, picked.places)
            self._decide()
            self.in_progress = started

    def _decide(self) -> None:
        """Converts the rows whose records were fetched, and decides what to do with them."""
        if self.in_progress:
            (picked, lookup), self.in_progress = self.in_progress, None
            rows, known = self.mapper.convert(picked.batch, picked.texts), lookup.result()
            self._decide_rows(picked, rows, known)
            self.writer.flush(wait=False)

    def _decide_rows(self, picked: Picked, rows: Rows, known: verdicts.Known) -> None:
        verdict = verdicts.for_rows(self.layout, self.context.activation.mode, rows, known, full=self.full)
        self._note(verdict, known, rows, picked)

    def _note(self, verdict: verdicts.Verdict, known: verdicts.Known, rows: Rows, picked: Picked) -> None:
        matches = verdict.match_digests.copy()
        matches[[place for place, why in verdict.settled.items() if why.outcome == "invalid"]] = 0
        self.scan.note_matches(picked.places, picked.keys, matches)
        by_match = verdict.send & (verdict.remote_ids == "")
        self.scan.note_claims(picked.places[by_match], picked.keys[by_match], matches[by_match])
        moves = verdict.send & ~by_match & known.accepted & (known.match_digests != matches)
        self.scan.note_moves(picked.keys[moves], matches[moves])
        self._note_unchanged(verdict, picked)
        for place, why in verdict.settled.items():
            raw = rows.raw_text(self.layout.slots, why.field, place)
            values = bulk.json_text({why.field: raw}) if raw else "{}"
            self._note_settled(place, why, known, picked, int(matches[place]), values)
        if verdict.send.any():
            self.losses.note(rows.columns, verdict.sends, picked.texts)
            rejected = (known.tried == Record.Tried.REJECTED) & (known.tried_digests == picked.rows)
            self.retried += int((verdict.send & rejected).sum())
            self.again += int(verdict.again.sum())
            self.writer.add_changes(picked.changes(rows, verdict, self.layout.slots))

    def _note_unchanged(self, verdict: verdicts.Verdict, picked: Picked) -> None:
        same = np.flatnonzero(verdict.unchanged)
        self.scan.note_unchanged(picked.places[same])
        packed = digests.packed(verdict.digests[same]).to_list()
        columns = (picked.keys[same].tolist(), picked.rows[same].tolist(), verdict.match_digests[same].tolist(), packed)
        self.writer.add_unchanged(list(zip(*columns, strict=True)))

    def _note_settled(
        self, place: int, why: reasons.Settled, known: verdicts.Known, picked: Picked, match: int, values: str
    ) -> None:
        digest = int(picked.rows[place])
        key, key_digest, name = picked.shown_keys[place], int(picked.keys[place]), picked.names[place]
        is_new = not known.accepted[place]
        row = SettledRow(key, key_digest, why, digest, match, is_new=is_new, values=values, name=name)
        was_reported = known.tried[place] == why.outcome and known.tried_digests[place] == digest
        reported = was_reported and not self.full and not self.only_key
        self.writer.settle(row, reported=reported)
        if reported:
            self.scan.note_no_action(picked.places[[place]])

    def _list_keyless(self, keys: np.ndarray) -> None:
        """Lists rows without a key, up to `KEYLESS_LISTED` of them in the whole pass."""
        first = self.scan.rows - len(keys) + 1
        listed = self.scan.keyless - int((keys == 0).sum())
        for index in np.flatnonzero(keys == 0)[: max(0, KEYLESS_LISTED - listed)].tolist():
            message = (
                f"Row {first + index} has no value in “{self.layout.key_column}”, the primary key of the model. "
                "Fill it in the source."
            )
            self.writer.list_row(SettledRow("", 0, reasons.Settled("invalid", finalize.KEY_EMPTY, message)))

    def _list_skipped(self, skipped: Skipped) -> None:
        """Lists the lines that the source left out because they can't be read."""
        self.scan.skipped_lines = skipped.count
        for line in skipped.first:
            why = reasons.Settled("invalid", finalize.LINE_UNREADABLE, line.message)
            self.writer.list_row(SettledRow("", 0, why))

    def _known(self, keys: np.ndarray, places: np.ndarray) -> verdicts.Known:
        """The baseline of these rows' records, from the database."""
        known = verdicts.Known.empty(len(keys), self.width)
        here = np.flatnonzero(places >= 0)
        baseline = self.scan.baseline
        regions = baseline.regions[places[here]]
        by_region = np.argsort(regions)
        for chunk in bulk.chunks(by_region, LOOKUP_CHUNK):
            records = fetch_records(
                self.writer.generation, keys[here[chunk]], baseline.id_range(regions[chunk]), tried=baseline.any_tried
            )
            # If a key occurs twice, both rows are duplicates and neither is sent, so either may get the record.
            rows = here[chunk][np.argsort(keys[here[chunk]], kind="stable")]
            known.fill(rows[np.searchsorted(keys[rows], records["key_digest"].to_numpy())], records)
        return known
