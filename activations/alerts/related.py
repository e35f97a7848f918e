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
    "activation_id", "number", "kind", "created_at", "finished_at", "error_code", "error_message", *words.READ,
)  # fmt: skip
"""What pages show of the last run of each activation."""
READ_OF_ACTIVATION = ("name", "segment", "model", "destination", "match_column", "is_draft", "paused")
RELATED = ("segment__model__source", "model__source", "destination__connection", "system_pause")
"""What `state_of` reads of an activation."""


def shared() -> Iterator[Prefetch[Any]]:
    """What `state_of` reads of related rows, without what it doesn't: decrypting all secrets takes longer than this."""
    health = ("name", "health", "health_message")
    for path, rows, *read in (
        ("segment", Segment.objects, "name", "model"),
        ("segment__model", DataModel.objects, "name", "source", "problems"),
        ("segment__model__source", Source.objects, *health),
        ("model", DataModel.objects, "name", "source", "problems"),
        ("model__source", Source.objects, *health),
        ("destination", Destination.objects, "name", "connection", "service"),
        ("destination__connection", Connection.objects, *health),
    ):
        yield Prefetch(path, rows.only(*read))
