"""PURE. The few expressions that differ between engines, each with the form that most typed databases share.

An engine whose dialect needs a different form registers it with `written`, in its own folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Text, and_, any_, cast, false, func, literal, or_, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import TextClause

from core.errors import Misconfigured
from segments.conditions.times import Anniversary, Days, TimeSpan
from segments.contract import ColumnInfo, ColumnType
from segments.values import NOT_A_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo


class Term(ColumnElement[Any]):
    """An expression over one column."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo) -> None:
        self.column = column
        self.info = info


class TextValue(Term):
    """The column as text that is compared case-sensitively; null if the column is null."""

    type = types.Text()


class NumberValue(Term):
    """The column as a finite number; null if it is not one."""

    type = types.Numeric()


class BooleanValue(Term):
    """The column as a boolean; null if it is not one."""

    type = types.Boolean()


class Lowercase(Term):
    """The column as lowercase text, for a search that ignores case."""

    type = types.Text()


class TimeValue(Term):
    """The column as a date or time that sorts correctly and that `Within` accepts; null if it is neither.

    Args:
        zone: the zone of times that have none.
    """

    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, zone: ZoneInfo) -> None:
        super().__init__(column, info)
        self.zone = zone


class Missing(Term):
    """Whether the natural value is null."""

    type = types.NullType()


class Exported(Term):
    """The column as it is streamed: native if Arrow represents it exactly, otherwise as text."""

    type = types.NullType()


class Within(Term):
    """Whether the column lies within a span of time. `zone` applies to times that have none."""

    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, span: Days | TimeSpan, zone: ZoneInfo) -> None:
        super().__init__(column, info)
        self.span = span
        self.zone = zone


class OnDays(Term):
    """Whether the month and day of a date or time, in `zone`, fall on the days of an anniversary."""

    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, anniversary: Anniversary, zone: ZoneInfo) -> None:
        super().__init__(column, info)
        self.anniversary = anniversary
        self.zone = zone


class TextIs(Term):
    """Whether the column's text is one of these, case-sensitively."""

    # Not a boolean: some dialects would render "(…) = 1", for which no index can be used.
    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, texts: Sequence[str]) -> None:
        super().__init__(column, info)
        self.texts = [literal(text, types.String()) for text in texts]


class ListHas(Term):
    """Whether a list contains elements with these texts: at least one of them, or `every` one.

    The result for a missing list is undefined; combine it with `Missing`.
    """

    type = types.Boolean()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, values: Sequence[str], *, every: bool) -> None:
        super().__init__(column, info)
        self.values = list(dict.fromkeys(values))
        self.every = every

    @property
    def array(self) -> ColumnElement[Any]:
        """The texts as a single array value, for databases that have arrays."""
        return literal(self.values, types.ARRAY(Text()))


class Label(Term):
    """A text chosen by conditions."""

    type = types.Text()


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


class Position(ColumnElement[Any]):
    """The position at which a text contains another one, counted from 1; 0 if it does not."""

    inherit_cache = False
    type = types.Integer()

    def __init__(self, text: ColumnElement[Any], part: str) -> None:
        self.text = text
        self.part = literal(part, Text())


class Verbatim(TextClause):
    """A user's own SQL, in which a colon never marks a bound parameter."""

    inherit_cache = False

    def __init__(self, sql: str) -> None:
        super().__init__("")
        self.text = sql


MAX_SQL_LENGTH = 100_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
DECIMALS = 6
"""Decimal places of averages, and of sums of numbers that are not exact decimals."""
_EXACT = ("numeric", "decimal", "fixed", "bignumeric")
T = TypeVar("T", bound=ColumnElement[Any])


def written(
    term: type[T], *dialects: str
) -> Callable[[Callable[[T], ColumnElement[Any]]], Callable[[T], ColumnElement[Any]]]:
    """Registers the form of a term in some dialects: a function from the term to a SQLAlchemy expression."""

    def register(build: Callable[[T], ColumnElement[Any]]) -> Callable[[T], ColumnElement[Any]]:
        def render(element: T, compiler: Any, **options: Any) -> str:
            return str(compiler.process(build(element).self_group(against=operators.getitem), **options))

        compiles(term, *dialects)(render)
        return build

    return register


def between(value: ColumnElement[Any], span: Days | TimeSpan, *, zone: ZoneInfo | None = None) -> ColumnElement[bool]:
    """Whether a value lies within a span. Give `zone` for times without a zone, and omit it for times with one."""
    if isinstance(span, Days):
        return value.between(literal(span.first, types.Date()), literal(span.last, types.Date()))
    if zone is None:
        first, last = span.utc()
        kind = types.DateTime(timezone=True)
    else:
        first, last = span.local(zone)
        kind = types.DateTime(timezone=False)
    return value.between(literal(first, kind), literal(last, kind))


def on_days(term: OnDays, day: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a day such as "01-31" is one of the days of the anniversary."""
    return or_(*(day.between(literal(first, Text()), literal(last, Text())) for first, last in term.anniversary.days()))


def in_zone(time: ColumnElement[Any], zone: ZoneInfo) -> ColumnElement[Any]:
    """A time with a zone, as local time of `zone`."""
    return func.timezone(literal(zone.key, Text()), time)


def aggregate(term: Aggregate, decimal: types.Numeric[Any]) -> ColumnElement[Any]:
    """The measure. Inexact numbers are cast to `decimal`, because a sum of decimals does not depend on their order."""
    if term.measure in ("min", "max"):
        return func.min(term.column) if term.measure == "min" else func.max(term.column)
    exact = term.info.type == ColumnType.INTEGER or term.info.native.lower().startswith(_EXACT)
    if term.measure == "sum" and exact:
        return func.sum(term.column)
    return func.round((func.sum if term.measure == "sum" else func.avg)(cast(term.column, decimal)), DECIMALS)


def is_one_of(value: ColumnElement[Any], bound: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether a value equals one of these."""
    return value == bound[0] if len(bound) == 1 else value.in_(bound)


def is_not_a_number(text: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a text is one of the special values, such as NaN, that count as null."""
    return func.lower(text).in_(NOT_A_NUMBER)


def bare(sql: str) -> str:
    """A user's statement in a form that can be enclosed in parentheses.

    Raises:
        Misconfigured: it is too long, or contains a character that databases interpret differently. For MariaDB, for
            example, a NUL ends the statement.
    """
    if len(sql) > MAX_SQL_LENGTH:
        raise Misconfigured(
            "source_function",
            f"The query has more than {MAX_SQL_LENGTH:,} characters. Create a view for it in the source.",
            where="sql",
        )
    if match := _CONTROL.search(sql):
        message = (
            f"The query contains the character U+{ord(match[0]):04X}, which databases interpret differently. Remove it."
        )
        raise Misconfigured("source_function", message, where="sql")
    # The line break ends a comment on the last line, which would swallow the closing parenthesis.
    return sql.strip().rstrip("; \t\r\n") + "\n"


@compiles(Verbatim)
def _verbatim(element: Verbatim, compiler: Any, **_options: Any) -> str:
    sql = bare(element.text)
    return sql.replace("%", "%%") if compiler.dialect.paramstyle in ("format", "pyformat") else sql


@written(TextValue)
def _text(term: TextValue) -> ColumnElement[Any]:
    return cast(term.column, Text())


def _unchanged(term: Term) -> ColumnElement[Any]:
    return term.column


for _term in (NumberValue, BooleanValue, TimeValue, Exported, Label):
    written(_term)(_unchanged)


@written(Missing)
def _missing(term: Missing) -> ColumnElement[Any]:
    if term.info.type in (ColumnType.INTEGER, ColumnType.NUMBER):
        return NumberValue(term.column, term.info).is_(None)
    if term.info.type in (ColumnType.LIST, ColumnType.OBJECT):
        return or_(term.column.is_(None), TextValue(term.column, term.info) == literal("null", Text()))
    return term.column.is_(None)


@written(Lowercase)
def _lowercase(term: Lowercase) -> ColumnElement[Any]:
    return func.lower(TextValue(term.column, term.info))


@written(TextIs)
def _text_is(term: TextIs) -> ColumnElement[Any]:
    return is_one_of(TextValue(term.column, term.info), term.texts)


@written(Aggregate)
def _aggregate(term: Aggregate) -> ColumnElement[Any]:
    return aggregate(term, types.Numeric(38, 9))


@written(Within)
def _within(term: Within) -> ColumnElement[Any]:
    return between(term.column, term.span)


@written(OnDays)
def _on_days(term: OnDays) -> ColumnElement[Any]:
    local = in_zone(term.column, term.zone) if "with time zone" in term.info.native else term.column
    return on_days(term, func.to_char(local, literal("MM-DD", Text())))


@written(Position)
def _position(term: Position) -> ColumnElement[Any]:
    return func.strpos(term.text, term.part)


@written(ListHas)
def _list_has(term: ListHas) -> ColumnElement[Any]:
    # A null element makes the comparison null if no other element matches.
    contained = [
        func.coalesce(literal(value, Text()) == any_(cast(term.column, types.ARRAY(Text()))), false())
        for value in term.values
    ]
    return and_(*contained) if term.every else or_(*contained)
