"""PURE. The write policies of field mappings in words: what each leads to, and why a field was left as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Container

CONSEQUENCES = {
    "always": "What the source has replaces what the destination has.",
    "if_empty": "A value that the destination already has stays. Only empty fields are filled.",
    "on_create": "Sent with new records. Once a record exists at the destination, the field is left as it is.",
    "restore": "As always. Where a drift check finds a different value at the destination, yours is sent again.",
}
"""What follows from each `FieldMapping.Policy`, one sentence for the person who chooses it."""
SHORT = {
    "if_empty": "only if empty at the destination",
    "on_create": "only when the record is created",
    "restore": "always, and restored when edited elsewhere",
}
"""The policies other than the default, after the name of a field."""
KEPT = {
    "if_empty": "filled at the destination",
    "on_create": "the record existed already",
}
"""Why a field was kept."""


def kept_because(policies: Container[str]) -> str:
    """Why fields with these policies were kept, in a few words."""
    return ", or ".join(words for policy, words in KEPT.items() if policy in policies) or "by their write policy"
