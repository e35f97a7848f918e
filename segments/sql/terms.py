"""PURE. The few expressions that differ between engines, each with the form that most typed databases share.

An engine whose dialect needs a different form registers it with `written`, in its own folder.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Text, and_, any_, case, cast, false, func, literal, or_, types

from segments.contract import ColumnInfo, ColumnType
from segments.sql.expressions import between, in_zone, is_one_of, written

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

    from segments.conditions.times import Anniversary, Days, TimeSpan


class Term(ColumnElement[Any]):
    """An expression over one column."""

    inherit_cache = False

    def __init__(self, column: ColumnElement[Any], info: ColumnInfo) -> None:
        self.column = column
        self.info = info


class TextValue(Term):
    """The column as text that is compared case-sensitively, unless its type ignores case; null if it is null."""

    type = types.Text()


class Operand(Term):
    """A text that is compared with the `TextValue` of a column."""

    type = types.Text()

    def __init__(self, text: str, info: ColumnInfo) -> None:
        super().__init__(literal(text, types.String()), info)


class KeyText(Term):
    """The column's text as a key: two keys are the same if these texts are.

    A whole number is its digits, because 1 becomes 1.0 when a program stores it as a floating-point number.
    """

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
        self.texts = [Operand(text, info) for text in texts]


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


class Position(ColumnElement[Any]):
    """The position at which a text contains another one, counted from 1; 0 if it does not."""

    inherit_cache = False
    type = types.Integer()

    def __init__(self, text: ColumnElement[Any], part: ColumnElement[Any]) -> None:
        self.text = text
        self.part = part


def on_days(term: OnDays, day: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a day such as "01-31" is one of the days of the anniversary."""
    return or_(*(day.between(literal(first, Text()), literal(last, Text())) for first, last in term.anniversary.days()))


@written(TextValue)
def _text(term: TextValue) -> ColumnElement[Any]:
    return cast(term.column, Text())


@written(KeyText)
def _key_text(term: KeyText) -> ColumnElement[Any]:
    text = TextValue(term.column, ColumnInfo(term.info.name, ColumnType.TEXT, term.info.native))
    return whole_number(text) if term.info.type == ColumnType.NUMBER else text


def whole_number(text: ColumnElement[Any]) -> ColumnElement[Any]:
    """A number as text, without a decimal point that only zeros follow."""
    shortened = func.rtrim(text, literal("0", Text()))
    is_whole = shortened.like(literal("%.", Text()))
    return case((is_whole, func.rtrim(shortened, literal(".", Text()))), else_=text)


def _unchanged(term: Term) -> ColumnElement[Any]:
    return term.column


for _term in (NumberValue, BooleanValue, TimeValue, Exported, Label, Operand):
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
