"""Free ports of this machine, and the lock that allows one runtime per state directory."""

from __future__ import annotations

import fcntl
import os
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from core.errors import Problem

HOST = "127.0.0.1"


def port_is_free(port: int) -> bool:
    """Whether a server could listen on `port` of 127.0.0.1 right now."""
    with socket.socket() as probe:
        # Servers set this too. Without it, a port that was closed just now seems to be in use.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def free_port(preferred: int = 0) -> int:
    """`preferred` if it is free, otherwise any free port."""
    if preferred and port_is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


@contextmanager
def exclusive_runtime(var_dir: Path) -> Iterator[None]:
    """Locks the state directory for this process. The kernel releases the lock when the process ends.

    Raises:
        Misconfigured: another process holds the lock.
    """
    running = Misconfigured(
        "already_running",
        f"An instance is already running in {var_dir}. Stop it first, or set VAR_DIR to a different directory.",
    )
    with exclusive(var_dir / "runtime.lock", running):
        yield


@contextmanager
def exclusive(path: Path, problem: Problem) -> Iterator[None]:
    """Holds a lock file. The kernel releases the lock when the process ends.

    Raises:
        the problem: a different thread or process holds the lock.
    """
    handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        _lock(handle, problem)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, problem: Problem) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise problem from None
