"""Records the outcomes of changes: outcome, baseline, counters and lease in one fenced commit."""

from __future__ import annotations

import random
import time
from collections import Counter
from itertools import count
from typing import TYPE_CHECKING

from django.db.models import F

from activations import digests
from activations.delivery import compare, exchanges, judgement, retry, stored
from activations.delivery.ending import Ending
from activations.delivery.judgement import Judgement, Sending
from activations.delivery.steps import Item, Sent, Step
from activations.models import Change
from activations.storage import baseline, bulk, hidden_records, match_owners
from core.errors import Problem, Rejected, Unavailable
from core.failpoints import reach
from core.secrets import hide
from destinations.contract import Outcome, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from activations.runs.lease import Lease
    from activations.vendor_session import Context
    from destinations.contract import Held


class Recorder:
    """The only writer of a run in delivery. `judgement` decides, and `ending` says whether the run can continue."""

    def __init__(self, context: Context, lease: Lease) -> None:
        self.context = context
        self.lease = lease
        self.mode = context.activation.mode
        assert context.run.generation_id is not None
        self.generation_id: int = context.run.generation_id
        self.slots = dict(context.activation.mappings.values_list("target", "slot"))
        self.reads = compare.reads(context)
        self.ending = Ending()
        self.batches = count(1)
        self.owners = match_owners.Owners(self.generation_id)
        self.hidden = hidden_records.Noted(context.run, notes=context.service.reveals is not None)
        self.secrets = list(context.activation.destination.connection.secrets.values())
        self.chance = random.Random()  # noqa: S311

    def record(self, answers: Sequence[Sent], now: datetime) -> list[Item]:
        """Commits the answers; returns the items that need another step.

        Raises:
            Lost: a different worker has claimed the run. Nothing was recorded.
        """
        self.settled: list[Item] = []
        self.attempted: list[Change] = []
        self.overwritten: list[tuple[int, Change]] = []
        self.counts: Counter[str] = Counter()
        unfinished = [item for answer in answers for item in self._take(answer, now)]
        reach("before_commit")
        self._commit(now)
        reach("after_commit")
        return unfinished

    def _take(self, answer: Sent, now: datetime) -> list[Item]:
        """Applies one answer to its items; returns those that need another step.

        If the answer is a defect of ours, its items keep the state "sending": nobody knows what happened to them.
        """
        if answer.defect is not None:
            self.ending.defect = self.ending.defect or answer.defect
            return []
        for item, exchange in zip(answer.job.items, answer.exchanges, strict=False):
            item.exchange = exchange
        problems = [
            retry.with_one_wait(problem, now) if isinstance(problem, Unavailable) else problem
            for problem in answer.problems
        ]
        was_due = self.ending.is_due
        self.ending.observe(problems)
        if not was_due:
            self._block()
        if answer.was_refused_whole:
            return answer.job.halves(next(self.batches))
        self._load_owners(answer)
        judged = [
            (item, self._judge(item, answer, place, problem))
            for place, (item, problem) in enumerate(zip(answer.job.items, problems, strict=True))
        ]
        self._pause([judgement for _, judgement in judged])
        return [item for item, judgement in judged if self._apply(item, judgement, now)]

    def _load_owners(self, answer: Sent) -> None:
        if answer.job.step == Step.FIND and answer.found:
            service, field = self.context.service, self.context.match_field
            values = [item.change.match_value for item in answer.job.items]
            self.owners.load({identity for value in values for identity in service.identities(field, value)})

    def _block(self) -> None:
        """Blocks the request budget if the vendor accepts no more requests for longer than a run can wait."""
        problem = self.ending.problem
        if isinstance(problem, Unavailable) and problem.not_before and problem.code not in retry.NEVER_SENT:
            self.context.pacer.block(problem.not_before)

    def _pause(self, judged: Sequence[Judgement]) -> None:
        """Pauses once for each request that was throttled, however many records it was about."""
        pauses = [judgement.pause for judgement in judged if judgement.pause]
        if pauses:
            self.counts["throttled"] += 1
            self.context.pacer.pause(*max(pauses, key=lambda pause: pause[1]))

    def _judge(self, item: Item, answer: Sent, place: int, problem: Problem | None) -> Judgement:
        """What the answer means for the item at this place in its job."""
        change = item.change
        links = tuple(name for name in change.values if name in self.context.service.links)
        sending = Sending(
            self.mode, answer.job.step, item.progress, tuple(change.values), change.attempts, change.first_attempt_at,
            change.remote_id, self.reads.policies.need_read(change), change.is_new, links,
        )  # fmt: skip
        if isinstance(problem, Rejected):
            return judgement.rejected(item.progress, problem)
        if isinstance(problem, Unavailable):
            return judgement.unanswered(sending, problem, stopping=self.ending.is_due, chance=self.chance)
        if problem is not None:
            return Judgement(item.progress)
        if answer.job.step == Step.NONE:
            return judgement.kept(item.progress)
        if answer.job.step == Step.FIND:
            return self._judge_found(sending, change, answer)
        outcome = answer.results[place]
        assert isinstance(outcome, Outcome)
        change.web_url = stored.safe_link(outcome.web_url)
        return judgement.written(sending, outcome, self._overwritten(change, outcome))

    def _judge_found(self, sending: Sending, change: Change, answer: Sent) -> Judgement:
        held = answer.found.get(change.match_identity)
        if held and change.remote_id and held.remote_id != change.remote_id:
            held = None
        difference = answer.differences.get(change.pk) if held or change.remote_id else None
        if held and difference is not None:
            change.web_url = stored.safe_link(held.web_url)
        is_ours = change.match_identity in answer.created_by_us
        return judgement.found(
            sending, held, created_by_us=is_ours, difference=difference,
            rejection=self._owned_by_other(change, held, difference is not None),
        )  # fmt: skip

    def _owned_by_other(self, change: Change, held: Held | None, compared: bool) -> Rejected | None:
        """Rejects a change whose match value leads to the record of a different row."""
        if not change.lookup_first and not compared:
            return None
        if change.lookup_first:
            change.lookup_first, change.code, change.message = False, "", ""
        field = self.context.match_field
        identities = self.context.service.identities(field, change.match_value)
        return self.owners.refusal(change, held.remote_id, identities, field.name) if held else None

    def _overwritten(self, change: Change, outcome: Outcome) -> Rejected | None:
        """Rejects a change whose write reached the record of a different row, which then has to be written again."""
        holder = self.owners.overwritten(change, outcome) if outcome.result == Result.ACCEPTED else None
        if holder is None:
            return None
        self.overwritten.append((holder.key_digest, change))
        change.remote_id, change.sent = "", list(outcome.sent)
        return match_owners.refusal(holder, self.context.activation.match_field)

    def _apply(self, item: Item, judged: Judgement, now: datetime) -> bool:
        """Applies a judgement to the item and its change. Returns whether another step is needed."""
        change = item.change
        item.progress = judged.progress
        item.not_before = time.monotonic() + judged.wait_seconds if judged.wait_seconds else 0.0
        judged.redirect(change)
        if judged.resend_all and item.progress.gone:
            change.field_digests = digests.only(bytes(change.field_digests), change.values, self.slots)
        if judged.attempted:
            change.attempts += 1
        if judged.outcome:
            self._settle(item, judged, now)
        elif judged.attempted:
            self.attempted.append(change)
        return not judged.outcome

    def _settle(self, item: Item, judged: Judgement, now: datetime) -> None:
        change = item.change
        change.state, change.outcome, change.settled_at = Change.State.SETTLED, judged.outcome, now
        self.counts[judged.outcome] += 1
        self.counts["kept"] += bool(change.kept and judged.outcome in (*Change.HELD, *Change.FORESEEN))
        change.exchange_id = item.exchange.id if item.exchange else None
        self.settled.append(item)
        if judged.reason:
            change.code, change.message = judged.reason.code, hide(judged.reason.message, self.secrets)
            change.field, change.request_id = judged.reason.field, judged.reason.request_id
        if outcome := judged.accepted:
            change.created, change.sent = judged.created, list(outcome.sent)
            change.request_id = outcome.request_id
            self.counts.update(created=judged.created, hidden=self.hidden.accepted(change, outcome))
            self.owners.accepted(change, outcome)
        if judged.waiting:
            self.counts["incomplete"] += 1
            baseline.postpone(change, judged.waiting, self.slots)

    def _commit(self, now: datetime) -> None:
        counts = self.counts + Counter(self.context.counts())
        changes = [item.change for item in self.settled]
        with self.lease.fenced(**{name: F(name) + number for name, number in counts.items() if number}):
            bulk.update(Change, {}, "id", ["attempts"], [[change.pk, change.attempts] for change in self.attempted])
            exchanges.insert(self.context.run.pk, exchanges.unstored(self.settled))
            bulk.update(Change, {}, "id", stored.COLUMNS, [stored.row(change) for change in changes])
            self._remember(changes, now)

    def _remember(self, changes: Sequence[Change], now: datetime) -> None:
        """Moves the baseline to what these settled changes accepted, and notes which records wait for a retry."""
        self._void_doubtful()
        accepted = [change for change in changes if change.outcome in Change.HELD]
        tried = [change for change in changes if change.outcome in Change.TRIED and change.row_digest]
        baseline.accepted(self.generation_id, accepted, now)
        self._void_overwritten()
        self.owners.commit()
        self.hidden.commit(now)
        baseline.tried(self.generation_id, self.context.run.number, tried, self.slots, now)

    def _void_doubtful(self) -> None:
        """Voids the baseline of records that were not accepted, but may have been written or no longer exist."""
        for item in self.settled:
            change, progress = item.change, item.progress
            if (progress.ambiguous or progress.gone) and change.outcome not in Change.HELD:
                baseline.void(self.generation_id, change.key_digest, change.changed, self.slots, gone=progress.gone)

    def _void_overwritten(self) -> None:
        """Makes records that a different row overwrote due again. For that row, nothing counts as accepted."""
        for holder, change in self.overwritten:
            baseline.void(self.generation_id, holder, [name for name in change.sent if name in self.slots], self.slots)
            baseline.forget(self.generation_id, change)

    def put_back(self, items: Sequence[Item]) -> None:
        """Resets changes that were certainly not sent to pending, with the IDs that lookups found.

        Changes that may have been sent keep the state "sending".
        """
        unsent = [item.change.pk for item in items if not item.progress.ambiguous]
        with self.lease.fenced(**{name: F(name) + number for name, number in self.context.counts().items()}):
            Change.objects.filter(pk__in=unsent).update(state=Change.State.PENDING)
            identified = (item.change for item in items if item.progress.looked_up and item.change.remote_id)
            bulk.update(Change, {}, "id", stored.REDIRECTED, [stored.redirected(change) for change in identified])
            exchanges.insert(self.context.run.pk, exchanges.unstored(items))
            last = [[item.change.pk, exchanges.reference(item.exchange.id)] for item in items if item.exchange]
            bulk.update(Change, {}, "id", ["exchange_id"], last)
