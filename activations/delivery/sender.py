"""One request after another for one job, in a sender thread: no database here, only the vendor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.delivery.judgement import was_created
from activations.delivery.steps import Item, Job, Sent, Step
from core.errors import Problem
from core.failpoints import reach
from destinations.contract import Mode, Operation, Verb

if TYPE_CHECKING:
    import queue
    from collections.abc import Iterator, Mapping, Sequence

    from activations.models import Change
    from activations.vendor_session import Context


class Sender:
    """Works on jobs and hands back what came of them. Safe for many threads."""

    def __init__(self, context: Context, answers: queue.Queue[Sent]) -> None:
        self.context = context
        self.answers = answers
        # Looked at before the threads start, so that none of them touches the database.
        self.match_name = context.activation.match_field
        self.adds = frozenset(field.target for field in context.run.mapped_fields if field.adds)

    def send(self, job: Job) -> None:
        """Never raises: whatever happens goes into the answer."""
        sent = Sent(job)
        self.context.pacer.forget_waits()
        try:
            self._send(job, sent)
        except Problem as problem:
            sent.problem = problem
        except BaseException as defect:
            sent.defect = defect
        sent.waited_seconds = self.context.pacer.waited_seconds()
        self.answers.put(sent)

    def _send(self, job: Job, sent: Sent) -> None:
        service, client = self.context.service, self.context.client
        if job.step == Step.FIND:
            sent.found = self._find(job.items)
            sent.ours = frozenset(self._ours(job.items, sent.found))
        else:
            reach("before_send")
            sent.outcome = service.write(client, self._operation(job.step, job.items[0].change))

    def _find(self, items: Sequence[Item]) -> Mapping[str, str]:
        """The vendor's ids by the identity of each item; a match value of several parts is found by any of them."""
        service, field = self.context.service, self.context.match_field
        wanted = {item.change.match_identity: service.identities(field, item.change.match_value) for item in items}
        names = sorted({name for several in wanted.values() for name in several})
        found: dict[str, str] = {}
        for start in range(0, len(names), service.limits.find_batch):
            found |= service.find(self.context.client, field, names[start : start + service.limits.find_batch])
        return {
            identity: next(found[name] for name in several if name in found)
            for identity, several in wanted.items()
            if not found.keys().isdisjoint(several)
        }

    def _ours(self, items: Sequence[Item], found: Mapping[str, str]) -> Iterator[str]:
        """In insert mode a worker may have died between creating a record and recording it."""
        for item in items if self.context.activation.mode == Mode.INSERT else ():
            identity = item.change.match_identity
            if item.progress.ambiguous and identity in found:
                made_at = self.context.service.made_at(self.context.client, found[identity])
                if was_created(made_at, item.change.first_attempt_at):
                    yield identity

    def _operation(self, step: Step, change: Change) -> Operation:
        return Operation(
            verb=Verb(step.value),
            match_field=self.match_name,
            match_value=change.match_value,
            values=change.values,
            changed=frozenset(change.changed),
            add=self.adds & frozenset(change.values),
            remote_id=change.remote_id,
            may_create=self.context.activation.mode == Mode.UPSERT,
        )
