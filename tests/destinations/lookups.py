"""What a lookup found, in a form that tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.contract import Held


def ids(found: Mapping[str, Held]) -> dict[str, str]:
    """The IDs of the records by identity."""
    return {identity: held.remote_id for identity, held in found.items()}
