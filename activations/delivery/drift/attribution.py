"""PURE. Who changed a value at the destination."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from destinations.contract import Author, Writer

if TYPE_CHECKING:
    from collections.abc import Collection

    from destinations.contract import Field

NOBODY = Author(Writer.UNKNOWN)


def attributed(author: Author | None, field: Field, ours: Collection[str]) -> Author:
    """Who made a value differ from what was sent.

    If the vendor says that we set it ourselves, a list has most likely lost a value, and nobody knows through whom.

    Args:
        author: who set what the record holds, as the vendor says.
        ours: the IDs of integrations that also set values which are as they were sent, so it is this application.
    """
    if author is None:
        return NOBODY
    is_ours = author.writer == Writer.OURS or (author.writer == Writer.INTEGRATION and author.id in ours)
    if is_ours and field.multiple:
        return NOBODY
    return replace(author, writer=Writer.OURS) if is_ours else author


def in_words(writer: str, vendor: str) -> str:
    """Who it was, in words. `vendor`: the name of the platform."""
    words = {
        Writer.OURS: "A different activation or program with the same credential",
        Writer.PERSON: "A person",
        Writer.INTEGRATION: "Another integration",
        Writer.VENDOR: f"{vendor} itself, such as by enrichment",
    }
    return words.get(Writer(writer or Writer.UNKNOWN), "Not known")
