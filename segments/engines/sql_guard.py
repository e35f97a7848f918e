"""PURE. Finds the functions that a person's SQL calls, so that those that do more than read can be refused by name.

Databases don't prevent everything that is not a read: in PostgreSQL, `select pg_read_file('/etc/passwd')` works in a
read-only transaction. A full SQL parser per dialect would be large, and wrong in places. It is enough to tell code from
strings and comments exactly as the database does, because a call hidden from this module would have to look like a
string here and like code there. Whatever might be read differently there is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.sql import visitors

from core.errors import Misconfigured
from segments.sql.user_sql import Verbatim

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Select

LONGEST_NAME = 63
"""The maximum length of a name in PostgreSQL, in bytes. It silently cuts off the rest."""


@dataclass(frozen=True)
class Syntax:
    """How a database writes SQL.

    Args:
        skipped: whole strings and comments, which contain no code.
        opening: the start of a string, to notice one that never ends.
        name: a name without quotation marks.
        hidden: what is refused because it disguises code or names, such as `/*!50000 sleep(1) */` in MySQL.
    """

    skipped: re.Pattern[str]
    opening: re.Pattern[str]
    name: re.Pattern[str]
    hidden: re.Pattern[str]


UNCLOSED = "'"
"""The token that stands for a string without an end."""
_BLOCK = r"/\*.*?(?:\*/|\Z)"
_LETTER = r"A-Za-z_\x80-\U0010ffff"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*'"
STANDARD = Syntax(
    re.compile(
        rf"""--[^\n\r]* | {_BLOCK} | \$((?:[{_LETTER}][{_LETTER}0-9]*)?)\$.*?\$\1\$
        | [eE]{_ESCAPED}(?:[ \t\f]*[\n\r][ \t\f\n\r]*{_ESCAPED})* | '(?:[^']|'')*'""",
        re.VERBOSE | re.DOTALL,
    ),
    re.compile(rf"'|\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$"),
    re.compile(rf"[{_LETTER}][{_LETTER}0-9$]*"),
    re.compile(r"\b[uU]&[\"']"),
)
MYSQL = Syntax(
    re.compile(
        rf"""--(?=[\x00-\x20\x7f]|\Z)[^\n]* | \#[^\n]* | {_BLOCK} | {_ESCAPED} | "(?:[^"\\]|\\.|"")*\"""",
        re.VERBOSE | re.DOTALL,
    ),
    re.compile("['\"]"),
    re.compile(rf"[{_LETTER}0-9$]+"),
    re.compile(r"/\*M?!"),
)
_TOKEN = re.compile(r'"(?:[^"]|"")*" | `(?:[^`]|``)*` | \S', re.VERBOSE)


def called_functions(sql: str, syntax: Syntax) -> set[str]:
    """The names that are followed by an opening parenthesis, in lowercase."""
    previous, names = "", set()
    for lexeme in (token for skipped, token in _tokens(sql, syntax) if not skipped):
        if lexeme == "(" and previous:
            names.add(previous)
        previous = _bare_name(lexeme)
    return names


def refuse_calls(sql: str, forbidden: Collection[str], syntax: Syntax) -> None:
    """Raises Misconfigured if the SQL calls one of these functions, or is written so that it can't be checked."""
    refuse_hidden(sql, syntax)
    for name in sorted(called_functions(sql, syntax) & set(forbidden)):
        message = f"The function {name} can't be used here: a query may only read rows. Remove it from the query."
        raise Misconfigured("source_function", message, where="sql")


def mentioned(sql: str, names: Collection[str]) -> set[str]:
    """The names that occur anywhere in the SQL, even in strings and comments.

    This does not depend on what a database takes for a string or a comment.
    """
    text = sql.lower()
    return {name for name in names if name.lower() in text and _occurs(name.lower(), text)}


def refuse_names(sql: str, forbidden: Collection[str], hint: str = "") -> None:
    """Raises Misconfigured if one of these names occurs anywhere in the SQL.

    Args:
        hint: what else the person can do, appended to the message.
    """
    for name in sorted(mentioned(sql, forbidden)):
        raise not_only_reading(name, hint, "not even in a string or a comment")


def not_only_reading(name: str, hint: str = "", more: str = "") -> Misconfigured:
    """The problem to raise for a name that does more than read.

    Args:
        hint: what else the person can do, appended to the message.
        more: where it is refused too.
    """
    refusal = f"{name} can't be used here{f', {more}' if more else ''}: a query may only read rows."
    return Misconfigured("source_function", f"{refusal} Remove it from the query.{hint}", where="sql")


def may_be_called(sql: str, name: str, *, of_rows: bool) -> bool:
    """Whether a name that occurs in PostgreSQL's SQL may be that of a function which is called there.

    Such a name is followed by a parenthesis, or it follows a dot: `(x).name` is `name(x)`. A column's name is not. In
    SQL with comments, or with TREAT, which calls a function by the name of a type, any name may be.

    Args:
        of_rows: whether the function can be called with a row, so that `t.name` may be a call for a table t.
    """
    text = sql.lower()
    if "--" in text or "/*" in text or re.search(r"\btreat\b", text):
        return True
    word = _word(name.lower())
    dot = r"\." if of_rows else r"[^\s\w\"]\s*\."
    return re.search(rf'{word}\w*"?\s*\(|{dot}\s*"?{word}', text) is not None


def _occurs(name: str, text: str) -> bool:
    return re.search(_word(name), text) is not None


def _word(name: str) -> str:
    # PostgreSQL truncates a longer name to this one, so that more characters may follow.
    end = "" if len(name.encode()) >= LONGEST_NAME else r"(?![a-z0-9_])"
    return rf"(?<![a-z_]){re.escape(name)}{end}"


def refuse_hidden(sql: str, syntax: Syntax) -> None:
    """Raises Misconfigured if the SQL is written so that it can't be checked."""
    hidden = syntax.hidden.search(sql)
    skipped = [token for is_skipped, token in _tokens(sql, syntax) if is_skipped]
    if hidden:
        message = f"{hidden[0]} can't be used here. Remove it from the query."
    elif UNCLOSED in skipped:
        message = "The query contains a string that does not end. Add the closing quotation mark."
    elif any(token.startswith("/*") and "/*" in token[2:] for token in skipped):
        message = "A comment inside a comment can't be used here. Remove it from the query."
    else:
        return
    raise Misconfigured("source_function", message, where="sql")


def custom_sql(query: Select[Any]) -> Iterator[str]:
    """The SQL in a query that a person wrote."""
    return (element.text for element in visitors.iterate(query) if isinstance(element, Verbatim))


def _tokens(sql: str, syntax: Syntax) -> Iterator[tuple[bool, str]]:
    """The tokens of the SQL, each preceded by whether it is a string or a comment. A quoted name is one token."""
    position = 0
    while position < len(sql):
        skipped = syntax.skipped.match(sql, position)
        if not skipped and syntax.opening.match(sql, position):
            yield True, UNCLOSED
            return
        token = skipped or syntax.name.match(sql, position) or _TOKEN.match(sql, position)
        if token:
            yield skipped is not None, token[0]
        position = token.end() if token else position + 1


def _bare_name(token: str) -> str:
    """A name without its quotation marks, in lowercase; empty for any other token."""
    if token[:1] in ('"', "`"):
        token = token[1:-1].replace('""', '"').replace("``", "`")
    elif not re.match(rf"[{_LETTER}]", token):
        return ""
    return token.lower()
