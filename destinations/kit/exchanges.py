"""What may be kept of a request and its response: neither a secret nor more than a few kilobytes."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from core.network.observers import KEPT_BYTES
from core.secrets import hide, redact
from destinations.kit.redaction import spellings

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_BODY = 8_192
"""In bytes, of the request and of the response. The rest is cut off."""
LONGEST_URL = 2_000


class Secrets:
    """Removes the secrets of a connection from what was sent and received, however they are spelled there."""

    def __init__(self, secrets: Iterable[object]) -> None:
        texts = [secret for secret in secrets if isinstance(secret, str)]
        self.spellings = sorted({spelling for text in texts for spelling in spellings(text)})

    def url(self, url: str) -> str:
        """The address, without anything in the query that looks like a credential either."""
        address, mark, query = self._hidden(url).partition("?")
        return f"{address}{mark}{_redacted(query)}"[:LONGEST_URL]

    def body(self, content: bytes) -> str:
        """The first `LONGEST_BODY` bytes as text.

        Args:
            content: at most `KEPT_BYTES`. If it is cut off there, a secret may be cut in two, so the end is dropped.
        """
        text = self._hidden(content.decode("utf-8", "replace").replace("\0", "\ufffd"))
        if len(content) >= KEPT_BYTES:
            text = text[: LONGEST_BODY - KEPT_BYTES]
        return text.encode()[:LONGEST_BODY].decode("utf-8", "ignore")

    def _hidden(self, text: str) -> str:
        # A search for a text takes a fraction of the time of a pattern, and hardly any text contains a secret.
        return hide(text, self.spellings) if any(spelling in text for spelling in self.spellings) else text


@lru_cache(maxsize=256)
def _redacted(query: str) -> str:
    return redact(query)
