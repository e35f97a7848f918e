"""Child processes that do not outlive their parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    command: Sequence[str], environment: Mapping[str, str], output: int | IO[bytes] | None = None
) -> subprocess.Popen[bytes]:
    """Starts a command in a session of its own. Call it from the main thread.

    On Linux, the kernel kills the child when the thread that started it ends, however it ends.

    Args:
        environment: the complete environment of the child.
        output: the combined target of stdout and stderr, in the form that `subprocess` accepts.

    Raises:
        OSError: the command can't be started.
    """
    parent = os.getpid()

    def tie_to_parent() -> None:
        if _LIBC is not None:
            _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            # The parent may have died before prctl took effect.
            if os.getppid() != parent:
                os._exit(1)

    return subprocess.Popen(  # noqa: S603
        list(command),
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        # What the programs store is for this user only.
        umask=0o077,
        preexec_fn=tie_to_parent,
    )


def kill_session(process: subprocess.Popen[bytes]) -> None:
    """Kills the process together with every process that it left behind in its session, and reaps it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def stop(process: subprocess.Popen[bytes], grace_seconds: float) -> None:
    """Terminates the process, and kills what is left of its session after `grace_seconds`."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(grace_seconds)
    kill_session(process)
