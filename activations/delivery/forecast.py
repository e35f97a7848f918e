"""A live dry run: looks each change up at the destination, and records what a run would do with it. Nothing is written.

The decisions are those of a real run. The writes are answered here, the way the destination would answer them according
to the lookup.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from activations.delivery import compare, judgement
from activations.delivery.policies import Reads
from activations.delivery.recorder import Recorder
from activations.delivery.sender import operation
from activations.delivery.steps import Progress, Step, next_step
from activations.models import Change, Record
from activations.storage import held_values, match_owners
from core.errors import Rejected
from destinations.contract import Created, Outcome, Result, Service

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from activations.delivery.judgement import Judgement, Sending
    from activations.delivery.steps import Item, Sent
    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Problem
    from destinations.contract import Held

EVERYTHING = Reads(compares=True, all=True)
"""A live dry run looks every change up, whatever a real run would look up."""
MATCH_TAKEN = "match_taken"


class Forecast(Recorder):
    """The only writer of a live dry run. It changes the rows of the run itself and nothing else."""

    def __init__(self, context: Context, lease: Lease) -> None:
        super().__init__(context, lease)
        self.adds = compare.adds(context)
        self.owners = match_owners.ForeseenOwners(self.generation_id, context.run.pk, resumes=lease.epoch > 1)
        self.shows = type(context.service).shown is not Service.shown
        self.found: dict[int, Held] = {}
        """By the ID of a change that is not settled yet, the record that it would be written to."""
        self.held: list[tuple[int, dict[str, Any]]] = []

    def _judge(self, item: Item, answer: Sent, place: int, problem: Problem | None) -> Judgement:
        is_looked_up = next_step(self.mode, item.change, looked_up=False, reads=self.reads) == Step.FIND
        if problem is None or (isinstance(problem, Rejected) and not is_looked_up):
            return self._walk(item.change, answer)
        return super()._judge(item, answer, place, problem)

    def _walk(self, change: Change, answer: Sent) -> Judgement:
        """Takes the steps of a real run up to an outcome, with the answer of one lookup."""
        progress = Progress()
        self.reads.hold_back(change)
        while True:
            step = next_step(self.mode, change, progress.looked_up, self.reads)
            sending = judgement.Sending(self.mode, step, progress, tuple(change.values), remote_id=change.remote_id)
            if step == Step.NONE:
                return judgement.kept(progress)
            judged = (
                self._judge_found(sending, change, answer)
                if step == Step.FIND
                else self._judge_write(sending, change, answer)
            )
            judged.redirect(change)
            if judged.outcome:
                # Noted at once: the next row of the same lookup may lead to the same record.
                if judged.accepted:
                    self.owners.accepted(change, judged.accepted)
                return judged
            progress = judged.progress

    def _judge_write(self, sending: Sending, change: Change, answer: Sent) -> Judgement:
        held = answer.found.get(change.match_identity)
        if held and change.remote_id and self._is_taken(change, held):
            return judgement.rejected(sending.progress, _taken(self.context.match_field.name))
        if held and change.remote_id in ("", held.remote_id):
            self.found[change.pk] = held
        outcome = self._foreseen(sending.step, change, self.found.get(change.pk), was_read=answer.problem is None)
        holder = self.owners.overwritten(change, outcome) if outcome.result == Result.ACCEPTED else None
        refusal = match_owners.refusal(holder, self.context.match_field.name) if holder else None
        return judgement.written(sending, outcome, refusal)

    def _foreseen(self, step: Step, change: Change, held: Held | None, *, was_read: bool) -> Outcome:
        """How the destination would answer a write.

        A known record that no longer has its match value has most likely been deleted.
        """
        if step == Step.UPDATE and held is None and was_read and not self._moves(change):
            return Outcome(Result.GONE)
        exists = step == Step.UPDATE or held is not None
        return Outcome(
            Result.ACCEPTED,
            held.remote_id if held else change.remote_id,
            sent=tuple(
                self.context.service.sends(operation(self.context, step, change, self.reads.policies, self.adds))
            ),
            web_url=held.web_url if held else "",
            identities=held.identities if held else (),
            created=Created.NO if exists else Created.YES,
        )

    def _is_taken(self, change: Change, held: Held) -> bool:
        """Whether a different record has the new match value, and it belongs to no row of ours that may give it up."""
        if held.remote_id == change.remote_id or not self._moves(change):
            return False
        ours = Record.objects.filter(generation_id=self.generation_id, accepted_at__isnull=False)
        return not ours.filter(remote_id=held.remote_id).exists()

    def _moves(self, change: Change) -> bool:
        """Whether the change gives its record a new match value, by which it can't be found yet."""
        return self.context.activation.match_field in change.changed

    def _settle(self, item: Item, judged: Judgement, now: datetime) -> None:
        change, held = item.change, self.found.pop(item.change.pk, None)
        if judged.outcome == Change.Outcome.ACCEPTED:
            outcome = Change.Outcome.CREATES if judged.created else Change.Outcome.UPDATES
            judged = replace(judged, outcome=outcome.value, created=False)
        super()._settle(item, judged, now)
        if held and change.outcome == Change.Outcome.UPDATES:
            self.held.append((change.pk, dict(self._compared(change, held))))

    def _compared(self, change: Change, held: Held) -> Iterator[tuple[str, dict[str, Any]]]:
        """For each attribute that would be sent, or kept: what the record holds, and whether that is the same."""
        service, fields = self.context.service, self.context.fields_by_name
        for name in (*change.sent, *(change.kept or ())):
            if field := fields.get(name):
                wire = change.values.get(name, change.match_value)
                shown = {"held": service.shown(field, held)} if self.shows else {}
                same = {"same": True} if service.same(field, wire, held, adds=name in self.adds) else {}
                yield name, {**shown, **same}

    def _remember(self, changes: Sequence[Change], now: datetime) -> None:
        """Stores what the records held. The baseline, retries and owners stay as they are."""
        held_values.insert(self.context.run.pk, self.held)
        self.held = []
        self.owners.commit()


def _taken(field: str) -> Rejected:
    return Rejected(
        MATCH_TAKEN,
        "At the destination, a different record has the new match value. It would refuse to give it to this one. Merge "
        "the two records there, or correct the value in the source.",
        field=field,
    )
