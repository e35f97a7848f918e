"""PURE. Checks a credential before it is sent in a header."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Mapping


def is_sendable(token: str) -> bool:
    """Whether the token can be a header: visible ASCII characters without spaces."""
    return bool(token) and token.isascii() and token.isprintable() and " " not in token


def token_from(settings: Mapping[str, Any], vendor: str, name: str = "token") -> str:
    """The token of a connection, without the whitespace around it.

    Raises:
        Misconfigured: it is missing, or contains characters that no token has.
    """
    token = str(settings.get(name) or "").strip()
    if not token:
        raise Misconfigured(
            "token_missing", f"The connection has no access token. Enter the one from {vendor}.", where=name
        )
    if not is_sendable(token):
        raise Misconfigured(
            "token_malformed",
            f"This is not a valid {vendor} access token. Copy it again from {vendor}, without spaces.",
            where=name,
        )
    return token
