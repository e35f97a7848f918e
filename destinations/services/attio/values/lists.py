"""PURE. The values of a list attribute, from a list, from JSON text, or from text with separators."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from destinations.services.attio.values import domains
from destinations.services.attio.values.rejections import refused

if TYPE_CHECKING:
    from destinations.contract import Field, Wire

_SEPARATED = re.compile(r"[,;|\n]")
_SPACED = re.compile(r"[,;|\s]+")
_WITHOUT_SPACES = ("domain", "email-address", "record-reference", "actor-reference")


def items(field: Field, value: Any) -> list[Any]:
    """The values that are not blank. Raises Rejected for text that begins as JSON and is none."""
    found = _from_text(field, value) if isinstance(value, str) else value
    listed = found if isinstance(found, list) else [found]
    return [item for item in listed if item is not None and not (isinstance(item, str) and not item.strip())]


def distinct(found: list[Wire]) -> list[Wire]:
    """Each value once, in the order of its first."""
    kept: dict[str, Wire] = {}
    for wire in found:
        kept.setdefault(json.dumps(wire, sort_keys=True), wire)
    return list(kept.values())


def _from_text(field: Field, text: str) -> Any:
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            raise refused(field, "a JSON list, or values with commas between them", text) from None
    if field.options and _is_option(field, text):
        return [text]
    pieces = _separator(field, text).split(text)
    return pieces if field.type != "domain" or _are_domains(pieces) else [text]


def _separator(field: Field, text: str) -> re.Pattern[str]:
    if field.type in _WITHOUT_SPACES:
        return _SPACED
    # A title may hold a comma itself, so the other separators go first.
    rare = [sign for sign in "\n;|" if sign in text] if field.options else []
    return re.compile(re.escape(rare[0])) if rare else _SEPARATED


def _are_domains(pieces: list[str]) -> bool:
    """False for one address whose path holds a comma."""
    try:
        return all(domains.normalise(piece) for piece in pieces if piece)
    except ValueError:
        return False


def _is_option(field: Field, text: str) -> bool:
    wanted = text.strip().casefold()
    return any(wanted in (option.title.casefold(), option.id) for option in field.options)
