"""Refuses SQL of a person that does more than read, by what PostgreSQL itself knows about its functions and types."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING, Any

from segments.engines import sql_guard
from segments.engines.postgres.forbidden import (
    CHECKED_QUERY,
    FORBIDDEN,
    HARMLESS,
    VOLATILE,
    VOLATILE_OPERATORS,
    VOLATILE_TYPES,
)
from segments.sql.user_sql import bare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Fetch = Callable[[str], Sequence[tuple[Any, ...]]]

INLINES_QUERIES = 120000
"""The first version of PostgreSQL that inlines a WITH query unless the query calls a volatile function."""


class Guard:
    """Checks each statement once per session.

    Args:
        fetch: runs a statement of ours and returns its rows.
        version: the server's.
    """

    def __init__(self, fetch: Fetch, version: int) -> None:
        self.fetch = fetch
        self.version = version
        self.checked: set[str] = set()

    def refuse_unsafe(self, statements: Iterable[str]) -> None:
        """Raises Misconfigured if SQL of a person is not one statement, or does more than read."""
        for sql in {*statements} - {"", *self.checked}:
            sql_guard.refuse_hidden(sql, sql_guard.STANDARD)
            sql_guard.refuse_names(sql, FORBIDDEN)
            # No column is likely to have the name of a built-in function.
            sql_guard.refuse_names(sql, self._built_in)
            # Before the server parses the statement, because it reads a constant of a type with the type's function.
            sql_guard.refuse_names(sql, self._types)
            # On its own, it is not a statement if it is one only inside the parentheses that we put around it, such as
            # `select 1) as model union all select x from (select 2 as x`.
            self.fetch(f"explain (costs off) {bare(sql)}")
            self._refuse_volatile(sql)
            self.checked.add(sql)

    def _refuse_volatile(self, sql: str) -> None:
        """Raises Misconfigured if the SQL calls a volatile function that may do more than return a value.

        A name is enough for suspicion. Whether it is called, or names a column, is decided by PostgreSQL.
        """
        suspects = sql_guard.mentioned(sql, self._functions)
        operators = {operator for operator in self._operators if operator in sql}
        if not (suspects or operators) or not self._is_volatile(sql):
            return
        called = operators or {
            name for name in suspects if sql_guard.may_be_called(sql, name, of_rows=self._functions[name])
        }
        for name in sorted(called):
            raise sql_guard.not_only_reading(name, " If it is your own function and only reads, declare it STABLE.")

    def _is_volatile(self, sql: str) -> bool:
        """Whether the SQL calls a volatile function, in any spelling, by an operator, or through a view."""
        if self.version < INLINES_QUERIES:
            return True
        query = f"explain (costs off, format json) with {CHECKED_QUERY} as ({bare(sql)}) select * from {CHECKED_QUERY}"  # noqa: S608
        plan = self.fetch(query)[0][0]
        return f"CTE {CHECKED_QUERY}" in (plan if isinstance(plan, str) else json.dumps(plan))

    @cached_property
    def _volatile(self) -> list[tuple[str, bool, bool]]:
        """The names of volatile functions, whether one of that name is built in, and whether one accepts a row."""
        return [(name, built_in, of_rows) for name, built_in, of_rows in self.fetch(VOLATILE) if name not in HARMLESS]

    @cached_property
    def _built_in(self) -> set[str]:
        return {name for name, built_in, _ in self._volatile if built_in}

    @cached_property
    def _functions(self) -> dict[str, bool]:
        """The functions of users and extensions, and whether `t.name` for a table t may be a call."""
        return {name: of_rows for name, built_in, of_rows in self._volatile if not built_in}

    @cached_property
    def _operators(self) -> set[str]:
        return {name for (name,) in self.fetch(VOLATILE_OPERATORS)}

    @cached_property
    def _types(self) -> set[str]:
        """The types that call a volatile function when a value is read, written or checked."""
        types = self.fetch(VOLATILE_TYPES)
        return {
            name
            for name, volatile, check in types
            if volatile or sql_guard.mentioned(check, {*self._functions, *self._built_in})
        }
