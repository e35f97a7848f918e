"""PURE. Splits the value of a list attribute: a list, JSON text, or text with separators."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from destinations.kit.values import domains, emails
from destinations.services.attio.values.rejections import rejection

if TYPE_CHECKING:
    from destinations.contract import Field, Wire

_SEPARATED = re.compile(r"[,;|\n]")
_SPACED = re.compile(r"[,;|\s]+")
_WITHOUT_SPACES = ("domain", "email-address", "record-reference", "actor-reference")


def items(field: Field, value: Any) -> list[Any]:
    """The values that are not blank. Raises Rejected if the text starts like JSON but is not valid JSON."""
    parsed = _from_text(field, value) if isinstance(value, str) else value
    values = parsed if isinstance(parsed, list) else [parsed]
    return [item for item in values if item is not None and not (isinstance(item, str) and not item.strip())]


def distinct(wires: list[Wire]) -> list[Wire]:
    """Each value once, in the order of its first occurrence."""
    unique: dict[str, Wire] = {}
    for wire in wires:
        unique.setdefault(json.dumps(wire, sort_keys=True), wire)
    return list(unique.values())


def _from_text(field: Field, text: str) -> Any:
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise rejection(field, "a JSON list, or values separated by commas", text) from None
    if field.options and _is_option(field, text):
        return [text]
    if field.type == "email-address":
        return emails.split(text)
    pieces = _separator(field, text).split(text)
    return pieces if field.type != "domain" or _are_domains(pieces) else [text]


def _separator(field: Field, text: str) -> re.Pattern[str]:
    if field.type in _WITHOUT_SPACES:
        return _SPACED
    # An option title may contain a comma, such as "Arts, Crafts; SaaS", so the other separators take precedence.
    separators = [sign for sign in "\n;|" if sign in text] if field.options else []
    return re.compile(re.escape(separators[0])) if separators else _SEPARATED


def _are_domains(pieces: list[str]) -> bool:
    """Whether every piece is a domain. If not, the text is one address with a comma in its path: `acme.com/a,b`."""
    try:
        return all(domains.normalize(piece) for piece in pieces if piece)
    except ValueError:
        return False


def _is_option(field: Field, text: str) -> bool:
    wanted = text.strip().casefold()
    return any(wanted in (option.title.casefold(), option.id) for option in field.options)
