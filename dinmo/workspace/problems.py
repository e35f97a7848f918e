"""PURE. The problems of a workspace file, each with its line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True)
class Problem:
    """One problem of a file: its line, and a sentence that says how to fix it."""

    line: int
    sentence: str


class Refused(Misconfigured):
    """A workspace file that can't be applied. `problems` has everything that was found, sorted by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(dict.fromkeys(problems), key=lambda problem: problem.line)
        super().__init__("workspace_refused", "\n".join(problem.sentence for problem in self.problems))


class Problems:
    """Collects problems, so that a person sees all of them together."""

    def __init__(self) -> None:
        self.items: list[Problem] = []

    def add(self, line: int, sentence: str) -> None:
        self.items.append(Problem(line, sentence))

    def raise_if_any(self) -> None:
        """Raises Refused if there are any problems."""
        if self.items:
            raise Refused(self.items)
