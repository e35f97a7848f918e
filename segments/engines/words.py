"""PURE. Which functions a person's SQL calls, so that those that do more than read can be refused by name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from sqlalchemy import Select
from sqlalchemy.sql import visitors

from core.errors import Misconfigured
from segments.terms import Verbatim

_COMMON = r"""
    (?P<skip> --[^\n]* | /\*.*?(?:\*/|\Z) | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<text> {text} )
  | (?P<name> "(?:[^"]|"")*" | `(?:[^`]|``)*` | \[[^]]*\] | [^\W\d][\w$]* )
  | (?P<other> \S )
"""
_PLAIN = r"[eE]'(?:[^'\\]|\\.|'')*' | '(?:[^']|'')*'"
_BACKSLASHES = r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | \#[^\n]*"""
_WORDS = {
    backslashes: re.compile(_COMMON.format(text=text), re.VERBOSE | re.DOTALL)
    for backslashes, text in ((False, _PLAIN), (True, _BACKSLASHES))
}


def calls(sql: str, *, backslashes: bool = False) -> set[str]:
    """The names before an opening bracket, in small letters.

    Args:
        backslashes: as in MySQL, where they escape in text, and double quotation marks enclose text.
    """
    last, found = "", set()
    for word in _WORDS[backslashes].finditer(sql):
        if word["skip"] or (word["text"] or "").startswith("#"):
            continue
        if word["other"] == "(" and last:
            found.add(last)
        last = _bare_name(word["name"] or "")
    return found


def refuse_calls(sql: str, forbidden: Collection[str], *, backslashes: bool = False) -> None:
    """Raises Misconfigured where the SQL calls one of these functions, or hides what it says."""
    if hidden := re.search(r"/\*M?!" if backslashes else r"\b[uU]&[\"']", sql):
        raise Misconfigured("source_read_only", f"{hidden[0]} can't be used here. Write the query without it.", where="sql")
    for name in sorted(calls(sql, backslashes=backslashes) & set(forbidden)):
        message = f"The function {name} can't be used here: a query may only read the rows of tables. Write it without."
        raise Misconfigured("source_function", message, where="sql")


def written_by_people(query: Select[Any]) -> Iterator[str]:
    """The SQL in a query that is not ours."""
    return (part.text for part in visitors.iterate(query) if isinstance(part, Verbatim))


def _bare_name(word: str) -> str:
    if word[:1] in ('"', "`", "["):
        word = word[1:-1].replace('""', '"').replace("``", "`")
    return word.lower()
