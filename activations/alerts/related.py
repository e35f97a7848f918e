"""What the state of activations is derived from, loaded without what it does not need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Prefetch

from activations.alerts import words
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_OF_RUN = (
    "activation_id",
    "number",
    "dry_run",
    "created_at",
    "finished_at",
    "error_code",
    "error_message",
    *words.READ,
)
"""What pages show of the last run of each activation."""
RELATED = ("segment__model__source", "model__source", "destination__connection", "system_pause")
"""What `state_of` reads of an activation."""


def shared() -> Iterator[Prefetch[Any]]:
    """What `state_of` reads of related rows, without what it doesn't: decrypting all secrets takes longer than this."""
    for path, rows, *left in (
        ("segment", Segment.objects, "where", "limit", "description", "tags"),
        ("segment__model", DataModel.objects, "sql", "key_warning"),
        ("segment__model__source", Source.objects, "secrets", "config"),
        ("model", DataModel.objects, "sql", "key_warning"),
        ("model__source", Source.objects, "secrets", "config"),
        ("destination", Destination.objects),
        ("destination__connection", Connection.objects, "secrets", "config"),
    ):
        yield Prefetch(path, rows.defer(*left))
