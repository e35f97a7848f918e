"""Records what became of changes: outcome, baseline, counters and lease in one fenced commit."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from django.db.models import F

from activations import digests, reasons
from activations.delivery import retry
from activations.delivery.steps import Item, Job, Sent, Step, was_created
from activations.models import Change
from activations.storage import baseline, bulk, match_owners
from core.errors import Misconfigured, Problem, Rejected, Unavailable
from core.failpoints import reach
from core.secrets import hide
from destinations.contract import Mode, Outcome, Purpose, Result

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from activations.runs.lease import Lease
    from activations.vendor_session import Context

_CHANGE_COLUMNS = [
    "state", "outcome", "attempts", "code", "message", "field", "request_id", "sent", "created", "settled_at", "remote_id",
]  # fmt: skip


class Recorder:
    """The only writer of a delivering run. `problem` is set where the run can't go on."""

    def __init__(self, context: Context, lease: Lease) -> None:
        self.context = context
        self.lease = lease
        self.mode = context.activation.mode
        assert context.run.generation_id is not None
        self.generation_id: int = context.run.generation_id
        self.slots = dict(context.activation.mappings.values_list("target", "slot"))
        self.problem: Misconfigured | Unavailable | None = None
        self.failures = 0
        self.owners = match_owners.Owners(self.generation_id)
        self.secrets = list(context.activation.destination.connection.secrets.values())
        self.chance = random.Random()  # noqa: S311

    def record(self, answers: Sequence[Sent], now: datetime) -> list[Item]:
        """Commits the answers; returns the items that need another step.

        Raises:
            Lost: another worker holds the run; nothing of this was recorded.
        """
        self.settled: list[Item] = []
        self.tried_again: list[Change] = []
        self.overwritten: list[tuple[int, Change]] = []
        self.counts: Counter[str] = Counter()
        again = [item for answer in answers for item in self._judge(answer, now)]
        reach("before_commit")
        self._commit(now)
        reach("after_commit")
        return again

    def _judge(self, answer: Sent, now: datetime) -> list[Item]:
        if answer.defect is not None:
            raise answer.defect
        if answer.problem is not None:
            return self._failed(answer, answer.problem, now)
        self.failures = 0
        if answer.job.step == Step.FIND:
            return [item for item in answer.job.items if self._found(item, answer, now)]
        assert answer.outcome is not None
        return self._written(answer.job, answer.outcome, now)

    def _found(self, item: Item, answer: Sent, now: datetime) -> bool:
        """Takes in a look-up; whether the item goes on to be written."""
        change = item.change
        remote_id = answer.found.get(change.match_identity, "")
        item.looked_up = True
        if change.code == reasons.CONTESTED.code and self._refused_as_held(item, remote_id, now):
            return False
        if self.mode == Mode.UPSERT:
            return True
        if self.mode == Mode.UPDATE and remote_id:
            # Nothing of it was accepted under this id: all of it is sent.
            change.remote_id, change.changed = remote_id, list(change.values)
            return True
        if self.mode == Mode.INSERT and not remote_id:
            return True
        if self.mode == Mode.INSERT and (item.unanswered or change.match_identity in answer.ours):
            change.created = change.match_identity in answer.ours
            self._accept(item, Outcome(Result.ACCEPTED, remote_id, sent=tuple(change.values)), now)
        else:
            self._skip(item, now)
        return False

    def _refused_as_held(self, item: Item, remote_id: str, now: datetime) -> bool:
        """Whether a contested match value leads to a record that is another row's."""
        field = self.context.match_field
        names = self.context.service.identities(field, item.change.match_value)
        if remote_id and (holder := self.owners.holder(item.change, remote_id, names)):
            self._reject(item, match_owners.refusal(holder, field.name), now)
            return True
        item.change.code = item.change.message = ""
        return False

    def _written(self, job: Job, outcome: Outcome, now: datetime) -> list[Item]:
        (item,) = job.items
        if outcome.result == Result.ACCEPTED and self._is_anothers(item, outcome, now):
            return []
        if outcome.result == Result.ACCEPTED:
            item.change.created = job.step != Step.UPDATE and was_created(
                outcome.created_at, item.change.first_attempt_at
            )
            self._accept(item, outcome, now)
        elif outcome.result == Result.EXISTS and not item.unanswered:
            self._skip(item, now)
        elif outcome.result == Result.EXISTS and outcome.remote_id:
            self._accept(item, Outcome(Result.ACCEPTED, outcome.remote_id, sent=tuple(item.change.values)), now)
        elif outcome.result == Result.EXISTS:
            item.looked_up = False
            return [item]
        elif item.gone and self.mode != Mode.UPSERT:
            self._skip(item, now)
        else:
            # The vendor no longer has it: the whole record anew, or found by its match again.
            item.gone = True
            item.change.remote_id, item.change.changed = "", list(item.change.values)
            item.change.field_digests = digests.only(bytes(item.change.field_digests), item.change.values, self.slots)
            return [item]
        return []

    def _is_anothers(self, item: Item, outcome: Outcome, now: datetime) -> bool:
        """Whether what was written turned out to be the record of another row, which is put right then."""
        holder = self.owners.overwritten(item.change, outcome)
        if holder is None:
            return False
        self.overwritten.append((holder.key_digest, item.change))
        item.change.remote_id, item.change.sent = "", list(outcome.sent)
        self._reject(item, match_owners.refusal(holder, self.context.activation.match_field), now)
        return True

    def _failed(self, answer: Sent, problem: Problem, now: datetime) -> list[Item]:
        if isinstance(problem, Rejected):
            self.failures = 0
            for item in answer.job.items:
                self._reject(item, problem, now)
            return []
        if isinstance(problem, Misconfigured):
            self.problem = problem
            return answer.job.items
        assert isinstance(problem, Unavailable)
        self._count_failure(problem)
        return [item for item in answer.job.items if self._try_again(item, problem, answer.job.step, now)]

    def _try_again(self, item: Item, problem: Unavailable, step: Step, now: datetime) -> bool:
        """Puts an unanswered item back with a wait, or settles it where it had its tries."""
        if problem.code == "stopped":
            return True
        item.ambiguous |= problem.ambiguous and step != Step.FIND
        if problem.ambiguous and step == Step.CREATE:
            item.looked_up, item.unanswered = False, True
        if problem.throttled:
            self.counts["throttled"] += 1
            purpose = Purpose.LOOKUP if step == Step.FIND else Purpose.WRITE
            self.context.pacer.pause(purpose, problem.retry_after or 1.0)
            return True
        item.change.attempts += 1
        self.tried_again.append(item.change)
        if self.problem:
            return True
        if not retry.may_retry(item.change.attempts, problem):
            self._give_up(item, problem, now)
            return False
        item.not_before = time.monotonic() + retry.backoff_seconds(item.change.attempts, problem, self.chance)
        return True

    def _count_failure(self, problem: Unavailable) -> None:
        """Answers that never came, one after another: after some the vendor is down, and is left in peace."""
        if problem.throttled or problem.code == "stopped":
            return
        self.failures += 1
        if self.failures >= retry.BREAKER_FAILURES:
            self.problem = problem

    def _accept(self, item: Item, outcome: Outcome, now: datetime) -> None:
        change = item.change
        change.remote_id = outcome.remote_id or change.remote_id
        change.sent = list(outcome.sent)
        change.request_id = outcome.request_id
        self.counts["created"] += change.created
        self.counts["hidden"] += int(change.created and outcome.hidden)
        self.owners.accepted(change, outcome)
        self._settle(item, Change.Outcome.ACCEPTED, now)

    def _skip(self, item: Item, now: datetime) -> None:
        change = item.change
        if self.mode == Mode.INSERT:
            change.code, change.message = (
                "already_there",
                "The destination has this record already, and insert mode never touches one.",
            )
        else:
            change.code, change.message = (
                "not_there",
                "The destination has no such record, and update mode never creates one.",
            )
        change.remote_id = ""
        self._settle(item, Change.Outcome.SKIPPED, now)

    def _reject(self, item: Item, refusal: Rejected, now: datetime) -> None:
        change = item.change
        change.code, change.message = refusal.code, hide(refusal.message, self.secrets)
        change.field, change.request_id = refusal.field, refusal.request_id
        change.attempts += 1
        self._settle(item, Change.Outcome.REJECTED, now)

    def _give_up(self, item: Item, problem: Unavailable, now: datetime) -> None:
        change = item.change
        change.code, change.message = problem.code, problem.message
        self._settle(item, Change.Outcome.UNKNOWN if item.ambiguous else Change.Outcome.NOT_SENT, now)

    def _settle(self, item: Item, outcome: str, now: datetime) -> None:
        item.change.state, item.change.outcome, item.change.settled_at = Change.State.SETTLED, outcome, now
        self.counts[outcome] += 1
        self.settled.append(item)

    def _commit(self, now: datetime) -> None:
        counts = self.counts + Counter(self.context.counts())
        changes = [item.change for item in self.settled]
        with self.lease.fenced(**{name: F(name) + number for name, number in counts.items() if number}):
            bulk.update(Change, {}, "id", ["attempts"], [[change.pk, change.attempts] for change in self.tried_again])
            bulk.update(Change, {}, "id", _CHANGE_COLUMNS, [_row(change) for change in changes])
            for item in self.settled:
                if (item.ambiguous or item.gone) and item.change.outcome != Change.Outcome.ACCEPTED:
                    baseline.void(
                        self.generation_id, item.change.key_digest, item.change.changed, self.slots, gone=item.gone
                    )
            accepted = [change for change in changes if change.outcome == Change.Outcome.ACCEPTED]
            tried = [
                change for change in changes if change.outcome in (Change.Outcome.REJECTED, Change.Outcome.SKIPPED)
            ]
            baseline.accepted(self.generation_id, accepted, now)
            self._put_right()
            self.owners.commit()
            baseline.tried(self.generation_id, self.context.run.number, tried, now)

    def _put_right(self) -> None:
        """What another row overwrote is due again, and nothing counts as accepted for that other row."""
        for holder, change in self.overwritten:
            baseline.void(self.generation_id, holder, [name for name in change.sent if name in self.slots], self.slots)
            baseline.forget(self.generation_id, change)

    def put_back(self, items: Sequence[Item]) -> None:
        """Gives back what was taken and surely not sent, with what look-ups found of it; what may have been sent stays marked."""
        unsent = [item.change.pk for item in items if not item.ambiguous]
        found = [item.change for item in items if item.looked_up and item.change.remote_id]
        with self.lease.fenced(**{name: F(name) + number for name, number in self.context.counts().items()}):
            Change.objects.filter(pk__in=unsent).update(state=Change.State.PENDING)
            rows = [[change.pk, change.remote_id, bulk.json_text(change.changed)] for change in found]
            bulk.update(Change, {}, "id", ["remote_id", "changed"], rows)


def _row(change: Change) -> list[Any]:
    return [
        change.pk, change.state, change.outcome, change.attempts, change.code, change.message, change.field, change.request_id,
        bulk.json_text(change.sent), change.created, change.settled_at, change.remote_id,
    ]  # fmt: skip
