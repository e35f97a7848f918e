"""Why a record is settled without a request, or sent differently than usual: codes, and sentences for people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """A code and a sentence, with the attribute and the vendor's request that it is about."""

    code: str
    message: str
    field: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Settled:
    """An outcome that needs no request: invalid or skipped, with its reason."""

    outcome: str
    code: str
    message: str
    field: str = ""


ANOTHER = Settled(
    "",
    "another_record",
    "Its match value changed, so it now belongs to a different record at the destination. All of its fields are sent "
    "there. The previous record stays as it is.",
)
CONTESTED = Settled(
    "",
    "match_contested",
    "When a different row was last written, one of this row's match values belonged to that row's record. The row is "
    "looked up before it is sent.",
)
ALREADY_THERE = Settled(
    "skipped", "already_there", "The destination already has this record, and insert mode never changes existing ones."
)
NOT_THERE = Settled("skipped", "not_there", "The destination has no such record, and update mode never creates one.")
KEPT = Settled(
    "matched",
    "kept",
    "The record exists, and the write policies of its fields leave it as it is, so nothing was sent.",
)
GONE = Settled(
    "skipped",
    "gone_at_destination",
    "The destination has no record with its match value. It was deleted or merged, or its match value was changed "
    "there.",
)
