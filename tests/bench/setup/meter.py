"""What a piece of work costs this process: wall time, CPU time, peak memory."""

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
    """Measures the block that it is the context of."""

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
        """Seconds, and MB of this process's peak until now."""
        return {"wall": self.wall, "cpu": self.cpu, "rss": peak_mb(), **more}


def peak_mb() -> float:
    """The peak of resident memory. On Linux from /proc, since `ru_maxrss` remembers the process that forked this one."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
