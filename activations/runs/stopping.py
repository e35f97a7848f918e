"""Notifies the processes of a worker that it is shutting down, so that they hand over their unfinished runs.

The main process of a worker receives the signal, and its child processes execute the tasks. They share one byte of
memory, which the children inherit when they are forked. It needs no lock that a killed process could leave locked.
"""

from __future__ import annotations

import mmap

_REQUESTED = mmap.mmap(-1, 1)


class Interrupted(Exception):
    """The worker is shutting down. Release the run, so that a different worker continues it."""


def request() -> None:
    """Requests all processes of this worker to hand over their runs."""
    _REQUESTED[0] = 1


def withdraw() -> None:
    """Cancels the request."""
    _REQUESTED[0] = 0


def is_requested() -> bool:
    """Whether this worker is shutting down."""
    return bool(_REQUESTED[0])


def check() -> None:
    """Raises Interrupted if this worker is shutting down."""
    if is_requested():
        raise Interrupted
