"""Previews the request that a run would send now for one record. Nothing is written, neither here nor at the vendor."""

from __future__ import annotations

import queue
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import connection

from activations import reasons
from activations.delivery import judgement
from activations.delivery.judgement import Judgement, Sending
from activations.delivery.sender import Sender, operation, written
from activations.delivery.steps import Item, Step, next_step
from activations.models import Change, Run
from activations.planning.begin import plan
from activations.runs.lease import Cancelled, Keeper, Lost, claim
from activations.runs.requests import check_key
from activations.storage import match_owners
from activations.vendor_session import StopWrites, WriteStopped, open_context
from core.errors import Problem, Rejected
from core.network import observers
from destinations.contract import Outcome, Result
from destinations.kit.exchanges import Secrets
from segments.engines.watchdog import time_limit

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from activations.models import Activation
    from activations.vendor_session import Context
    from destinations.contract import Held

MATCHED = "The destination holds all of its values already, so nothing would be sent."
UNCHANGED = "Nothing has changed since this record was last sent, so nothing would be sent."
ABSENT = "The data of this activation has no record with this key. Check the key, and whether it is in the segment."
SUPERSEDED = "You started a newer preview, so this one ended."
TOO_SLOW = "The source did not return the record in time. Try again, or test with a smaller segment."


@dataclass(frozen=True)
class Preview:
    """The request that would be sent for a record, or the reason why nothing would be sent.

    Args:
        key, name: of the record; `name` is the value of the model's display column.
        method, url, body: the request without headers and without secrets; "" if nothing would be sent.
        step: "create", "update", or "upsert" (creates the record unless it exists).
        changed: the attributes that it is about.
        outcome: "" if the request would be sent; otherwise "unchanged", "absent", "failed" if the source or the
            destination can't be used, or a `Change.Outcome`.
        code, reason, field: why nothing would be sent, in words, and the attribute that it is about.
        reads: how many requests were sent to the vendor to find that out. None of them changes anything.
    """

    key: str
    name: str = ""
    method: str = ""
    url: str = ""
    body: str = ""
    step: str = ""
    changed: tuple[str, ...] = ()
    outcome: str = ""
    code: str = ""
    reason: str = ""
    field: str = ""
    reads: int = 0

    @property
    def is_sent(self) -> bool:
        return not self.outcome


def request_for(activation: Activation, key: str, person: AbstractBaseUser | AnonymousUser) -> Preview:
    """What a one-record run would send now for the record with this key.

    It takes at most SOURCE_PREVIEW_SECONDS to read the source, and then some requests that only read at the vendor.

    Args:
        person: who looks at it. Their previous preview ends if it is still being made.
    """
    check_key(key)
    Run.with_previews.filter(previewed_by=person.pk).update(cancel_requested=True)
    run = Run.with_previews.create(
        activation=activation,
        number=0,
        trigger=Run.Trigger.MANUAL,
        dry_run=True,
        only_key=key,
        previewed_by_id=person.pk,
    )
    late = threading.Event()
    try:
        return _planned(run, late)
    except (Cancelled, Lost):
        if late.is_set():
            return Preview(key, outcome="failed", code="source_timeout", reason=TOO_SLOW)
        return Preview(key, outcome="failed", code="superseded", reason=SUPERSEDED)
    except Problem as problem:
        return Preview(key, outcome="failed", code=problem.code, reason=problem.message)
    finally:
        run.delete()


def _planned(run: Run, late: threading.Event) -> Preview:
    def cancel() -> None:
        late.set()
        Run.with_previews.filter(pk=run.pk).update(cancel_requested=True)
        connection.close()

    lease = claim(run.pk)
    assert lease is not None
    with open_context(run) as context, Keeper(lease):
        with time_limit(settings.SOURCE_PREVIEW_SECONDS, cancel):
            plan(context, lease)
        run.refresh_from_db()
        if run.cancel_requested:
            raise Cancelled
        change = run.changes.filter(key=run.only_key).order_by("pk").last()
        if change is None:
            return _without_change(run)
        if change.outcome:
            return _settled(context, change, change.outcome, change.code, change.message, change.field)
        return _Steps(context, change).preview()


def _without_change(run: Run) -> Preview:
    if run.unchanged:
        return Preview(run.only_key, outcome="unchanged", reason=UNCHANGED)
    return Preview(run.only_key, outcome="absent", reason=ABSENT)


def _settled(context: Context, change: Change, outcome: str, code: str, reason: str, field: str = "") -> Preview:
    reads = sum(context.counts().values())
    return Preview(change.key, change.name, outcome=outcome, code=code, reason=reason, field=field, reads=reads)


class _Steps:
    """Takes the steps of delivery for one change, up to its first write."""

    def __init__(self, context: Context, change: Change) -> None:
        self.context = context
        self.item = Item(change)
        self.sender = Sender(context, queue.Queue())
        self.reads = self.sender.reads
        self.reads.hold_back(change)

    def preview(self) -> Preview:
        step = self._next()
        if step == Step.FIND:
            judged = self._found()
            if judged.outcome == Change.Outcome.MATCHED and not judged.reason:
                return _settled(self.context, self.item.change, judged.outcome, "", MATCHED)
            if judged.reason:
                reason = judged.reason
                return _settled(
                    self.context, self.item.change, judged.outcome, reason.code, reason.message, reason.field
                )
            self._apply(judged)
            step = self._next()
        if step == Step.NONE:
            return _settled(
                self.context, self.item.change, reasons.KEPT.outcome, reasons.KEPT.code, reasons.KEPT.message
            )
        return self._write(step)

    def _next(self) -> Step:
        mode, progress = self.context.activation.mode, self.item.progress
        return next_step(mode, self.item.change, progress.looked_up, self.reads)

    def _found(self) -> Judgement:
        change = self.item.change
        found = self.sender.find([self.item])
        held = found.get(change.match_identity)
        difference = dict(self.sender.differences([self.item], found)).get(change.pk)
        sending = Sending(self.context.activation.mode, Step.FIND, self.item.progress, tuple(change.values))
        refused = self._owned_by_other(held, difference is not None)
        return judgement.found(sending, held, created_by_us=False, difference=difference, rejection=refused)

    def _owned_by_other(self, held: Held | None, compared: bool) -> Rejected | None:
        change, generation = self.item.change, self.context.run.generation_id
        if not (change.lookup_first or compared) or held is None or generation is None:
            return None
        field = self.context.match_field
        identities = self.context.service.identities(field, change.match_value)
        return match_owners.Owners(generation).refusal(change, held.remote_id, identities, field.name)

    def _apply(self, judged: Judgement) -> None:
        change = self.item.change
        self.item.progress = judged.progress
        change.lookup_first = False
        judged.redirect(change)

    def _write(self, step: Step) -> Preview:
        context, change = self.context, self.item.change
        write = operation(context, step, change, self.reads.policies, self.sender.adds)
        try:
            with observers.observed(StopWrites(context)):
                (result,) = written(context.service, context.client, [write])
        except WriteStopped as stopped:
            return self._sent(step, stopped.request)
        except Rejected as problem:
            result = problem
        if isinstance(result, Outcome) and result.waiting:
            result = next(iter(result.waiting.values()))
            return _settled(context, change, Change.Outcome.SKIPPED, result.code, result.message, result.field)
        if isinstance(result, Outcome) and result.result == Result.ACCEPTED:
            return _settled(context, change, Change.Outcome.MATCHED, "", MATCHED)
        if isinstance(result, Outcome):
            judged = judgement.skipped(context.activation.mode, self.item.progress)
            assert judged.reason is not None
            return _settled(context, change, judged.outcome, judged.reason.code, judged.reason.message)
        outcome = Change.Outcome.REJECTED.value if isinstance(result, Rejected) else "failed"
        return _settled(context, change, outcome, result.code, result.message)

    def _sent(self, step: Step, request: observers.Sending) -> Preview:
        change, secrets = self.item.change, Secrets(self.context.activation.destination.connection.secrets.values())
        return Preview(
            key=change.key,
            name=change.name,
            method=request.method,
            url=secrets.url(request.url),
            body=secrets.body(request.body),
            step=step.value,
            changed=tuple(change.changed),
            reads=sum(self.context.counts().values()),
        )
