"""Reads ahead in a thread of its own, so that the source works while batches are worked on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
DEPTH = 2
LOOK_SECONDS = 0.2
_END = object()


def ahead(items: Iterator[T], depth: int = DEPTH) -> Generator[T, None, None]:
    """The same items in the same order, up to `depth` of them made before they are asked for.

    What `items` raises comes out at its place. Closing this iterator stops the reading and waits for it.
    """
    made: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_read, args=(items, made, stop), daemon=True)
    thread.start()
    try:
        while True:
            item, problem = made.get()
            if problem is not None:
                raise problem
            if item is _END:
                return
            yield item
    finally:
        stop.set()
        thread.join()


def _read(items: Iterator[Any], made: queue.Queue[tuple[Any, BaseException | None]], stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put(made, (item, None), stop):
                break
        else:
            _put(made, (_END, None), stop)
    except BaseException as problem:
        _put(made, (None, problem), stop)
    finally:
        close = getattr(items, "close", None)
        if close:
            close()


def _put(made: queue.Queue[tuple[Any, BaseException | None]], entry: tuple[Any, BaseException | None], stop: threading.Event) -> bool:
    """Waits for room; false where nobody wants more."""
    while not stop.is_set():
        try:
            made.put(entry, timeout=LOOK_SECONDS)
        except queue.Full:
            continue
        return True
    return False
