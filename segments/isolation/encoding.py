"""PURE. The answers of a reader and its problems as JSON, which can't run code where it is read, unlike pickles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from segments.contract import ColumnInfo, ColumnType, ForeignKey, Skipped, TableInfo, UnreadableLine

if TYPE_CHECKING:
    from collections.abc import Callable

CLASSES: dict[str, type[Problem]] = {each.__name__: each for each in (Misconfigured, Rejected, Unavailable)}
PLAIN = ("where", "retry_after", "throttled", "ambiguous", "field", "request_id")
"""Attributes of problems besides their code and message."""


def encoded(answer: Any) -> bytes:
    """What a method of a reader returned, apart from batches."""
    return json.dumps(answer, default=vars).encode()


def decoded(method: str, payload: bytes | bytearray) -> Any:
    """What that method of a reader returned. Raises ValueError, TypeError or KeyError if it is something else."""
    answer = json.loads(payload)
    return _DECODERS[method](answer) if method in _DECODERS else answer


def encoded_problem(problem: Problem) -> bytes:
    known = next(name for name, kind in CLASSES.items() if isinstance(problem, kind))
    plain = {name: getattr(problem, name) for name in PLAIN if getattr(problem, name, None)}
    fields = {"code": problem.code, "message": problem.message, "detail": problem.detail, **plain}
    return json.dumps([known, fields, problem.origin]).encode()


def decoded_problem(payload: bytes | bytearray) -> Problem:
    known, fields, origin = json.loads(payload)
    problem = CLASSES[known](**fields)
    problem.origin = origin
    return problem


def _column(fields: dict[str, Any]) -> ColumnInfo:
    return ColumnInfo(**{**fields, "type": ColumnType(fields["type"])})


def _table(fields: dict[str, Any]) -> TableInfo:
    return TableInfo(**{**fields, "columns": tuple(map(_column, fields["columns"]))})


def _skipped(fields: dict[str, Any]) -> Skipped:
    return Skipped(fields["count"], [UnreadableLine(**line) for line in fields["first"]])


_DECODERS: dict[str, Callable[[Any], Any]] = {
    "columns": lambda columns: list(map(_column, columns)),
    "catalog": lambda tables: list(map(_table, tables)),
    "foreign_keys": lambda keys: [ForeignKey(**key) for key in keys],
    "skipped": _skipped,
}
