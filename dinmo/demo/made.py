"""Which rows the demo created, so that a row of a person is never taken for one of them, whatever its name.

Noted by primary key and creation time in VAR_DIR, because the demo needs the simulators, which share it. The time tells
the row apart from one of a different or restored database with the same primary key.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from django.conf import settings

from activations.models import Activation
from destinations.models import Connection, Destination
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from django.db.models import Model

FILE = "demo-rows.json"
TABLES: tuple[tuple[str, type[Model]], ...] = (
    ("activations", Activation),
    ("segments", Segment),
    ("models", DataModel),
    ("sources", Source),
    ("destinations", Destination),
    ("connections", Connection),
)
"""The sections of the workspace file, in the order in which their rows can be deleted."""


def note(names: Mapping[str, Sequence[str]]) -> None:
    """Notes the rows with these names, by section, as created by the demo."""
    created = {
        section: [[row.pk, _created(row)] for row in found(model, name__in=names[section])] for section, model in TABLES
    }
    _path().write_text(json.dumps(created), encoding="utf-8")


def rows() -> list[Any]:
    """The rows that the demo created and that still exist, in the order in which they can be deleted."""
    noted = _noted()
    return [
        row
        for section, model in TABLES
        for row in found(model, pk__in=[key for key, _ in noted.get(section, [])])
        if [row.pk, _created(row)] in noted[section]
    ]


def found(model: type[Model], **filters: Any) -> list[Any]:
    """Rows of a table, without their secrets."""
    matching: Any = model._default_manager.filter(**filters)
    return list(matching.defer("secrets") if hasattr(model, "secrets") else matching)


def _noted() -> dict[str, list[list[Any]]]:
    path = _path()
    noted: dict[str, list[list[Any]]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return noted


def _created(row: Any) -> str:
    return str(row.created_at.isoformat())


def _path() -> Path:
    return settings.VAR_DIR / FILE
