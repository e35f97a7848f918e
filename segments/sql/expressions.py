"""Expressions that the terms of several dialects share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Text, func, literal, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import operators

from segments.conditions.times import Days, TimeSpan
from segments.values import NOT_A_NUMBER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from zoneinfo import ZoneInfo


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


def in_zone(time: ColumnElement[Any], zone: ZoneInfo) -> ColumnElement[Any]:
    """A time with a zone, as local time of `zone`."""
    return func.timezone(literal(zone.key, Text()), time)


def is_one_of(value: ColumnElement[Any], bound: Sequence[ColumnElement[Any]]) -> ColumnElement[bool]:
    """Whether a value equals one of these."""
    return value == bound[0] if len(bound) == 1 else value.in_(bound)


def is_not_a_number(text: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a text is one of the special values, such as NaN, that count as null."""
    return func.lower(text).in_(NOT_A_NUMBER)


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
