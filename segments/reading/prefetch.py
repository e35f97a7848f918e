"""Reads ahead in a separate thread, so that the source works while previous batches are processed."""

from __future__ import annotations

import queue
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

T = TypeVar("T")
DEPTH = 2
POLL_SECONDS = 0.2
_END = object()


def do_nothing() -> None:
    """The default of the callbacks."""


def prefetch(
    items: Iterator[T],
    depth: int = DEPTH,
    *,
    check: Callable[[], None] = do_nothing,
    interrupt: Callable[[], None] = do_nothing,
) -> Generator[T, None, None]:
    """The same items in the same order, up to `depth` of them read before they are requested.

    An exception of `items` is raised at its place in the sequence. Closing this generator stops the reading, and waits
    for the thread to end.

    Args:
        check: called before each item, and repeatedly while waiting for one. If it raises, the reading ends.
        interrupt: ends the wait of the thread for its current item, if the reading ends early.
    """
    results: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(depth)
    stop = threading.Event()
    thread = threading.Thread(target=_read, args=(items, results, stop), daemon=True)
    thread.start()
    try:
        while True:
            check()
            try:
                item, error = results.get(timeout=POLL_SECONDS)
            except queue.Empty:
                continue
            if error is not None:
                raise error
            if item is _END:
                thread.join()
                return
            yield item
    finally:
        stop.set()
        # Repeatedly, because an interrupt has no effect if the thread has not yet begun to wait for the source.
        while thread.is_alive():
            interrupt()
            thread.join(POLL_SECONDS)


def _read(items: Iterator[Any], results: queue.Queue[tuple[Any, BaseException | None]], stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put(results, (item, None), stop):
                break
        else:
            _put(results, (_END, None), stop)
    except BaseException as error:
        _put(results, (None, error), stop)
    finally:
        close = getattr(items, "close", None)
        if close:
            close()


def _put(
    results: queue.Queue[tuple[Any, BaseException | None]],
    result: tuple[Any, BaseException | None],
    stop: threading.Event,
) -> bool:
    """Waits for room in the queue. False if the reading has been stopped."""
    while not stop.is_set():
        try:
            results.put(result, timeout=POLL_SECONDS)
        except queue.Full:
            continue
        return True
    return False
