"""PURE. Email addresses: the one rule for what is an address, and how it is cleaned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from destinations.kit.values import domains

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCAL = r"[^\s@<>\"(),:;\[\]\\\x00-\x1f\x7f-\x9f]{1,64}"
_ADDRESS = re.compile(rf"({_LOCAL})@([^\s@]+)")
_NAMED = re.compile(r"(?P<name>(?:\"(?:[^\"\\]|\\.)*\"|[^<>\"])*)<(?P<address>[^<>]*)>", re.DOTALL)
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"")
_SEPARATED = re.compile(r"[,;|\n]+")
_SPACED = re.compile(r"[,;|\s]+")
_PROTECTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|<[^<>]*>")


def address(text: str) -> str | None:
    """The address in `a@b.co`, `mailto:a@b.co`, `a@b.co.` or `Ada <a@b.co>`, as it is spelled; None if there is none.

    The domain must be a complete one: `ada@localhost` is not an address. Text with two addresses isn't one either.
    """
    text = _without_name(text.strip())
    if text[:7].lower() == "mailto:":
        text = text[7:].partition("?")[0].strip()
    match = _ADDRESS.fullmatch(text)
    if match is None:
        return None
    try:
        domains.valid_host(match[2])
    except ValueError:
        return None
    return f"{match[1]}@{match[2].rstrip('.')}"


def normalized(text: str) -> str | None:
    """As `address`, in lowercase and with an international domain as punycode."""
    found = address(text)
    if found is None:
        return None
    local, _, host = found.rpartition("@")
    return f"{local.lower()}@{domains.valid_host(host)}"


def split(text: str) -> list[str]:
    """The pieces of text with several addresses, which may have names: `"Doe, Jane" <jane@b.co>; bob@b.co`."""
    if "<" not in text:
        return _SPACED.split(text)
    return list(_named_pieces(text))


def _named_pieces(text: str) -> Iterator[str]:
    """The pieces between separators that are not in quotes or brackets. A piece without @ belongs to the next one."""
    masked = _PROTECTED.sub(lambda match: "x" * len(match[0]), text)
    start, waiting = 0, ""
    for end, following in [*((match.start(), match.end()) for match in _SEPARATED.finditer(masked)), (len(text),) * 2]:
        waiting += text[start:end]
        if "@" in waiting:
            yield waiting
            waiting = ""
        elif waiting.strip():
            waiting += ","
        start = following
    if waiting.strip(" ,"):
        yield waiting.strip(" ,")


def _without_name(text: str) -> str:
    """The address of `Ada <a@b.co>`. If the name holds a separator and an @, the text has two addresses."""
    match = _NAMED.fullmatch(text)
    if match is None:
        return text
    name = _QUOTED.sub("", match["name"])
    return text if "@" in name and _SEPARATED.search(name) else match["address"].strip()
