"""PURE. Measures over groups of rows, such as the sum of related rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, cast, func, types

from segments.contract import ColumnType
from segments.sql.expressions import written
from segments.sql.terms import Term

if TYPE_CHECKING:
    from segments.contract import ColumnInfo

DECIMALS = 6
"""Decimal places of averages, and of sums of numbers that are not exact decimals."""
_EXACT = ("numeric", "decimal", "fixed", "bignumeric")


class Aggregate(Term):
    """A measure over the rows of a group, with a result that does not depend on the order of the rows.

    Floating-point sums do: 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1. A last digit that differs between two runs would be
    sent to the destination as a change.

    Args:
        measure: one of `tree.MEASURES`.
        column: finite numbers, dates or times. `info` describes the column that they come from.
    """

    type = types.NullType()

    def __init__(self, measure: str, column: ColumnElement[Any], info: ColumnInfo) -> None:
        super().__init__(column, info)
        self.measure = measure


def aggregate(term: Aggregate, decimal: types.Numeric[Any]) -> ColumnElement[Any]:
    """The measure. Inexact numbers are cast to `decimal`, because a sum of decimals does not depend on their order."""
    if term.measure in ("min", "max"):
        return func.min(term.column) if term.measure == "min" else func.max(term.column)
    exact = term.info.type == ColumnType.INTEGER or term.info.native.lower().startswith(_EXACT)
    if term.measure == "sum" and exact:
        return func.sum(term.column)
    return func.round((func.sum if term.measure == "sum" else func.avg)(cast(term.column, decimal)), DECIMALS)


@written(Aggregate)
def _aggregate(term: Aggregate) -> ColumnElement[Any]:
    return aggregate(term, types.Numeric(38, 9))
