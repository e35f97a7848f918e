"""Who may see the values of records, and what everybody else sees in their place."""

from __future__ import annotations

from typing import Any

PERMISSION = "segments.view_values"
HIDDEN = "Hidden"


def may_see_values(user: Any) -> bool:
    """Whether a person may see the values of records: those of the sources, and those that were sent."""
    return bool(user.has_perm(PERMISSION))
