"""PURE. Text that has to stay on one line: names, subjects of emails, and lines of the log."""

from __future__ import annotations

import re

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line and paragraph separators, characters that reverse the direction of the text around them,
and halves of surrogate pairs."""


def is_one_line(text: str) -> bool:
    """Whether the text is displayed as it is stored, on one line."""
    return _CONTROL.search(text) is None


def one_line(text: str) -> str:
    """The text on one line, with control characters escaped as in Python, such as `\\n`."""
    return _CONTROL.sub(lambda match: match[0].encode("unicode_escape", "surrogatepass").decode(), text)
