"""PURE. Text as searches compare it: in one case and without accents, so that "munchen" finds "München"."""

from __future__ import annotations

import unicodedata

_LETTERS = str.maketrans({
    "ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "\N{LATIN SMALL LETTER DOTLESS I}": "i", "æ": "ae",
    "œ": "oe", "þ": "th",
})  # fmt: skip
"""Letters that Unicode doesn't take apart, though people type them without the stroke. `casefold` turns ß into ss."""


def folded(text: str) -> str:
    """The text in lowercase, with compatible characters unified and accents removed."""
    if text.isascii():
        return text.lower()
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).casefold().translate(_LETTERS)
