"""Sends the requests of one job, in a sender thread: talks to the vendor, never to the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from activations.delivery import compare
from activations.delivery.exchanges import Recording
from activations.delivery.steps import Item, Job, Sent, Step, was_created
from activations.vendor_session import reading_only
from core.errors import Problem
from core.failpoints import reach
from core.network.observers import observed
from destinations.contract import Mode, Operation, Outcome, Verb, records
from destinations.kit.exchanges import Secrets

if TYPE_CHECKING:
    import queue
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from activations.delivery.policies import Difference, Policies
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
        self.reads = compare.reads(context)
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
            sent.differences = dict(self.differences(job.items, sent.found))
            sent.created_by_us = frozenset(self._created_by_us(job.items, sent.found))
            return
        if job.step == Step.NONE:
            return
        reach("before_send")
        policies = self.reads.policies
        operations = [operation(self.context, job.step, item.change, policies, self.adds) for item in job.items]
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
        by_match = {
            identity: next(found[name] for name in parts if name in found)
            for identity, parts in parts_by_identity.items()
            if not found.keys().isdisjoint(parts)
        }
        return self._whole(items, by_match | dict(self._read(items, by_match)))

    def _read(self, items: Sequence[Item], by_match: Mapping[str, Held]) -> Iterator[tuple[str, Held]]:
        """The known records that were not found by their match value, which may be new, if policies depend on them."""
        for change in (item.change for item in items):
            held = by_match.get(change.match_identity)
            is_other = change.remote_id and (held is None or held.remote_id != change.remote_id)
            if is_other and self.reads.policies.need_read(change):
                known = self.context.service.read(self.context.client, self.context.match_field, change.remote_id)
                if known:
                    yield change.match_identity, known

    def _whole(self, items: Sequence[Item], found: Mapping[str, Held]) -> Mapping[str, Held]:
        """The records with all that they hold of the mapped attributes, if that is looked at."""
        service, client, reads = self.context.service, self.context.client, self.reads
        looked_at = {
            item.change.match_identity: item.change.values
            for item in items
            if reads.compares or self.context.run.live or reads.policies.need_read(item.change)
        }
        whole = {name: service.complete(client, found[name], looked_at[name]) for name in found.keys() & looked_at}
        return {**found, **whole}

    def differences(self, items: Sequence[Item], found: Mapping[str, Held]) -> Iterator[tuple[int, Difference]]:
        """By change, what it would do to its record, if records are compared or its policies depend on the record.

        A known one is compared only with its own record.
        """
        for change in (item.change for item in items):
            held, policies = found.get(change.match_identity), self.reads.policies
            needed = policies.need_read(change)
            if held and change.remote_id in ("", held.remote_id) and (needed or self.reads.compares):
                yield change.pk, compare.difference(self.context, change, held, policies, self.adds)
            elif change.remote_id and not policies.names.isdisjoint(change.changed):
                yield change.pk, policies.unread(change.changed)

    def _created_by_us(self, items: Sequence[Item], found: Mapping[str, Held]) -> Iterator[str]:
        """The identities whose record is one of ours: in insert mode, a worker may have died after creating it."""
        for item in items if self.context.activation.mode == Mode.INSERT else ():
            identity = item.change.match_identity
            if item.progress.ambiguous and identity in found:
                created_at = self.context.service.made_at(self.context.client, found[identity].remote_id)
                if was_created(created_at, item.change.first_attempt_at):
                    yield identity


def operation(context: Context, step: Step, change: Change, policies: Policies, adds: frozenset[str]) -> Operation:
    """The write of a change.

    Args:
        adds: the attributes whose values are added to a list.
    """
    # Vendors that write the parts of a value as a whole would take what did not change from here as well.
    left_alone = policies.names - set(change.changed) if step == Step.UPDATE else frozenset()
    values = {name: wire for name, wire in change.values.items() if name not in left_alone}
    return Operation(
        verb=Verb(step.value),
        match_field=context.activation.match_field,
        match_value=change.match_value,
        values=values,
        changed=frozenset(change.changed),
        # A new record has nothing yet that could be added to.
        add=(adds - policies.on_create) & frozenset(values),
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
