"""Writes audit log entries: announced actions, and the differences after an object was changed."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from activations.models import Run, Warning
from core import audit
from core.audit import Verb
from core.text.characters import one_line
from dinmo.audit.models import AuditEntry
from dinmo.audit.states.activation import DRAFT, NOT_PAUSED, PAUSED
from dinmo.audit.states.describe import describe, key_of
from dinmo.audit.wording import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from core.audit import Changes, Context
    from dinmo.audit.states.describe import Key
    from dinmo.audit.wording import Description

Before = dict["Key", "Description | None"]
"""The states of objects before the current block changed them. None means that the object didn't exist."""

_before: ContextVar[Before | None] = ContextVar("before", default=None)


class Recorder:
    """A `core.audit.Listener` that writes to the database, in the same transaction as the recorded change."""

    def announced(self, verb: Verb, subject: Any, changes: Changes, context: Context) -> None:
        if isinstance(subject, Run | Warning):
            subject = subject.activation
        if isinstance(subject, Model):
            write(verb, (subject._meta.model, subject.pk), str(subject), changes, context)
        else:
            write(verb, None, str(subject or ""), changes, context)

    @contextmanager
    def recording(self, *rows: Model) -> Iterator[None]:
        """See `core.audit.recording`. A nested block is part of the outer one."""
        with transaction.atomic():
            outer = _before.get()
            if outer is not None:
                note(*rows)
                yield
                return
            before: Before = {}
            token = _before.set(before)
            try:
                note(*rows)
                yield
            finally:
                _before.reset(token)
            for key, state in before.items():
                compare(key, state)


def is_recording() -> bool:
    """Whether a block is open."""
    return _before.get() is not None


def note(*rows: Model) -> None:
    """Stores the state of objects before the open block changes them. Only the first call for an object counts."""
    before = _before.get()
    assert before is not None
    for row in rows:
        key = key_of(row)
        if key and key not in before:
            before[key] = describe(key, lock=True)


def note_new(key: Key) -> None:
    """Stores that the open block created an object."""
    before = _before.get()
    assert before is not None
    before.setdefault(key, None)


def compare(key: Key, before: Description | None) -> None:
    """Writes an entry if an object differs from its previous state."""
    after = describe(key)
    changes = differences(before, after)
    present = after or before
    if present and (changes or (before is None) != (after is None)):
        write(_verb(before, after, changes), key, present.name, changes, audit.context())


def _verb(before: Description | None, after: Description | None, changes: Changes) -> Verb:
    if before is None or after is None:
        return Verb.CREATED if before is None else Verb.DELETED
    if set(changes) == {PAUSED}:
        return Verb.RESUMED if after.fields[PAUSED] == NOT_PAUSED else Verb.PAUSED
    return Verb.STARTED if set(changes) == {DRAFT} and not after.fields[DRAFT] else Verb.CHANGED


def write(verb: Verb, key: Key | None, name: str, changes: Changes, context: Context) -> None:
    """Writes one entry immediately."""
    actor = context.find_actor()
    AuditEntry.objects.create(
        at=timezone.now(),
        actor_kind=actor.kind,
        actor_id=actor.pk,
        actor_label=one_line(actor.label)[:200],
        address=actor.address[:64],
        verb=verb,
        object_type=key[0]._meta.label_lower if key else "",
        object_id=key[1] if key else None,
        object_name=one_line(name)[:300],
        changes=changes,
        run=context.run,
        request=context.request,
    )
