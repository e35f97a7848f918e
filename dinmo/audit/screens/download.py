"""The audit log as a CSV file, with formulas escaped for spreadsheets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.screens.run.download import MARK, safe, written
from dinmo.audit.screens.words import KINDS, OBJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.models import QuerySet

    from dinmo.audit.models import AuditEntry

COLUMNS = ["time", "kind", "who", "address", "what", "kind of object", "object", "changes", "run", "request"]
ROWS_AT_A_TIME = 1_000


def lines(entries: QuerySet[AuditEntry]) -> Iterator[str]:
    """Streams the file, newest entry first. Holds at most 1,000 entries in memory."""
    yield MARK + written([COLUMNS])
    rows, last = entries.order_by("-pk"), None
    while batch := list((rows.filter(pk__lt=last) if last else rows)[:ROWS_AT_A_TIME]):
        yield written([[safe(cell) for cell in _row(entry)] for entry in batch])
        last = batch[-1].pk


def _row(entry: AuditEntry) -> list[str]:
    return [
        f"{entry.at:%Y-%m-%dT%H:%M:%SZ}",
        KINDS.get(entry.actor_kind, entry.actor_kind),
        entry.actor_label,
        entry.address,
        entry.verb,
        OBJECTS.get(entry.object_type, entry.object_type),
        entry.object_name,
        "\n".join(f"{name}: {before} → {after}" for name, before, after in entry.lines()),
        str(entry.run or ""),
        entry.request,
    ]
