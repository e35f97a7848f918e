"""The actor of the current request, command or task, and the events that go into the audit log.

`dinmo.audit` registers the listener that stores events. Without a listener, nothing is stored.
"""

from __future__ import annotations

import uuid
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Changes = dict[str, tuple[str, str]]
"""Changed fields, as labeled on the screens: field → value before and after. "" means no value."""


class Kind(StrEnum):
    """Kinds of actors."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 (a kind of actor)
    COMMAND = "command"
    SYSTEM = "system"


class Verb(StrEnum):
    """Actions. The screens show their values."""

    CREATED = "created"
    CHANGED = "changed"
    DELETED = "deleted"
    STARTED = "started"
    PAUSED = "paused"
    RESUMED = "resumed"
    RAN = "ran"
    CANCELLED = "cancelled"
    RETRIED = "retried"
    APPROVED = "approved"
    DISCARDED = "discarded"
    RESTORED = "restored"
    LEFT = "left as is"
    ACKNOWLEDGED = "acknowledged"
    EXPORTED = "exported"
    INVITED = "invited"
    SIGNED_IN = "signed in"
    SIGN_IN_FAILED = "sign-in failed"
    SIGNED_OUT = "signed out"
    PRUNED = "pruned"


@dataclass(frozen=True)
class Actor:
    """A user, token, command or the system.

    Args:
        label: the name shown on the screens.
        pk: the ID of the user or the token.
        address: the client address of the request; "" without a request.
    """

    kind: Kind
    label: str
    pk: int | None = None
    address: str = ""


SYSTEM = Actor(Kind.SYSTEM, "DinMo")


@dataclass(frozen=True)
class Context:
    """The current actor, request and run.

    Args:
        find_actor: returns the actor. Called only when needed, because a request may be authenticated late or never.
        request: an ID shared by everything that one request, command or task does.
        run: the ID of the run being executed.
    """

    find_actor: Callable[[], Actor] = lambda: SYSTEM
    request: str = field(default_factory=lambda: uuid.uuid4().hex)
    run: int | None = None


class Listener(Protocol):
    """Stores events."""

    def announced(self, verb: Verb, subject: Any, changes: Changes, context: Context) -> None: ...

    def recording(self, *rows: Any) -> AbstractContextManager[None]: ...


_context: ContextVar[Context | None] = ContextVar("context", default=None)
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Registers the listener, replacing any previous one."""
    _listeners[:] = [listener]


def context() -> Context:
    """The current actor and request; the system by default."""
    return _context.get() or Context()


def actor() -> Actor:
    """The current actor."""
    return context().find_actor()


@contextmanager
def acting_as(who: Actor | Callable[[], Actor], *, request: str = "", run: int | None = None) -> Iterator[None]:
    """Attributes everything in the block to `who`.

    Args:
        request: the request ID used in the log; generated if empty.
        run: the ID of the run that the block executes.
    """
    find = (lambda: who) if isinstance(who, Actor) else who
    token = _context.set(Context(find, request or uuid.uuid4().hex, run))
    try:
        yield
    finally:
        _context.reset(token)


def identify(who: Actor) -> None:
    """Sets the actor of the current request once it is known, until the enclosing `acting_as` block ends."""
    if current := _context.get():
        _context.set(replace(current, find_actor=lambda: who))


def announce(
    verb: Verb, subject: Any, changes: Mapping[str, tuple[str, str]] | None = None, *, run: int | None = None
) -> None:
    """Records an action of the current actor. Inside a transaction, it is recorded only if the transaction commits.

    Args:
        subject: the affected row, or the name of something that has no row.
        changes: field → value before and after, as labeled on the screens. No record values and no secrets.
        run: the ID of the run that the action affected or started.
    """
    current = context()
    for listener in _listeners:
        listener.announced(verb, subject, dict(changes or {}), replace(current, run=run or current.run))


def recording(*rows: Any) -> AbstractContextManager[None]:
    """Makes all changes in the block one transaction and one entry for each changed object of the configuration.

    Rows that are saved or deleted individually are detected. Pass those that a bulk statement changes.

    Args:
        rows: objects, or parts of objects, that bulk statements in the block change.
    """
    return _listeners[0].recording(*rows) if _listeners else nullcontext()
