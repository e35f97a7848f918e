"""Measures what a block of code costs this process: wall time, CPU time, peak memory."""

from __future__ import annotations

import resource
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import TracebackType

STATUS = Path("/proc/self/status")


class Meter:
    """A context manager that measures its block."""

    def __enter__(self) -> Meter:
        self.wall = -time.perf_counter()
        self.cpu = -time.process_time()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wall += time.perf_counter()
        self.cpu += time.process_time()

    def result(self, **more: Any) -> dict[str, Any]:
        """Seconds, and the peak memory of this process so far in MB."""
        return {"wall": self.wall, "cpu": self.cpu, "rss": peak_mb(), **more}


def peak_mb() -> float:
    """Peak resident memory in MB. On Linux from /proc, since `ru_maxrss` includes the process that forked this one."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
