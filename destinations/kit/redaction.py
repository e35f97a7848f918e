"""PURE. Keeps the values of a request out of messages, although vendors repeat them."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 3
"""In characters. Masking shorter values would garble every message."""


def leaves(sent: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Every value inside `sent` that is neither null nor a boolean, with the key under which it is sent."""
    if isinstance(sent, dict):
        for name, value in sent.items():
            yield from leaves(value, str(name))
    elif isinstance(sent, list | tuple):
        for value in sent:
            yield from leaves(value, key)
    elif sent is not None and not isinstance(sent, bool):
        yield key, sent


def redacted(text: str, sent: Any, *, mask: str = "[value]", keep_keys: bool = True) -> str:
    """The text without the values of a request, in whichever of the usual encodings it repeats them.

    Longer values come first, so that "Acme" does not break up "Acme Ltd" and leave " Ltd" behind.

    Args:
        sent: the content of the request: its body, its parameters and its credential.
        keep_keys: a value that is also the name of a key stays readable, because the message may be about that key.
    """
    found = list(leaves(sent))
    kept = {key for key, _ in found} if keep_keys else set()
    values = {str(value) for _, value in found} - kept
    forms = {form for value in values if len(value) >= SHORTEST for form in spellings(value)}
    if not forms:
        return text
    longest_first = sorted(forms, key=lambda form: (-len(form), form))
    pattern = "|".join(re.escape(form) for form in longest_first)
    return re.sub(rf"(?<!\w)(?:{pattern})(?!\w)", lambda _: mask, text, flags=re.IGNORECASE)


def spellings(value: str) -> Iterator[str]:
    """The value as it is, and as it looks inside JSON, HTML and a URL."""
    yield value
    yield json.dumps(value, ensure_ascii=False)[1:-1]
    yield json.dumps(value)[1:-1]
    yield html.escape(value)
    encodable = value.encode("utf-8", "replace")
    yield quote(encodable, safe="")
    yield quote_plus(encodable)
