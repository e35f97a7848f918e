"""PURE. The answer to a request with several records, split into the outcome or problem of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from core.errors import Problem
    from destinations.contract import Operation, Outcome

K = TypeVar("K", bound="Hashable")


def for_each(
    operations: Sequence[Operation],
    answered: Mapping[K, Outcome | Problem],
    key: Callable[[int, Operation], K],
    missing: Problem,
) -> list[Outcome | Problem]:
    """The outcome or problem of each operation, in their order, as `Service.write_all` returns them.

    Args:
        answered: what the vendor answered, by whatever identifies a record in its answer.
        key: position and operation → what identifies it there: the position, the match value, the vendor's ID.
        missing: for operations that the answer does not mention, usually `ErrorTable.unusable`. The vendor may have
            written them, so it must be ambiguous.
    """
    return [answered.get(key(place, operation), missing) for place, operation in enumerate(operations)]
