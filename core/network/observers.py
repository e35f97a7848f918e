"""Observers of the requests that a thread sends through `core.http`, called before each request and after it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests import PreparedRequest

KEPT_BYTES = 12_288
"""The part of each body that observers receive. A whole response can have megabytes."""


@dataclass(frozen=True)
class Sending:
    """A request about to be sent, without its headers, because they contain the credential.

    Args:
        url: includes the query, but no username or password.
        body: the first `KEPT_BYTES` of the body.
    """

    method: str
    url: str
    body: bytes


class Observer:
    """Observes the requests of one thread. By default, both methods do nothing."""

    def sending(self, request: Sending) -> None:
        """Called before a request is sent. If this raises, the request is not sent."""

    def answered(self, request: Sending, status: int | None, body: bytes) -> None:
        """Called after the response to a request, or after it failed.

        Args:
            status: None if there was no usable response.
            body: the first `KEPT_BYTES` of the response.
        """


class _Current(threading.local):
    observer: Observer | None = None


_current = _Current()


@contextmanager
def observed(observer: Observer) -> Iterator[None]:
    """Registers the observer for requests of this thread during the block, in place of any other observer."""
    before = _current.observer
    _current.observer = observer
    try:
        yield
    finally:
        _current.observer = before


def sending(request: PreparedRequest) -> Sending | None:
    """Notifies the observer of this thread of a request. Returns None if there is no observer."""
    if _current.observer is None:
        return None
    body = request.body or b""
    content = body.encode() if isinstance(body, str) else bytes(body)
    shown = Sending(request.method or "", _without_login(request.url or ""), content[:KEPT_BYTES])
    _current.observer.sending(shown)
    return shown


def answered(request: Sending | None, status: int | None, body: bytes = b"") -> None:
    """Notifies the observer of this thread of the response to a request returned by `sending`."""
    if request is not None and _current.observer is not None:
        _current.observer.answered(request, status, body[:KEPT_BYTES])


def _without_login(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
