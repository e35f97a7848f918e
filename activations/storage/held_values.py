"""What records held at the destination when a live dry run compared them: stored encrypted, one row for each change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

from activations.models import HeldValues
from activations.storage import bulk

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Fields = dict[str, dict[str, Any]]
"""By attribute, as `HeldValues.fields`."""


def insert(run_id: int, rows: Iterable[tuple[int, Fields]]) -> None:
    """Stores the fields of changes, by their IDs, unless nothing is to be kept."""
    if settings.HELD_VALUE_DAYS > 0:
        encrypt = HeldValues._meta.get_field("fields").get_prep_value
        stored = [(change_id, run_id, encrypt(fields)) for change_id, fields in rows]
        bulk.insert(HeldValues, ["change_id", "run_id", "fields"], stored)


def of(change_ids: Sequence[int]) -> dict[int, Fields]:
    """The stored fields of these changes, by their IDs. Retention may have deleted some."""
    return dict(HeldValues.objects.filter(change__in=change_ids).values_list("change_id", "fields"))
