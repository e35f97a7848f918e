"""Checks the lines of a JSON Lines file one by one, and writes the good ones to a copy in UTF-8."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from segments.contract import UnreadableLine
from segments.engines.duckdb.lines import BLOCK_BYTES, lines, not_in_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHECK_EVERY = 5_000
_HIGH, _LOW = r"\\u[dD][89abAB][0-9a-fA-F]{2}", r"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_ESCAPES = re.compile(rf"\\\\|({_HIGH}{_LOW})|({_HIGH}|{_LOW})")
"""Escaped backslashes, pairs of surrogates, and lone surrogates."""
_HALVES = (b"\\ud", b"\\uD")
OVERLAP = 11


def has_lone_surrogates(path: Path) -> bool:
    """Whether an UTF-8 file escapes half of a character, which no JSON parser accepts and many programs write.

    Raises:
        OSError
    """
    rest = b""
    with path.open("rb") as file:
        for block in iter(lambda: file.read(BLOCK_BYTES), b""):
            text = rest + block
            # Most files have no escapes at all, so one search is enough.
            if b"\\u" in text and any(half in text for half in _HALVES) and _is_lone(text):
                return True
            rest = text[-OVERLAP:]
    return False


def bad_lines(
    path: Path, *, encoding: str, chosen: str, check: Callable[[], None], copy: Path | None = None
) -> Iterator[UnreadableLine]:
    """Reads a file once and returns its bad lines, one by one.

    Args:
        encoding: in which the file is read. `chosen` is the one that the user chose, or "".
        check: called regularly. If it raises, the reading ends.
        copy: where the good lines are written to, with a replacement character for each lone surrogate.

    Raises:
        OSError
    """
    with copy.open("wb") if copy else nullcontext() as target:
        for line in lines(path, encoding):
            if line.number % CHECK_EVERY == 0:
                check()
            text = _ESCAPES.sub(_repaired, line.text) if "\\u" in line.text else line.text
            problem = _problem(text) if line.readable else not_in_encoding(encoding, chosen)
            if problem:
                yield UnreadableLine(path.name, line.number, problem)
            elif target:
                target.write(text.rstrip("\r\n").encode() + b"\n")


def _is_lone(block: bytes) -> bool:
    # A pair that is cut off at the end is complete with the next block.
    return any(found[2] and found.end() < len(block) - 1 for found in _ESCAPES.finditer(block.decode("latin-1")))


def _repaired(found: re.Match[str]) -> str:
    return "\\ufffd" if found[2] else found[0]


def _problem(text: str) -> str:
    """What is wrong with a line, as the end of a sentence; "" if nothing is."""
    if not text.strip():
        return ""
    try:
        # Objects become tuples of pairs, which keeps repeated keys, and is much faster than a function of ours.
        value = json.loads(text, object_pairs_hook=tuple)
    except RecursionError:
        return "is nested too deeply"
    except ValueError as error:
        place = f" (at character {error.pos + 1})" if isinstance(error, json.JSONDecodeError) else ""
        return f"is not JSON{place}. Each line must be one object in braces"
    if not isinstance(value, tuple):
        return "is not an object. Each line must be one object in braces"
    return "" if len({name.lower() for name, _ in value}) == len(value) else _repeated(value)


def _repeated(pairs: tuple[tuple[str, Any], ...]) -> str:
    """Which key an object has twice, or in two spellings."""
    names: dict[str, str] = {}
    for name, _ in pairs:
        former = names.get(name.lower())
        if former == name:
            return f"has the key “{name}” twice. Remove one of them"
        if former is not None:
            return f"has the keys “{former}” and “{name}”, which differ only in case. Rename one of them"
        names[name.lower()] = name
    return ""
