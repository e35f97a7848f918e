"""PURE. Values of a preview that do not fit the type of their column, or prevent the column from having one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from segments.contract import ColumnType
from segments.values import natural

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from zoneinfo import ZoneInfo

LISTED = 20
NOUNS = {
    ColumnType.INTEGER: "a number",
    ColumnType.NUMBER: "a number",
    ColumnType.BOOLEAN: "true or false",
    ColumnType.DATE: "a date",
    ColumnType.TIMESTAMP: "a time",
    ColumnType.LIST: "a list",
    ColumnType.OBJECT: "an object",
}
LIKELY = (ColumnType.TIMESTAMP, ColumnType.NUMBER, ColumnType.BOOLEAN)
"""The types that a column of text may have been meant to have."""


@dataclass(frozen=True)
class Misfit:
    """A value that is not of a type.

    Args:
        row: counts from 1.
        hinders: whether the column is text because of such values.
    """

    row: int
    column: str
    type: ColumnType
    hinders: bool

    @property
    def message(self) -> str:
        place = f"Row {self.row:,} of the column “{self.column}” is not {NOUNS[self.type]}"
        return f"{place}, so the column is text." if self.hinders else f"{place}."


def misfits(rows: Sequence[Mapping[str, Any]], types: Mapping[str, ColumnType], zone: ZoneInfo) -> list[Misfit]:
    """The first values that do not fit.

    In a column of text, these are the values that are not of the type that most values have.

    Args:
        rows: values as the source returned them.
        zone: the source's time zone.
    """
    found: list[Misfit] = []
    for name, column_type in types.items():
        values = [(number, row[name]) for number, row in enumerate(rows, start=1) if row[name] not in (None, "")]
        likely = column_type if column_type != ColumnType.TEXT else _likely([value for _, value in values], zone)
        if likely is not None:
            hinders = column_type == ColumnType.TEXT
            found += [
                Misfit(number, name, likely, hinders) for number, value in values if not _fits(value, likely, zone)
            ]
    return sorted(found, key=lambda misfit: misfit.row)[:LISTED]


def _likely(values: Sequence[Any], zone: ZoneInfo) -> ColumnType | None:
    """The type of most of the values, if there is one."""
    for candidate in LIKELY:
        if sum(_fits(value, candidate, zone) for value in values) * 2 >= max(len(values), 2):
            return candidate
    return None


def _fits(value: Any, column_type: ColumnType, zone: ZoneInfo) -> bool:
    return not isinstance(natural(value, column_type, zone), str)
