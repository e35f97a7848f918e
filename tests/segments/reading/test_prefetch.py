"""Reading ahead gives the same as reading, errors and an early end included."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from segments.reading.prefetch import ahead

if TYPE_CHECKING:
    from collections.abc import Iterator


def numbers(until: int, closed: list[bool] | None = None) -> Iterator[int]:
    try:
        yield from range(until)
    finally:
        if closed is not None:
            closed.append(True)


def test_the_items_come_in_their_order() -> None:
    assert list(ahead(numbers(100))) == list(range(100))
    assert list(ahead(numbers(0))) == []


def test_an_error_comes_out_at_its_place() -> None:
    def breaking() -> Iterator[int]:
        yield 1
        raise KeyError("source")

    got = []
    with pytest.raises(KeyError, match="source"):
        for item in ahead(breaking()):
            got.append(item)
    assert got == [1]


def test_who_stops_early_stops_the_reading() -> None:
    closed: list[bool] = []
    before = threading.active_count()
    reading = ahead(numbers(10_000_000, closed))
    assert [next(reading) for _ in range(3)] == [0, 1, 2]
    reading.close()
    assert (closed, threading.active_count()) == ([True], before)
