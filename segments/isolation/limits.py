"""The limits of a process that reads a source. The kernel keeps them, whatever the code of an engine does."""

from __future__ import annotations

import ctypes
import math
import os
import resource
import signal
import sys
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None
_SIZES = Path("/proc/self/statm")


def end_with(parent: int) -> None:
    """From here on, the kernel kills this process when its parent ends. Only Linux can; see `limit_time` for others."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit_memory(more_bytes: int) -> None:
    """Allows this much memory in addition to what the process has now, and no core dumps, which contain values.

    macOS does not limit memory.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if _SIZES.exists():
        present = int(_SIZES.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (present + more_bytes, present + more_bytes))


def limit_time(seconds: float) -> None:
    """The kernel kills this process after this time, unless it has ended or this was called again.

    It works if the process is stuck, and if nobody is left who waits for it.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # Twice, because an engine may use a second thread.
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + 2 * seconds), hard))
