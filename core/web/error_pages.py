"""The addresses of what the documentation says about an error code."""

from __future__ import annotations

import re
from functools import cache

from django.conf import settings
from django.urls import reverse

FILE = "docs/errors.md"
OTHER = "vendor_code"
"""The entry of codes that a vendor made up."""
FAMILIES = {"no_": "no_type", "http_": "http_status", "invalid_filter": "invalid_filter"}
"""The entries of codes that begin alike."""


@cache
def entries() -> frozenset[str]:
    """The codes that have an entry of their own."""
    text = (settings.BASE_DIR / FILE).read_text(encoding="utf-8")
    return frozenset(re.findall(r"^### `(\w+)`$", text, re.MULTILINE))


def entry(code: str) -> str:
    """The entry that is about a code, also about one of a family or of a vendor."""
    if code in entries():
        return code
    return next((name for beginning, name in FAMILIES.items() if code.startswith(beginning)), OTHER)


def help_path(code: str) -> str:
    """Where the documentation explains an error code: a path. "" if there is no code."""
    return f"{reverse('docs', args=['errors'])}#{entry(code)}" if code else ""


def help_url(code: str) -> str:
    """As `help_path`, with the public address of this installation."""
    return f"{settings.PUBLIC_URL}{help_path(code)}" if code else ""
