"""A connection whose server does not answer any more, not even to say that it ends."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_SECONDS = 10
"""How much longer than the server the client waits for the end of a statement."""


def hang_up(fileno: int) -> None:
    """Closes a connection for whoever waits for it, in whatever thread: it finds it lost."""
    with suppress(OSError), socket.socket(fileno=os.dup(fileno)) as other:
        other.shutdown(socket.SHUT_RDWR)


@contextmanager
def no_longer(seconds: float, end: Callable[[], None]) -> Iterator[None]:
    """Calls `end`, from another thread, where what runs in it takes longer than that."""
    timer = Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
