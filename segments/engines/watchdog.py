"""Ends the wait for a server that no longer responds, not even to report that a statement timed out."""

from __future__ import annotations

import os
import socket
from contextlib import contextmanager, suppress
from threading import Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

GRACE_SECONDS = 10
"""How much longer than the server's own timeout the client waits for a statement to end."""


def hang_up(fileno: int) -> None:
    """Shuts down a connection; any thread that is waiting for it gets a lost connection."""
    # On a duplicate, because the descriptor itself still belongs to the driver, which closes it.
    with suppress(OSError), socket.socket(fileno=os.dup(fileno)) as duplicate:
        duplicate.shutdown(socket.SHUT_RDWR)


@contextmanager
def time_limit(seconds: float, on_expiry: Callable[[], None]) -> Iterator[None]:
    """Calls `on_expiry` from another thread if the block takes longer than this."""
    timer = Timer(seconds, on_expiry)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
