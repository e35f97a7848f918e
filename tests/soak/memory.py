"""The memory of the processes that are not killed, over time."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.report import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MB = 1024 * 1024
PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_MB_PER_MINUTE = 0.5
JUDGED_MINUTES = 20.0
"""In a shorter run, what a process loads when it is first used counts for more than what it would leak."""
Samples = list[tuple[float, float]]


@dataclass
class Memory:
    """Samples of the resident memory of programs and all their child processes.

    Args:
        programs: the process ID of each program, which leads a session of its own.
    """

    programs: Mapping[str, int]
    samples: dict[tuple[str, int], Samples] = field(default_factory=lambda: defaultdict(list))
    began: float = field(default_factory=time.monotonic)

    def sample(self) -> None:
        """Notes minutes and MB of each process."""
        minutes = (time.monotonic() - self.began) / 60
        leaders = {pid: name for name, pid in self.programs.items()}
        for pid in (int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()):
            with suppress(ProcessLookupError, FileNotFoundError):
                if leader := leaders.get(os.getsid(pid)):
                    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                    self.samples[leader, pid].append((minutes, pages * PAGE / MB))

    def growing(self, minutes: float) -> Iterator[str]:
        """One sentence for each process whose memory grew in the second half of these minutes."""
        for (name, pid), samples in self._whole(minutes):
            slope = per_minute([sample for sample in samples if sample[0] >= minutes / 2])
            if minutes >= JUDGED_MINUTES and slope > MOST_MB_PER_MINUTE:
                yield f"{name} ({pid}) grew by {slope:.2f} MB per minute in the second half."

    def table(self, minutes: float) -> str:
        """Each process that lived for the whole second half."""
        rows = []
        for (name, _), samples in self._whole(minutes):
            late = [sample for sample in samples if sample[0] >= minutes / 2]
            rows.append(
                (name, *(f"{mb:.0f}" for mb in (samples[0][1], late[0][1], late[-1][1])), f"{per_minute(late):+.2f}")
            )
        return table(("process", "MB at the start", "halfway", "at the end", "MB / minute, second half"), rows)

    def _whole(self, minutes: float) -> list[tuple[tuple[str, int], Samples]]:
        return [
            (key, samples)
            for key, samples in sorted(self.samples.items())
            if samples[0][0] <= minutes / 2 and samples[-1][0] >= minutes * 0.95
        ]


def per_minute(samples: Samples) -> float:
    """PURE. The slope of the line that fits the samples best."""
    if len(samples) < 2:
        return 0.0
    middle = sum(minute for minute, _ in samples) / len(samples)
    mean = sum(mb for _, mb in samples) / len(samples)
    spread = sum((minute - middle) ** 2 for minute, _ in samples)
    return sum((minute - middle) * (mb - mean) for minute, mb in samples) / spread
