"""Why a record is decided without a request, or is handled differently: codes and the sentences people read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settled:
    """Decided without a request: invalid or skipped, with the reason."""

    outcome: str
    code: str
    message: str
    field: str = ""


ANOTHER = Settled(
    "",
    "another_record",
    "Its match value changed, so it is another record at the destination from now on: all of it is sent there, "
    "and the former one stays as it is.",
)
CONTESTED = Settled(
    "",
    "match_contested",
    "One of its match values was another row's at the destination when that one was written last, so it is looked up first.",
)
ALREADY_THERE = Settled("skipped", "already_there", "Insert mode never touches a record that the destination has.")
