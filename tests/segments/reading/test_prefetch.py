"""Prefetching returns the same items as plain iteration, including errors and an early end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from segments.reading.prefetch import prefetch

if TYPE_CHECKING:
    from collections.abc import Iterator


def numbers(until: int, closed: list[bool] | None = None) -> Iterator[int]:
    try:
        yield from range(until)
    finally:
        if closed is not None:
            closed.append(True)


def test_items_keep_their_order() -> None:
    assert list(prefetch(numbers(100))) == list(range(100))
    assert list(prefetch(numbers(0))) == []


def test_error_is_raised_at_its_place() -> None:
    def breaking() -> Iterator[int]:
        yield 1
        raise KeyError("source")

    received = []
    with pytest.raises(KeyError, match="source"):
        for item in prefetch(breaking()):
            received.append(item)
    assert received == [1]


def test_closing_early_stops_the_reading() -> None:
    closed: list[bool] = []
    before = threading.active_count()
    prefetched = prefetch(numbers(10_000_000, closed))
    assert [next(prefetched) for _ in range(3)] == [0, 1, 2]
    prefetched.close()
    assert (closed, threading.active_count()) == ([True], before)
