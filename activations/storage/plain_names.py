"""PURE. The names of records as searches find them: without accents, in lowercase."""

from __future__ import annotations

from core.text.folding import folded

LONGEST = 200
"""In characters, because an index can't hold long texts."""


def of(name: str) -> str | None:
    """What is stored beside a name; None for ASCII, because such names are found as they are, in any case."""
    return None if name.isascii() else folded(name)[:LONGEST] or None
