"""PURE. The size limit of a segment: a number of rows, and the column that decides which rows come first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.errors import Misconfigured
from segments.contract import ColumnType

MAX_ROWS = 10**9
SORTABLE = (ColumnType.INTEGER, ColumnType.NUMBER, ColumnType.DATE, ColumnType.TIMESTAMP)
_KEYS = ("rows", "order_by", "descending")


@dataclass(frozen=True)
class Limit:
    """At most `rows` rows: the lowest values of `order_by` first, or the highest if `descending`.

    Rows without a value come last, and the primary key breaks ties.
    """

    rows: int
    order_by: str
    descending: bool = False


def parse(limit: Any, types: Mapping[str, str]) -> Limit | None:
    """The limit of a segment; None if there is none.

    Args:
        limit: `{rows, order_by, descending}`; empty means no limit.
        types: column name → type.

    Raises:
        Misconfigured: not a valid limit.
    """
    if limit in (None, {}):
        return None
    if not isinstance(limit, Mapping) or set(limit) - set(_KEYS):
        raise _invalid("A size limit must have the form {rows, order_by, descending}.")
    rows, column, descending = limit.get("rows"), limit.get("order_by"), limit.get("descending", False)
    if not isinstance(rows, int) or isinstance(rows, bool) or not 1 <= rows <= MAX_ROWS:
        raise _invalid(f"The `rows` of a size limit must be a whole number from 1 to {MAX_ROWS:,}.")
    if not isinstance(descending, bool):
        raise _invalid("`descending` must be true or false.")
    if not isinstance(column, str) or column not in types:
        available = ", ".join(types) or "none"
        raise _invalid(f"A size limit needs `order_by`, a column of the model. Available columns: {available}.")
    if types[column] not in SORTABLE:
        raise _invalid(f"A size limit needs a number, date or time column. “{column}” is a {types[column]} column.")
    return Limit(rows, column, descending)


def plain(limit: Limit | None) -> dict[str, Any]:
    """The limit as stored in JSON and in the workspace file."""
    if limit is None:
        return {}
    return {"rows": limit.rows, "order_by": limit.order_by, **({"descending": True} if limit.descending else {})}


def in_words(limit: Limit) -> str:
    """The limit in words."""
    return f"at most {limit.rows:,} rows, {'highest' if limit.descending else 'lowest'} {limit.order_by} first"


def _invalid(message: str) -> Misconfigured:
    return Misconfigured("limit_invalid", message, where="limit")
