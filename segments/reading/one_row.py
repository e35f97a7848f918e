"""Reads one row live: its present values, whether it is in a segment, and which conditions it does not meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, or_

from segments.conditions import verdicts
from segments.conditions.tree import Leaf
from segments.contract import ColumnType
from segments.reading.prefetch import do_nothing
from segments.reading.read import natural_rows, run
from segments.session import opened
from segments.sql import statements
from segments.sql.query import Query, Selection, ready, selection
from segments.sql.where import Builder, Filter

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from segments.contract import Reader
    from segments.models import DataModel, Segment

SECONDS = 5.0
"""How long the source may take. A person is waiting."""
MOST_FOUND, MOST_DIGITS = 5, 18


@dataclass(frozen=True)
class Membership:
    """Whether a row is in a segment.

    Args:
        unmet: the conditions that it does not meet.
        beyond_limit: it meets them all, but the size limit leaves it out.
    """

    is_member: bool
    unmet: tuple[verdicts.Unmet, ...] = ()
    beyond_limit: bool = False


@dataclass(frozen=True)
class Row:
    """A row as it is in the source now. Without values, the source has no row with this key."""

    values: Mapping[str, Any] | None
    segments: Mapping[int, Membership]
    """By the ID of the segment."""


def look_up(
    model: DataModel,
    key: str,
    segments: Sequence[Segment],
    *,
    now: datetime,
    check: Callable[[], None] = do_nothing,
) -> Row:
    """The row with this key, and its membership of these segments of its model.

    Args:
        check: as in `read.stream`.

    Raises:
        Misconfigured, Unavailable
    """
    where = {"all": [{"field": model.primary_key, "is": "equals", "value": key}]}
    with opened(model.source, SECONDS) as reader:
        query = ready(Selection(model, where), reader, now)
        columns = list(query.types)
        (rows,) = run(reader, [(query.select(columns), 1)], check)
        values = natural_rows(rows, query, model.source)
        if not values:
            return Row(None, {})
        found = {
            segment.pk: _membership(reader, segment, query, values[0], now=now, check=check) for segment in segments
        }
    return Row(values[0], found)


def find(
    model: DataModel, text: str, columns: Sequence[str], *, now: datetime, check: Callable[[], None] = do_nothing
) -> list[dict[str, Any]]:
    """The first rows that have this text in one of these columns, or as their key.

    Args:
        columns: a text column matches if it contains the text in any case, one of whole numbers if it equals it.
        check: as in `read.stream`.

    Raises:
        Misconfigured, Unavailable
    """
    with opened(model.source, SECONDS) as reader:
        query = ready(Selection(model, {}), reader, now)
        names = [name for name in dict.fromkeys([model.primary_key, *columns]) if name in query.types]
        table = query.table(names)
        builder = Builder(table, query.clock, query.reach)
        matches = [match for name in names if (match := _match(builder, name, query.types[name], text)) is not None]
        if not matches:
            return []
        statement = statements.select(table.source, table.infos, names, Filter(or_(*matches)))
        (rows,) = run(reader, [(statement, MOST_FOUND)], check)
    return natural_rows(rows, query, model.source)


def _membership(
    reader: Reader,
    segment: Segment,
    row: Query,
    values: Mapping[str, Any],
    *,
    now: datetime,
    check: Callable[[], None],
) -> Membership:
    query = ready(selection(segment), reader, now)
    conditions = list(verdicts.deciding(query.tree))
    met = [True] * len(conditions)
    if conditions:
        ((verdict,),) = run(reader, [(row.verdicts([condition.item for condition in conditions]), 1)], check)
        met = [int(value) == 1 for value in verdict.values()]
    unmet = verdicts.unmet(conditions, met, values)
    if unmet or query.first is None:
        return Membership(not unmet, unmet)
    is_first = _is_among_first(reader, segment, row, now=now, check=check)
    return Membership(is_first, beyond_limit=not is_first)


def _is_among_first(reader: Reader, segment: Segment, row: Query, *, now: datetime, check: Callable[[], None]) -> bool:
    member = {"segment": segment.name, "is": "member"}
    query = ready(Selection(segment.model, {"all": [member]}), reader, now)
    both = replace(query, tree=replace(query.tree, items=(*row.tree.items, *query.tree.items)))
    ((counted,),) = run(reader, [(both.count(), 1)], check)
    return int(counted["rows"]) > 0


def _match(builder: Builder, name: str, column_type: ColumnType, text: str) -> ColumnElement[bool] | None:
    """The condition that a column matches the text; None if it never does, because of its type."""
    if column_type == ColumnType.TEXT:
        return statements.containing(builder.table.source, builder.table.infos[name], text).condition
    is_whole = text.isascii() and text.removeprefix("-").isdigit() and len(text) <= MOST_DIGITS
    return builder.item(Leaf(name, "equals", int(text))) if column_type == ColumnType.INTEGER and is_whole else None
