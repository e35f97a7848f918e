"""Reads ahead in a thread of its own, so that the source works while batches are worked on."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

T = TypeVar("T")
DEPTH = 2
LOOK_SECONDS = 0.2
_END = object()


def nothing() -> None:
    """Looks at nothing."""


def ahead(
    items: Iterator[T],
    depth: int = DEPTH,
    *,
    look: Callable[[], None] = nothing,
    interrupt: Callable[[], None] = nothing,
) -> Generator[T, None, None]:
    """The same items in the same order, up to `depth` of them made before they are asked for.

    What `items` raises comes out at its place. Closing this iterator stops the reading and waits for it.

    Args:
        look: called before each item, and again and again while one is waited for; what it raises ends the reading.
        interrupt: makes an item that is being waited for come to an end, where the reading ends early.
    """
    made: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_read, args=(items, made, stop), daemon=True)
    thread.start()
    try:
        while True:
            look()
            try:
                item, problem = made.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                continue
            if problem is not None:
                raise problem
            if item is _END:
                thread.join()
                return
            yield item
    finally:
        stop.set()
        # Again and again: what is not yet waited for can't be interrupted.
        while thread.is_alive():
            interrupt()
            thread.join(LOOK_SECONDS)


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


def _put(
    made: queue.Queue[tuple[Any, BaseException | None]], entry: tuple[Any, BaseException | None], stop: threading.Event
) -> bool:
    """Waits for room; false where nobody wants more."""
    while not stop.is_set():
        try:
            made.put(entry, timeout=LOOK_SECONDS)
        except queue.Full:
            continue
        return True
    return False
