"""PURE. The values for which records were not accepted, by cause: the most frequent ones, in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from activations.screens.plain_values import EMPTY
from activations.screens.plain_values import in_words as value_in_words
from core.text.listing import listed

if TYPE_CHECKING:
    from collections.abc import Iterable

    from activations.models import Change

MOST_READ = 2_000
"""As many changes are read for one page. Of causes with more records, the values are named without their numbers."""
MOST_NAMED, LONGEST = 5, 60

Values = dict[tuple[str, str, str], Counter[str]]
"""Outcome, code and field → how many of the changes that were read have each value."""


def of(changes: Iterable[Change]) -> Values:
    """The values of the attribute that each change was not accepted for."""
    found: Values = {}
    for change in changes:
        # The match value is stored apart from the other values.
        value = change.values.get(change.field, change.match_value) if isinstance(change.values, dict) else None
        if (text := value_in_words(value, LONGEST)) != EMPTY:
            found.setdefault((change.outcome, change.code, change.field), Counter())[text] += 1
    return found


def in_words(values: Counter[str] | None, records: int) -> str:
    """The most frequent values, such as `“Fintec” (12) and “Bank” (3)`; "" if none are known.

    If each occurs once, they are named without their numbers.

    Args:
        records: how many records there are with this cause.
    """
    if not values:
        return ""
    is_whole = values.total() >= records
    common = values.most_common()
    is_counted = is_whole and common[0][1] > 1
    named = [f"“{value}” ({number:,})" if is_counted else f"“{value}”" for value, number in common]
    return listed(named, MOST_NAMED) if is_whole else f"{', '.join(named[:MOST_NAMED])} and others"
