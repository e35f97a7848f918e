"""Why a record is settled without a request, or handled differently: codes, and the sentences that people read."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Settled:
    """A decision without a request: invalid or skipped, with the reason."""

    outcome: str
    code: str
    message: str
    field: str = ""


ANOTHER = Settled(
    "",
    "another_record",
    "Its match value changed, so it is a different record at the destination from now on. All of it is sent there, and "
    "the previous record stays as it is.",
)
CONTESTED = Settled(
    "",
    "match_contested",
    "When a different row was last written, one of this row's match values belonged to that row's record. It is looked "
    "up first.",
)
ALREADY_THERE = Settled(
    "skipped", "already_there", "The destination already has this record, and insert mode never changes existing ones."
)
NOT_THERE = Settled("skipped", "not_there", "The destination has no such record, and update mode never creates one.")
