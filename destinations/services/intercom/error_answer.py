"""PURE. Parses Intercom's error answers: code, message and field, without the values of the request."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from destinations.kit.answer import Failure
from destinations.kit.redaction import leaves

if TYPE_CHECKING:
    from destinations.kit.answer import Answer

UNKNOWN_ATTRIBUTE = r"Custom attribute '(?P<name>.+)' does not exist"
BAD_PARAMETER = r"bad '(?P<name>.+)' parameter"
_NAMES = re.compile(r"'([^']+)'|^(\w+)\b")


def parse(answer: Answer) -> Failure:
    """Intercom's `error.list`. The code and the field come from the first error, the message from all of them."""
    if not isinstance(answer.body, dict):
        return Failure(answer, readable=False)
    errors = answer.entries("errors") or []
    first = errors[0] if errors else {}
    message = " ".join(dict.fromkeys(filter(None, (_text(entry.get("message")) for entry in errors))))
    return Failure(
        replace(answer, request_id=answer.text("request_id") or answer.request_id),
        code=_text(first.get("code")),
        message=message,
        field=_text(first.get("field")) or field_named_in(message, answer.sent),
        noun="contact" if "/contacts" in answer.call else "company",
    )


def field_named_in(message: str, sent: Any = None) -> str:
    """The parameter or attribute that an error message is about; empty if it can't be determined.

    Two of Intercom's messages always contain the name. Others quote it or begin with it ("'size' is not of type
    integer", "email is not a valid email"), so a name there counts only if the request contains it as a key.
    """
    if match := re.search(BAD_PARAMETER, message) or re.search(UNKNOWN_ATTRIBUTE, message):
        return match["name"]
    keys = {key for key, _ in leaves(sent)}
    names = [quoted or first for quoted, first in _NAMES.findall(message)]
    return next((name for name in names if name in keys), "")


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
