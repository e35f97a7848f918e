"""PURE. Lists of names in the settings of a source."""

from __future__ import annotations


def names(separated: str | None) -> list[str]:
    """The names in a comma-separated list."""
    return [name.strip() for name in (separated or "").split(",") if name.strip()]
