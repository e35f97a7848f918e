"""Observers of the requests that a thread sends through `core.http`: they see each before it leaves, and its answer."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

KEPT_BYTES = 12_288
"""How much of each body an observer sees. A whole response may have megabytes."""


@dataclass(frozen=True)
class Sending:
    """A request that is about to leave. Its headers are left out, because they contain the credential.

    Args:
        url: with the query, without a user or password.
        body: the first `KEPT_BYTES` of it.
    """

    method: str
    url: str
    body: bytes


class Observer:
    """Sees the requests of one thread. Both methods do nothing unless they are overridden."""

    def sending(self, request: Sending) -> None:
        """A request is about to leave. It is not sent if this raises."""

    def answered(self, request: Sending, status: int | None, body: bytes) -> None:
        """The request got an answer, or none.

        Args:
            status: None if there was no usable answer.
            body: the first `KEPT_BYTES` of the answer.
        """


class _Current(threading.local):
    observer: Observer | None = None


_current = _Current()


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Lets the observer see the requests that this thread sends in the meantime, instead of any other observer."""
    before = _current.observer
    _current.observer = observer
    try:
        yield
    finally:
        _current.observer = before


def sending(request: PreparedRequest) -> Sending | None:
    """Tells this thread's observer about a request. None if there is no observer."""
    if _current.observer is None:
        return None
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    shown = Sending(request.method or "", _without_login(request.url or ""), content[:KEPT_BYTES])
    _current.observer.sending(shown)
    return shown


def answered(request: Sending | None, status: int | None, body: bytes = b"") -> None:
    """Tells this thread's observer about the answer to a request that `sending` returned."""
    if request is not None and _current.observer is not None:
        _current.observer.answered(request, status, body[:KEPT_BYTES])


def _without_login(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
