"""PURE. Choices: attributes that take only their options."""

from __future__ import annotations

UNKNOWN_OPTION = "unknown_option"
"""The code of a rejection because the value is not among the attribute's options. Pages then name these values."""
