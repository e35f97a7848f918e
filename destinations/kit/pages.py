"""PURE. Lists that a vendor returns in pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

T = TypeVar("T")


def _itself(entry: Any) -> Hashable:
    return str(entry.get("id") or entry) if isinstance(entry, dict) else str(entry)


def by_offset(fetch: Callable[[int], Sequence[T]], size: int, *, key: Callable[[T], Hashable] = _itself) -> Iterator[T]:
    """Yields every entry of a list that is requested by offset, in pages of `size`.

    Some endpoints ignore paging and return the whole list each time, so a page without a new entry ends the list, as a
    short page does.

    Args:
        fetch: offset → the page that starts there.
        key: what tells two entries apart.
    """
    known: set[Hashable] = set()
    while True:
        page = fetch(len(known))
        new = {key(entry): entry for entry in page if key(entry) not in known}
        yield from new.values()
        known.update(new)
        if len(page) < size or not new:
            return
