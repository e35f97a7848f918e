"""PURE. Several names, or a number, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names, and how many more there are: `a, b and c`, or `a, b, c and 4 more`."""
    shown, more = list(names[:most]), len(names) - most
    last = [f"{more:,} more"] if more > 0 else shown[-1:]
    first = shown if more > 0 else shown[:-1]
    return " and ".join(filter(None, [", ".join(first), *last]))


def counted(number: int, noun: str) -> str:
    """The number with its noun: `1 record`, or `1,200 records`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
