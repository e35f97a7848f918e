"""Sends the requests of one job, in a sender thread: talks to the vendor, never to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from activations.delivery import compare
from activations.delivery.exchanges import Recording
from activations.delivery.judgement import was_created
from activations.delivery.steps import Item, Job, Sent, Step
from activations.vendor_session import reading_only
from core.errors import Problem
from core.failpoints import reach
from core.network.observers import observed
from destinations.contract import Mode, Operation, Outcome, Verb, records
from destinations.kit.exchanges import Secrets

if TYPE_CHECKING:
    import queue
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from activations.models import Change
    from activations.vendor_session import Context
    from destinations.contract import Held, Service


class Sender:
    """Works on jobs and puts their answers in a queue. Thread-safe."""

    def __init__(self, context: Context, answers: queue.Queue[Sent]) -> None:
        self.context = context
        self.answers = answers
        # Read before the threads start, so that none of them touches the database.
        self.match_name = context.activation.match_field
        self.secrets = Secrets(context.activation.destination.connection.secrets.values())
        self.keeps_exchanges = settings.EXCHANGE_DAYS > 0
        self.compares = compare.compares(context)
        self.adds = compare.adds(context)

    def send(self, job: Job) -> None:
        """Never raises: any exception becomes part of the answer."""
        sent = Sent(job)
        self.context.pacer.forget_waits()
        try:
            with reading_only(self.context):
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
            sent.found = self.find(job.items)
            sent.differing = dict(self.differing(job.items, sent.found))
            sent.created_by_us = frozenset(self._created_by_us(job.items, sent.found))
            return
        reach("before_send")
        operations = [operation(self.context, job.step, item.change, self.adds) for item in job.items]
        recording = Recording(self.secrets, self._is_kept)
        try:
            with observed(recording):
                sent.results = written(service, client, operations)
        finally:
            sent.exchanges = recording.of_each(len(operations))

    def _is_kept(self) -> bool:
        return self.keeps_exchanges and self.context.pacer.is_writing()

    def find(self, items: Sequence[Item]) -> Mapping[str, Held]:
        """The records by match identity. A match value with more than one part is found by any of its parts.

        A company with the domains `a.com` and `b.com` is looked up by both, since the vendor may know only one of them.
        """
        service, field = self.context.service, self.context.match_field
        parts_by_identity = {
            item.change.match_identity: service.identities(field, item.change.match_value) for item in items
        }
        names = sorted({name for parts in parts_by_identity.values() for name in parts})
        found: dict[str, Held] = {}
        for start in range(0, len(names), service.limits.find_batch):
            batch = names[start : start + service.limits.find_batch]
            found |= records(service.find(self.context.client, field, batch))
        return {
            identity: next(found[name] for name in parts if name in found)
            for identity, parts in parts_by_identity.items()
            if not found.keys().isdisjoint(parts)
        }

    def differing(self, items: Sequence[Item], found: Mapping[str, Held]) -> Iterator[tuple[int, tuple[str, ...]]]:
        """By change, what its record holds differently, if records are compared. A known one only with itself."""
        for change in (item.change for item in items if self.compares):
            held = found.get(change.match_identity)
            if held and change.remote_id in ("", held.remote_id):
                yield change.pk, compare.differing(self.context, change, held, self.adds)

    def _created_by_us(self, items: Sequence[Item], found: Mapping[str, Held]) -> Iterator[str]:
        """The identities whose record is one of ours: in insert mode, a worker may have died after creating it."""
        for item in items if self.context.activation.mode == Mode.INSERT else ():
            identity = item.change.match_identity
            if item.progress.ambiguous and identity in found:
                created_at = self.context.service.made_at(self.context.client, found[identity].remote_id)
                if was_created(created_at, item.change.first_attempt_at):
                    yield identity


def operation(context: Context, step: Step, change: Change, adds: frozenset[str]) -> Operation:
    """The write of a change.

    Args:
        adds: the attributes whose values are added to a list.
    """
    return Operation(
        verb=Verb(step.value),
        match_field=context.activation.match_field,
        match_value=change.match_value,
        values=change.values,
        changed=frozenset(change.changed),
        add=adds & frozenset(change.values),
        remote_id=change.remote_id,
        may_create=context.activation.mode == Mode.UPSERT,
    )


def written(service: Service, client: Any, operations: Sequence[Operation]) -> list[Outcome | Problem]:
    """Sends the writes, and returns the outcome or the problem of each. Raises like `Service.write_all`."""
    if service.limits.write_batch > 1:
        return checked(service, service.write_all(client, operations), len(operations))
    return checked(service, [service.write(client, operations[0])], 1)


def checked(service: Service, results: Iterable[Outcome | Problem], number: int) -> list[Outcome | Problem]:
    """PURE. The results, one for each record.

    Raises:
        TypeError, ValueError: they are something else, which is a defect of the service. None of them counts, since
            nobody knows which records they are about.
    """
    listed = list(results)
    if len(listed) != number:
        raise ValueError(f"{service.slug} returned {len(listed)} results for {number} records.")
    for result in listed:
        if not isinstance(result, Outcome | Problem):
            raise TypeError(f"{service.slug} returned a {type(result).__name__} for a record.")
    return listed
