"""The logs of the supervised programs: one file for each, with the last lines at hand for when a program exits."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from dinmo.keys import private_file

if TYPE_CHECKING:
    from pathlib import Path

RECENT_LINES = 8
LARGEST_BYTES = 5_000_000
"""From this size on, a log is moved aside when the programs start."""


class Logs:
    """Files in one directory, which only this user can read.

    Args:
        shown: whether the supervisor shows each line as well.
    """

    def __init__(self, directory: Path, *, shown: bool = False) -> None:
        self.directory = directory
        self.shown = shown
        self._recent: dict[str, deque[str]] = {}
        directory.mkdir(parents=True, exist_ok=True)
        for path in directory.glob("*.log"):
            if path.stat().st_size > LARGEST_BYTES:
                path.replace(path.with_suffix(".log.1"))

    def path(self, name: str) -> Path:
        """The file of a program."""
        return self.directory / f"{name}.log"

    def add(self, name: str, line: str) -> None:
        """Appends a line to the log of a program."""
        self._recent.setdefault(name, deque(maxlen=RECENT_LINES)).append(line)
        with private_file(self.path(name)).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def recent(self, name: str) -> list[str]:
        """The last lines that a program wrote."""
        return list(self._recent.get(name, ()))
