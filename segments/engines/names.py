"""PURE. Names as settings hold them."""

from __future__ import annotations


def names(listed: str | None) -> list[str]:
    """The names in a list with commas."""
    return [name.strip() for name in (listed or "").split(",") if name.strip()]
