"""PURE. Parses Intercom's error answers: code, message and field, without the values of the request."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

MESSAGE_LENGTH = 300
UNKNOWN_ATTRIBUTE = re.compile(r"Custom attribute '(?P<name>.+)' does not exist")
BAD_PARAMETER = re.compile(r"bad '(?P<name>.+)' parameter")
_NAMES = re.compile(r"'([^']+)'|^(\w+)\b")


@dataclass(frozen=True)
class ErrorAnswer:
    """An answer with an error status. Every part of it may be missing.

    Args:
        call: method and path of the request, e.g. `POST /companies`.
        message: Intercom's own words.
        redacted: `message` without values of the request, for people and logs.
        readable: the body was Intercom's JSON. Gateways answer with HTML or nothing.
        retry_after: seconds to wait, according to the headers.
    """

    call: str
    status: int
    code: str = ""
    message: str = ""
    redacted: str = ""
    field: str = ""
    request_id: str = ""
    readable: bool = True
    retry_after: float | None = None


def parse(
    call: str, status: int, body: Any, *, sent: Any = None, request_id: str = "", retry_after: float | None = None
) -> ErrorAnswer:
    """Parses Intercom's `error.list`. The code and the field come from the first error, the message from all of them.

    Args:
        sent: the content of the request; its values are kept out of `redacted`.
    """
    if not isinstance(body, dict):
        return ErrorAnswer(call, status, request_id=request_id, readable=False, retry_after=retry_after)
    entries = body.get("errors")
    errors = [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []
    first = errors[0] if errors else {}
    message = " ".join(dict.fromkeys(filter(None, (_text(entry.get("message")) for entry in errors))))
    return ErrorAnswer(
        call,
        status,
        code=_text(first.get("code")),
        message=message,
        redacted=without_values(message, sent)[:MESSAGE_LENGTH],
        field=_text(first.get("field")) or field_named_in(message, sent),
        request_id=_text(body.get("request_id")) or request_id,
        retry_after=retry_after,
    )


def field_named_in(message: str, sent: Any = None) -> str:
    """The parameter or attribute that an error message is about; empty if it can't be determined.

    Two of Intercom's messages always contain the name. Others quote it or begin with it ("'size' is not of type
    integer", "email is not a valid email"), so a name there counts only if the request contains it as a key.
    """
    if match := BAD_PARAMETER.search(message) or UNKNOWN_ATTRIBUTE.search(message):
        return match["name"]
    keys = {key for key, _ in _leaves(sent)}
    names = [quoted or first for quoted, first in _NAMES.findall(message)]
    return next((name for name in names if name in keys), "")


def without_values(text: str, sent: Any) -> str:
    """The text without the values of a request, which Intercom sometimes repeats. Keys and short values stay readable.

    Longer values are replaced first, so that "Acme" does not break up "Acme Ltd" and leave "[value] Ltd" behind.
    """
    keys, values = set(), set()
    for key, value in _leaves(sent):
        keys.add(key)
        values.add(str(value))
    for value in sorted(values - keys, key=len, reverse=True):
        if len(value) > 2:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "[value]", text, flags=re.IGNORECASE)
    return text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _leaves(sent: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(sent, dict):
        for name, value in sent.items():
            yield from _leaves(value, str(name))
    elif isinstance(sent, list):
        for value in sent:
            yield from _leaves(value, key)
    elif sent is not None and not isinstance(sent, bool):
        yield key, sent
