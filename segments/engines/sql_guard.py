"""PURE. Which functions a person's SQL calls, so that those that do more than read can be refused by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.sql import visitors

from core.errors import Misconfigured
from segments.sql.terms import Verbatim

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy import Select

LONGEST_NAME = 63


@dataclass(frozen=True)
class Writing:
    """How a database writes what is no code, how that begins, what is a name, and what can't be judged since it hides code or a name."""

    skipped: re.Pattern[str]
    opening: re.Pattern[str]
    name: re.Pattern[str]
    hidden: re.Pattern[str]


UNCLOSED = "'"
_BLOCK = r"/\*.*?(?:\*/|\Z)"
_LETTER = r"A-Za-z_\x80-\U0010ffff"
_ESCAPED = r"'(?:[^'\\]|\\.|'')*'"
STANDARD = Writing(
    re.compile(
        rf"""--[^\n\r]* | {_BLOCK} | \$((?:[{_LETTER}][{_LETTER}0-9]*)?)\$.*?\$\1\$
        | [eE]{_ESCAPED}(?:[ \t\f]*[\n\r][ \t\f\n\r]*{_ESCAPED})* | '(?:[^']|'')*'""",
        re.VERBOSE | re.DOTALL,
    ),
    re.compile(rf"'|\$(?:[{_LETTER}][{_LETTER}0-9]*)?\$"),
    re.compile(rf"[{_LETTER}][{_LETTER}0-9$]*"),
    re.compile(r"\b[uU]&[\"']"),
)
MYSQL = Writing(
    re.compile(
        rf"""--(?=[\x00-\x20\x7f]|\Z)[^\n]* | \#[^\n]* | {_BLOCK} | {_ESCAPED} | "(?:[^"\\]|\\.|"")*\"""",
        re.VERBOSE | re.DOTALL,
    ),
    re.compile("['\"]"),
    re.compile(rf"[{_LETTER}0-9$]+"),
    re.compile(r"/\*M?!"),
)
_WORD = re.compile(r'"(?:[^"]|"")*" | `(?:[^`]|``)*` | \S', re.VERBOSE)


def calls(sql: str, writing: Writing) -> set[str]:
    """The names before an opening bracket, in small letters."""
    last, found = "", set()
    for word in (part for skipped, part in _parts(sql, writing) if not skipped):
        if word == "(" and last:
            found.add(last)
        last = _bare_name(word)
    return found


def refuse_calls(sql: str, forbidden: Collection[str], writing: Writing) -> None:
    """Raises Misconfigured where the SQL calls one of these functions, or hides what it says."""
    refuse_hidden(sql, writing)
    for name in sorted(calls(sql, writing) & set(forbidden)):
        message = f"The function {name} can't be used here: a query may only read the rows of tables. Write it without."
        raise Misconfigured("source_function", message, where="sql")


def named(sql: str, names: Collection[str]) -> set[str]:
    """Those of the names that stand anywhere in the SQL, also in texts and comments: whatever a database takes for one of those."""
    text = sql.lower()
    return {name for name in names if name.lower() in text and _stands(name.lower(), text)}


def refuse_names(sql: str, forbidden: Collection[str], more: str = "") -> None:
    """Raises Misconfigured where one of these names stands anywhere in the SQL; `more` says what else can be done."""
    for name in sorted(named(sql, forbidden)):
        message = f"{name} can't be used here, not even in a text or a comment: a query may only read rows. Write it without.{more}"
        raise Misconfigured("source_function", message, where="sql")


def _stands(name: str, text: str) -> bool:
    # Of a name that is as long as names can be, PostgreSQL cuts off what follows.
    end = "" if len(name.encode()) >= LONGEST_NAME else r"(?![a-z0-9_])"
    return re.search(rf"(?<![a-z_]){re.escape(name)}{end}", text) is not None


def refuse_hidden(sql: str, writing: Writing) -> None:
    """Raises Misconfigured where the SQL is written so that it can't be judged."""
    found = writing.hidden.search(sql)
    skipped = [part for skips, part in _parts(sql, writing) if skips]
    if found or UNCLOSED in skipped or any(part.startswith("/*") and "/*" in part[2:] for part in skipped):
        what = found[0] if found else "A text that does not end" if UNCLOSED in skipped else "A comment in a comment"
        raise Misconfigured("source_function", f"{what} can't be used here. Write the query without it.", where="sql")


def written_by_people(query: Select[Any]) -> Iterator[str]:
    """The SQL in a query that is not ours."""
    return (part.text for part in visitors.iterate(query) if isinstance(part, Verbatim))


def _parts(sql: str, writing: Writing) -> Iterator[tuple[bool, str]]:
    """Words of code, a name in its quotation marks as one; and, with True before it, what is no code."""
    place = 0
    while place < len(sql):
        skipped = writing.skipped.match(sql, place)
        if not skipped and writing.opening.match(sql, place):
            yield True, UNCLOSED
            return
        found = skipped or writing.name.match(sql, place) or _WORD.match(sql, place)
        if found:
            yield skipped is not None, found[0]
        place = found.end() if found else place + 1


def _bare_name(word: str) -> str:
    """A name without its quotation marks, in small letters; nothing for any other word."""
    if word[:1] in ('"', "`"):
        word = word[1:-1].replace('""', '"').replace("``", "`")
    elif not re.match(rf"[{_LETTER}]", word):
        return ""
    return word.lower()
