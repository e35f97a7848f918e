"""PURE. The few expressions that engines write differently, each with the form that typed databases share.

An engine whose dialect needs another form registers it with `written`, in its own folder.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Text, and_, any_, cast, false, func, literal, or_, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators
from sqlalchemy.sql.elements import TextClause

from core.errors import Misconfigured
from segments.conditions.times import Anniversary, Days, Moments
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
    """The column as text that is compared case by case; null where it is null."""

    type = types.Text()


class NumberValue(Term):
    """The column as a finite number; null where it is none."""

    type = types.Numeric()


class BooleanValue(Term):
    """The column as a boolean; null where it is none."""

    type = types.Boolean()


class SmallLetters(Term):
    """The column as text in small letters, to look for a part of it."""

    type = types.Text()


class TimeValue(Term):
    """The column as a date or time that can be ordered, and which `Within` takes again; null where it is none.

    Args:
        zone: of times without one.
    """

    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, zone: ZoneInfo) -> None:
        super().__init__(column, info)
        self.zone = zone


class Missing(Term):
    """Whether the natural value is null."""

    type = types.NullType()


class Exported(Term):
    """The column as a stream gives it: native where Arrow holds it exactly, else its text."""

    type = types.NullType()


class Within(Term):
    """Whether the column lies in a span of time. `zone` is that of times without one."""

    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, span: Days | Moments, zone: ZoneInfo) -> None:
        super().__init__(column, info)
        self.span = span
        self.zone = zone


class OnDays(Term):
    """Whether the day and the month of a date or time, in `zone`, are those of an anniversary."""

    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, anniversary: Anniversary, zone: ZoneInfo) -> None:
        super().__init__(column, info)
        self.anniversary = anniversary
        self.zone = zone


class TextIs(Term):
    """Whether the column's text is one of these, case by case."""

    # A boolean would be compared with 1, which no index helps with.
    type = types.NullType()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, texts: Sequence[str]) -> None:
        super().__init__(column, info)
        self.texts = [literal(text, types.String()) for text in texts]


class ListHas(Term):
    """Whether a list holds elements that read as these texts: one of them, or `every` one. Not asked of a missing list."""

    type = types.Boolean()

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo, values: Sequence[str], *, every: bool) -> None:
        super().__init__(column, info)
        self.values = list(dict.fromkeys(values))
        self.every = every

    @property
    def array(self) -> ColumnElement[Any]:
        """The texts as one value, where a database has arrays."""
        return literal(self.values, types.ARRAY(Text()))


class Label(Term):
    """A text that is chosen by conditions."""

    type = types.Text()


class Aggregate(Term):
    """A measure over the rows of a group: the same in whatever order they come, so that no run takes a last digit for a change.

    Args:
        measure: one of `tree.MEASURES`.
        column: finite numbers, dates or times. `info` is that of the column that they come from.
    """

    type = types.NullType()

    def __init__(self, measure: str, column: ColumnElement[Any], info: ColumnInfo) -> None:
        super().__init__(column, info)
        self.measure = measure


class Position(ColumnElement[Any]):
    """Where in a text another one starts, from 1; 0 where it does not occur."""

    inherit_cache = False
    type = types.Integer()

    def __init__(self, text: ColumnElement[Any], part: str) -> None:
        self.text = text
        self.part = literal(part, Text())


class Verbatim(TextClause):
    """A person's own SQL, in which nothing is a parameter of ours."""

    inherit_cache = False

    def __init__(self, sql: str) -> None:
        super().__init__("")
        self.text = sql


MOST_SQL = 100_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
DECIMALS = 6
"""Of averages, and of sums of numbers that are not decimal."""
_EXACT = ("numeric", "decimal", "fixed", "bignumeric")
T = TypeVar("T", bound=ColumnElement[Any])


def written(
    term: type[T], *dialects: str
) -> Callable[[Callable[[T], ColumnElement[Any]]], Callable[[T], ColumnElement[Any]]]:
    """Registers how dialects write a term: a function from the term to an expression of SQLAlchemy."""

    def register(build: Callable[[T], ColumnElement[Any]]) -> Callable[[T], ColumnElement[Any]]:
        def render(element: T, compiler: Any, **options: Any) -> str:
            return str(compiler.process(build(element).self_group(against=operators.getitem), **options))

        compiles(term, *dialects)(render)
        return build

    return register


def between(value: ColumnElement[Any], span: Days | Moments, *, zone: ZoneInfo | None = None) -> ColumnElement[bool]:
    """The span over a date, over a time without a zone (where `zone` is given), or over one with a zone."""
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
    """Whether a day such as "01-31" is one of the anniversary's."""
    return or_(*(day.between(literal(first, Text()), literal(last, Text())) for first, last in term.anniversary.days()))


def in_zone(moment: ColumnElement[Any], zone: ZoneInfo) -> ColumnElement[Any]:
    """A moment as the clocks of a zone show it."""
    return func.timezone(literal(zone.key, Text()), moment)


def aggregate(term: Aggregate, decimal: types.Numeric[Any]) -> ColumnElement[Any]:
    """The measure, with numbers that are not exact taken as decimals, whose sum does not depend on their order."""
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
    """Whether a text spells one of the values that are no numbers, and count as null."""
    return func.lower(text).in_(NOT_A_NUMBER)


def bare(sql: str) -> str:
    """A person's statement as it can stand in brackets.

    Raises:
        Misconfigured: it is too long, or holds a character that databases read in ways of their own. To MariaDB a NUL is the end.
    """
    if len(sql) > MOST_SQL:
        raise Misconfigured(
            "source_function",
            f"The query has more than {MOST_SQL:,} characters. Make a view of it in the source.",
            where="sql",
        )
    if found := _CONTROL.search(sql):
        message = f"The query holds the character U+{ord(found[0]):04X}, which databases read in ways of their own. Write it without."
        raise Misconfigured("source_function", message, where="sql")
    # The line break ends a comment in the last line, which would swallow the closing bracket.
    return sql.strip().rstrip("; \t\r\n") + "\n"


@compiles(Verbatim)
def _verbatim(element: Verbatim, compiler: Any, **_options: Any) -> str:
    sql = bare(element.text)
    return sql.replace("%", "%%") if compiler.dialect.paramstyle in ("format", "pyformat") else sql


@written(TextValue)
def _text(term: TextValue) -> ColumnElement[Any]:
    return cast(term.column, Text())


def _as_it_is(term: Term) -> ColumnElement[Any]:
    return term.column


for _term in (NumberValue, BooleanValue, TimeValue, Exported, Label):
    written(_term)(_as_it_is)


@written(Missing)
def _missing(term: Missing) -> ColumnElement[Any]:
    if term.info.type in (ColumnType.INTEGER, ColumnType.NUMBER):
        return NumberValue(term.column, term.info).is_(None)
    if term.info.type in (ColumnType.LIST, ColumnType.OBJECT):
        return or_(term.column.is_(None), TextValue(term.column, term.info) == literal("null", Text()))
    return term.column.is_(None)


@written(SmallLetters)
def _small_letters(term: SmallLetters) -> ColumnElement[Any]:
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
    # An element that is null makes it null, where the value is not found.
    held = [
        func.coalesce(literal(value, Text()) == any_(cast(term.column, types.ARRAY(Text()))), false())
        for value in term.values
    ]
    return and_(*held) if term.every else or_(*held)
