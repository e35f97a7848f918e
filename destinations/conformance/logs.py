"""Collects everything that is logged while a service runs, to find values and tokens in it."""

from __future__ import annotations

import logging
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from destinations.conformance.sample import Sample


class _Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def log_lines() -> Iterator[list[str]]:
    """Collects every log line of this process, with tracebacks."""
    root, handler = logging.getLogger(), _Lines()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield handler.lines
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def confidential(sample: Sample, token: str) -> Iterator[str]:
    """The token, and every part of a record that must not appear in a message or a log."""
    yield token
    for number in range(1, 5):
        yield sample.match.format(n=number)
    for text in re.split(r"[\s,]+", " ".join(str(value) for value in sample.values.values())):
        if len(text) > 3:
            yield text
