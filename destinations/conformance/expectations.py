"""What checks expect, and how they compare values."""

from __future__ import annotations

import json
from typing import Any


def expect(condition: object, sentence: str) -> None:
    """Raises AssertionError with the sentence unless the condition holds."""
    if not condition:
        raise AssertionError(sentence)


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON. True, 1, 1.0 and "1" all differ, and so do null and an empty text."""
    return spelled(one) == spelled(other)


def same_items(one: Any, other: Any) -> bool:
    """Whether two lists have the same items in any order."""
    return (
        isinstance(one, list) and isinstance(other, list) and sorted(map(spelled, one)) == sorted(map(spelled, other))
    )


def spelled(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=repr)
