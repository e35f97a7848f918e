"""Who does what: the actor of the present request, command or task, and a way to announce what was done.

The roof registers the listener that stores it (`dinmo.audit`). Without one, nothing is stored.
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
"""What changed, in the words of the screens: field → before and after. "" is nothing."""


class Kind(StrEnum):
    """Who acts."""

    PERSON = "person"
    TOKEN = "token"  # noqa: S105 (a kind of actor)
    COMMAND = "command"
    SYSTEM = "system"


class Verb(StrEnum):
    """What was done. Its value is what the screens show."""

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
    """Who acts.

    Args:
        label: the name that people know it by.
        pk: the ID of the person or the token.
        address: the network address that the request came from; "" if there is none.
    """

    kind: Kind
    label: str
    pk: int | None = None
    address: str = ""


SYSTEM = Actor(Kind.SYSTEM, "DinMo")


@dataclass(frozen=True)
class Scene:
    """What is going on.

    Args:
        find_actor: finds who acts when somebody wants to know: a request may identify its sender late, or never.
        request: the same for everything that one request, command or task does.
        run: the run that is being executed.
    """

    find_actor: Callable[[], Actor] = lambda: SYSTEM
    request: str = field(default_factory=lambda: uuid.uuid4().hex)
    run: int | None = None


class Listener(Protocol):
    """Stores what is announced."""

    def announced(self, verb: Verb, subject: Any, changes: Changes, scene: Scene) -> None: ...

    def recording(self, *rows: Any) -> AbstractContextManager[None]: ...


_scene: ContextVar[Scene | None] = ContextVar("scene", default=None)
_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Registers what stores announcements. It replaces the one before."""
    _listeners[:] = [listener]


def scene() -> Scene:
    """What is going on. Without a scene, the system acts."""
    return _scene.get() or Scene()


def actor() -> Actor:
    """Who acts now."""
    return scene().find_actor()


@contextmanager
def acting_as(who: Actor | Callable[[], Actor], *, request: str = "", run: int | None = None) -> Iterator[None]:
    """Everything in the block is done by `who`.

    Args:
        request: the ID that the log has for the request; made if there is none.
        run: the ID of the run that the block executes.
    """
    find = (lambda: who) if isinstance(who, Actor) else who
    token = _scene.set(Scene(find, request or uuid.uuid4().hex, run))
    try:
        yield
    finally:
        _scene.reset(token)


def identify(who: Actor) -> None:
    """Says who sent the present request, once that is known. Ends with the block of `acting_as` around it."""
    if present := _scene.get():
        _scene.set(replace(present, find_actor=lambda: who))


def announce(
    verb: Verb, subject: Any, changes: Mapping[str, tuple[str, str]] | None = None, *, run: int | None = None
) -> None:
    """Records that the present actor did something. In a transaction, it is recorded only if that commits.

    Args:
        subject: the row that it was done to, or the name of something that has no row.
        changes: field → before and after, in the words of the screens. No values of records, and no secrets.
        run: the ID of the run that it is about, or that it started.
    """
    present = scene()
    for listener in _listeners:
        listener.announced(verb, subject, dict(changes or {}), replace(present, run=run or present.run))


def recording(*rows: Any) -> AbstractContextManager[None]:
    """All changes in the block are one transaction and, for each object of the configuration, one entry.

    Rows that are saved and deleted one by one are noticed. Name those that a bulk statement changes.

    Args:
        rows: the objects that bulk statements in the block change, or parts of them.
    """
    return _listeners[0].recording(*rows) if _listeners else nullcontext()
