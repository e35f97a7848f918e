"""A user's own SQL as part of a statement: in parentheses, with its colons and percent signs as they are."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import TextClause

from core.errors import Misconfigured


class Verbatim(TextClause):
    """A user's own SQL, in which a colon never marks a bound parameter."""

    inherit_cache = False

    def __init__(self, sql: str) -> None:
        super().__init__("")
        self.text = sql


MAX_SQL_LENGTH = 100_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


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
