"""Records a check for drift: what each record holds differently, who changed it, and which records are gone.

Only what differs is kept. Records that hold everything are counted, and their rows deleted.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from activations import digests
from activations.delivery import compare, stored
from activations.delivery.drift.attribution import attributed
from activations.delivery.forecast import Forecast
from activations.delivery.judgement import Judgement
from activations.delivery.recorder import Recorder
from activations.delivery.steps import Step
from activations.models import Change, Drift, LeftValue, Record, Run
from activations.reasons import GONE, Reason
from activations.storage import held_values
from destinations.contract import Service, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from activations.delivery.steps import Item, Sent
    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from core.errors import Problem
    from destinations.contract import Field, Held

EXAMPLES = 200
"""Of how many records the values of an attribute are stored. Of all others, only a digest is."""


class DriftCheck(Recorder):
    """The only writer of a check for drift. It changes the rows of the run itself and nothing else."""

    def __init__(self, context: Context, lease: Lease) -> None:
        super().__init__(context, lease)
        self.adds = compare.adds(context)
        self.shows = type(context.service).shown is not Service.shown
        self.ours: set[str] = set()
        """The IDs of integrations that set values which are as they were sent."""
        self.differing: dict[int, list[Field]] = {}
        """By the ID of a change whose answer is being recorded, the attributes that its record holds differently."""
        self.examples: Counter[str] = Counter()
        self.left: dict[tuple[int, str], int] = {}
        self.changed_again: list[tuple[int, str]] = []
        """Values that were left as they are, and have changed since: key digest and attribute."""
        self.moving: set[int] = set()
        self.same: list[int] = []
        self.drifts: list[Drift] = []
        self.held: list[tuple[int, dict[str, Any]]] = []

    def record(self, answers: Sequence[Sent], now: datetime) -> list[Item]:
        """See `Recorder.record`. What is needed about the records comes in one query each."""
        changes = [item.change for answer in answers if answer.job.step == Step.FIND for item in answer.job.items]
        keys = [change.key_digest for change in changes]
        left = LeftValue.objects.filter(generation_id=self.generation_id, key_digest__in=keys)
        self.left = {(key, name): held for key, name, held in left.values_list("key_digest", "field", "held_digest")}
        self.moving = self._sent_meanwhile(keys)
        self.differing = {
            item.change.pk: list(self._compared(item.change, held))
            for answer in answers
            for item in answer.job.items
            if (held := _held(item.change, answer))
        }
        return super().record(answers, now)

    def _sent_meanwhile(self, keys: Sequence[int]) -> set[int]:
        """The records that a run sends now, or has sent since this check began: what they hold proves nothing."""
        run = self.context.run
        records = Record.objects.filter(generation_id=self.generation_id, key_digest__in=keys)
        sending = Change.objects.filter(
            key_digest__in=keys, state=Change.State.SENDING, run__activation=run.activation_id, run__dry_run=False
        ).filter(run__state__in=Run.LIVE)
        since = records.filter(accepted_at__gte=run.started_at)
        return {*since.values_list("key_digest", flat=True), *sending.values_list("key_digest", flat=True)}

    def _judge(self, item: Item, answer: Sent, place: int, problem: Problem | None) -> Judgement:
        if problem is not None:
            return super()._judge(item, answer, place, problem)
        change, held = item.change, _held(item.change, answer)
        if change.key_digest in self.moving:
            return Judgement(item.progress, "matched")
        if held is None:
            return Judgement(item.progress, GONE.outcome, reason=Reason(GONE.code, GONE.message))
        drifts = [self._drift(change, field, held) for field in self.differing[change.pk]]
        self.drifts += drifts
        reported = [drift.field for drift in drifts if not drift.is_left]
        if not reported:
            return Judgement(item.progress, "matched")
        change.web_url, change.sent = stored.safe_link(held.web_url), reported
        self._keep_values(change, held, reported)
        return Judgement(item.progress, Change.Outcome.UPDATES.value)

    def _compared(self, change: Change, held: Held) -> Iterator[Field]:
        """The attributes that the record holds differently. Notes who set the others."""
        service = self.context.service
        for name in change.changed:
            field = self.context.fields_by_name.get(name)
            if field is None or name not in change.values:
                continue
            if not service.same(field, change.values[name], held, adds=name in self.adds):
                yield field
                continue
            if (change.key_digest, name) in self.left:
                self.changed_again.append((change.key_digest, name))
            if (author := service.author(field, held)) and author.writer == Writer.INTEGRATION:
                self.ours.add(author.id)

    def _drift(self, change: Change, field: Field, held: Held) -> Drift:
        who = attributed(self.context.service.author(field, held), field, self.ours)
        digest = digests.of_value(self.context.service.shown(field, held))
        left = self.left.get((change.key_digest, field.name))
        if left not in (None, digest):
            self.changed_again.append((change.key_digest, field.name))
        return Drift(
            run=self.context.run,
            change=change,
            key_digest=change.key_digest,
            field=field.name,
            held_digest=digest,
            writer=who.writer.value,
            writer_id=who.id,
            written_at=who.at,
            is_left=left == digest,
        )

    def _keep_values(self, change: Change, held: Held, names: Sequence[str]) -> None:
        """Keeps what the record holds, while there are few examples of one of these attributes."""
        wanted = [name for name in names if self.examples[name] < EXAMPLES]
        if self.shows and wanted:
            self.examples.update(wanted)
            fields = self.context.fields_by_name
            shown = {name: {"held": self.context.service.shown(fields[name], held)} for name in wanted}
            self.held.append((change.pk, shown))

    def _settle(self, item: Item, judged: Judgement, now: datetime) -> None:
        if judged.outcome == Change.Outcome.MATCHED:
            self.counts["matched"] += 1
            self.same.append(item.change.pk)
        else:
            super()._settle(item, judged, now)

    def _remember(self, changes: Sequence[Change], now: datetime) -> None:
        Drift.objects.bulk_create(self.drifts)
        held_values.insert(self.context.run.pk, self.held)
        Change.objects.filter(pk__in=self.same).delete()
        for key, name in self.changed_again:
            LeftValue.objects.filter(generation_id=self.generation_id, key_digest=key, field=name).delete()
        self.drifts, self.held, self.same, self.changed_again = [], [], [], []


def _held(change: Change, answer: Sent) -> Held | None:
    """The record of a change, if a lookup found it. A different record with its match value is none."""
    held = answer.found.get(change.match_identity)
    return held if held and held.remote_id == change.remote_id else None


def recorder_of(run: Run) -> type[Recorder]:
    """PURE. What records the answers of a run."""
    if run.kind == Run.Kind.DRIFT:
        return DriftCheck
    return Forecast if run.dry_run else Recorder
