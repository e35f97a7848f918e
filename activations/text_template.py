"""PURE. Templates of field mappings: text with columns in braces, such as `{first_name} {last_name}`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_TOKEN = re.compile(r"(?P<brace>\{\{|\}\})|\{(?P<column>[^{}]*)\}|(?P<text>[^{}]+)|(?P<alone>[{}])", re.DOTALL)
LONGEST = 2_000
"""In characters. Parsed templates are cached, so a longer one is refused before it is parsed."""
_ESCAPED = {"{": "{{", "}": "}}"}


@dataclass(frozen=True)
class Part:
    """A piece of a template: a column, or else the text between columns."""

    text: str = ""
    column: str = ""


@lru_cache(maxsize=512)
def parse(template: str) -> tuple[Part, ...]:
    """The parts of a template, in order. `{{` and `}}` are braces.

    Raises:
        Misconfigured: it is too long, a brace is not closed, a placeholder is empty, or no column is named.
    """
    if len(template) > LONGEST:
        raise _wrong(f"The template is longer than {LONGEST:,} characters. Shorten it.")
    parts = []
    for token in _TOKEN.finditer(template):
        if token["alone"]:
            raise _wrong(
                f"The template has a {token['alone']} without its counterpart. Write columns as {{name}}, and braces "
                "that are part of the text as {{ and }}."
            )
        if token["column"] is not None:
            if not token["column"].strip():
                raise _wrong("The template has empty braces. Write the name of a column between them, as in {name}.")
            parts.append(Part(column=token["column"].strip()))
        else:
            parts.append(Part(text=token["brace"][0] if token["brace"] else token["text"]))
    if not any(part.column for part in parts):
        raise _wrong("The template names no column. Write at least one in braces, as in {name}, or use a fixed value.")
    return tuple(parts)


def columns(template: str) -> list[str]:
    """The columns of a template without duplicates, in order; none if it is empty or not valid."""
    try:
        parts = parse(template) if template else ()
    except Misconfigured:
        return []
    return list(dict.fromkeys(part.column for part in parts if part.column))


def check(template: str, known: Iterable[str]) -> None:
    """Raises Misconfigured if the template is not valid, or names a column that is not among the `known` ones."""
    known = list(known)
    for part in parse(template):
        if part.column and part.column not in known:
            raise Misconfigured(
                "column_unknown",
                f"The template names the column “{part.column}”, which the model does not have. "
                f"It has: {', '.join(known) or 'none'}.",
                where=part.column,
            )


def renamed(template: str, names: Mapping[str, str]) -> str:
    """The template with columns renamed, old name → new name. A template that is not valid stays as it is."""
    try:
        parts = parse(template)
    except Misconfigured:
        return template
    return "".join(
        "{" + names.get(part.column, part.column) + "}" if part.column else _escaped(part.text) for part in parts
    )


def _escaped(text: str) -> str:
    return "".join(_ESCAPED.get(character, character) for character in text)


def _wrong(message: str) -> Misconfigured:
    return Misconfigured("template", message)
