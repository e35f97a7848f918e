"""PURE. The size limit of a segment: so many rows, the first by a column."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Misconfigured
from segments.contract import ColumnType

MOST_ROWS = 10**9
SORTABLE = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.TIMESTAMP)
_KEYS = ("rows", "order_by", "descending")


@dataclass(frozen=True)
class Limit:
    """At most `rows` rows: the lowest values of `order_by` first, or the highest; empty ones last, ties by the primary key."""

    rows: int
    order_by: str
    descending: bool = False


def parse(limit: Any, types: Mapping[str, str]) -> Limit | None:
    """The limit of a segment; None where there is none.

    Args:
        limit: `{rows, order_by, descending}`; empty means no limit.
        types: column name → its type.

    Raises:
        Misconfigured: it is no such limit.
    """
    if limit in (None, {}):
        return None
    if not isinstance(limit, Mapping) or set(limit) - set(_KEYS):
        raise _wrong("A size limit is {rows, order_by, descending}.")
    rows, column, descending = limit.get("rows"), limit.get("order_by"), limit.get("descending", False)
    if not isinstance(rows, int) or isinstance(rows, bool) or not 1 <= rows <= MOST_ROWS:
        raise _wrong("The `rows` of a size limit are a whole number of 1 or more.")
    if not isinstance(descending, bool):
        raise _wrong("`descending` is true or false.")
    if not isinstance(column, str) or column not in types:
        raise _wrong(f"A size limit needs `order_by`, a column of the model. It has: {', '.join(types) or 'none'}.")
    if types[column] not in SORTABLE:
        raise _wrong(f"A size limit goes by a number, a date or a time; {column!r} is none.")
    return Limit(rows, column, descending)


def plain(limit: Limit | None) -> dict[str, Any]:
    """The limit as JSON and the workspace file hold it."""
    if limit is None:
        return {}
    return {"rows": limit.rows, "order_by": limit.order_by, **({"descending": True} if limit.descending else {})}


def say(limit: Limit) -> str:
    """The limit in words."""
    return f"at most {limit.rows:,} rows, {'highest' if limit.descending else 'lowest'} {limit.order_by} first"


def _wrong(message: str) -> Misconfigured:
    return Misconfigured("limit_invalid", message, where="limit")
