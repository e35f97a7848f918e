"""PURE. Types that a user declares for columns whose source has no types of its own, such as those of a CSV file."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any

from core.parameters import Parameter
from segments.contract import ColumnType

if TYPE_CHECKING:
    from collections.abc import Mapping


class Declared(StrEnum):
    """A declared type. Those of epochs are numbers in the source that count from 1970-01-01T00:00:00Z."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    TIMESTAMP = "timestamp"
    EPOCH_SECONDS = "epoch_seconds"
    EPOCH_MILLISECONDS = "epoch_milliseconds"

    @property
    def type(self) -> ColumnType:
        """The type of the column for conditions, mappings and screens."""
        return ColumnType.TIMESTAMP if self in UNITS else ColumnType(self.value)


UNITS = {Declared.EPOCH_SECONDS: 1_000_000, Declared.EPOCH_MILLISECONDS: 1_000}
"""How many microseconds one unit of an epoch has."""
COLUMNS = Parameter(
    "columns",
    "Column types",
    "mapping",
    required=False,
    choices=tuple((declared.value, declared.value.replace("_", " ")) for declared in Declared),
    help="For columns whose values would be taken for a different type: one “name: type” per line. "
    "The types are text, number, date, timestamp, epoch_seconds and epoch_milliseconds.",
)


def declared_types(settings: Mapping[str, Any]) -> dict[str, Declared]:
    """The declared type of each column, by its name in the source, from a source's settings.

    Raises:
        Misconfigured: the setting is invalid.
    """
    return {name: Declared(chosen) for name, chosen in (COLUMNS.clean(settings.get("columns")) or {}).items()}
