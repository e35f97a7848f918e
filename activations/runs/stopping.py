"""Whether this worker is about to stop. Its runs then go to other workers immediately, instead of when they are done.

The main process of a worker receives the signal, and its children do the work. They share one byte of memory, which
they inherit when they are forked. There is no lock, so a killed process leaves none behind.
"""

from __future__ import annotations

import mmap

_REQUESTED = mmap.mmap(-1, 1)


class Interrupted(Exception):
    """The worker is about to stop. Release the run, so that a different worker takes it."""


def request() -> None:
    """Asks every process of this worker to hand over its runs."""
    _REQUESTED[0] = 1


def withdraw() -> None:
    """Takes the request back."""
    _REQUESTED[0] = 0


def is_requested() -> bool:
    """Whether this worker is about to stop."""
    return bool(_REQUESTED[0])


def check() -> None:
    """Raises Interrupted if this worker is about to stop."""
    if is_requested():
        raise Interrupted
