"""PURE. What is wrong with a workspace file, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Problem:
    """One thing that stands against a file: where, and a sentence that says what to do."""

    line: int
    sentence: str


class Refused(Misconfigured):
    """A workspace file that can't be applied; `problems` holds all that was found, in the order of lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        super().__init__("workspace_refused", "\n".join(problem.sentence for problem in self.problems))


class Problems:
    """Collects what is wrong, so that a person sees all of it at once."""

    def __init__(self) -> None:
        self.found: list[Problem] = []

    def add(self, line: int, sentence: str) -> None:
        self.found.append(Problem(line, sentence))

    def settle(self) -> None:
        """Raises Refused where anything was found."""
        if self.found:
            raise Refused(self.found)
