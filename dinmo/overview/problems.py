"""PURE. Open problems grouped by cause, so that one revoked token is one line and not ten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_SUBJECTS = 5


@dataclass(frozen=True)
class Problem:
    """A problem of one object.

    Args:
        subject: the object in words.
        url: its page; "" if it has none.
        label: the state in one or two words.
        tone: bad or warn.
    """

    subject: str
    url: str
    label: str
    tone: str
    message: str


@dataclass(frozen=True)
class Cause:
    """Problems with the same message.

    Args:
        more: how many objects have it besides the `problems` that are listed.
    """

    label: str
    tone: str
    message: str
    problems: Sequence[Problem]
    more: int


def causes(problems: Iterable[Problem]) -> list[Cause]:
    """The causes, the most severe first, then those of the most objects."""
    grouped: dict[str, list[Problem]] = {}
    for problem in problems:
        grouped.setdefault(problem.message, []).append(problem)
    found = [_cause(group) for group in grouped.values()]
    return sorted(found, key=lambda cause: (cause.tone != "bad", -len(cause.problems) - cause.more))


def _cause(group: Sequence[Problem]) -> Cause:
    worst = next((problem for problem in group if problem.tone == "bad"), group[0])
    return Cause(worst.label, worst.tone, worst.message, group[:MOST_SUBJECTS], max(0, len(group) - MOST_SUBJECTS))
