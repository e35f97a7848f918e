"""Protects secrets at rest and in logs: an encrypted model field, and redaction."""

from __future__ import annotations

import json
import logging
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models

from core.errors import Misconfigured
from core.text.characters import one_line

REDACTED = "[secret]"
_WORDS = (
    "token|password|passwd|pwd|passphrase|secret|api[_ -]?key|access[_ -]?key|private[_ -]?key|authorization|cookie"
)
_QUOTED = r"""(?:\\?"(?:\\.|[^"\\\n])*\\?"|'(?:\\.|[^'\\\n])*')"""
_PATTERNS = [
    # A key in PEM format.
    re.compile(r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----).*?(?:(?=-----END)|\Z)", re.DOTALL),
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=:-]+"),
    # A labeled value, in quotes.
    re.compile(rf"(?i)((?:{_WORDS})[\w-]{{0,30}}\\?[\"']?\s{{0,5}}[:=]\s{{0,5}}){_QUOTED}"),
    # The rest of a header that consists of several words.
    re.compile(
        r"(?i)((?<![\w-])(?:set-cookie|cookie|authorization|proxy-authorization)\s{0,5}[:=]\s{0,5})[^\s\[][^\n\r]*"
    ),
    # A labeled value, without quotes.
    re.compile(rf"(?i)((?:{_WORDS})[\w-]{{0,30}}\\?[\"']?\s{{0,5}}[:=]\s{{0,5}})[^\s\"',;&}}\[][^\s\"',;&}}]*"),
    # The password of a URL, which may itself contain @, : or /. A number before a slash is a port.
    re.compile(r"(://[^/\s:@]{0,200}:)(?!\d{1,5}(?:[/?#\s\"']|$))[^\s\"'<>]{0,1000}(?=@)"),
]
SHORTEST_ANYWHERE, SHORTEST_WORD = 6, 3
"""In characters. Secrets that are shorter than the first are hidden only as a word of their own, and those that are
shorter than the second not at all, because they are part of any message."""


@lru_cache(maxsize=4)
def _cipher(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(key) for key in keys])


def cipher() -> MultiFernet:
    """The cipher for ENCRYPTION_KEYS. The first key encrypts and every key decrypts, so that keys can be rotated."""
    return _cipher(tuple(settings.ENCRYPTION_KEYS))


if TYPE_CHECKING:
    # Callers work with a JSON value; the database column contains text.
    from collections.abc import Iterable

    _TextField = models.JSONField[Any, Any]
else:
    _TextField = models.TextField


class EncryptedJSONField(_TextField):
    """A JSON value that is encrypted in the database and decrypted when read. It can't be searched."""

    description = "An encrypted JSON value"

    def get_prep_value(self, value: Any) -> str:
        return cipher().encrypt(json.dumps(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Any:
        if not value:
            return {}
        try:
            return json.loads(cipher().decrypt(value.encode()))
        except InvalidToken:
            raise Misconfigured(
                "encryption_key_lost",
                "A stored secret can't be decrypted with the current ENCRYPTION_KEYS. "
                "Restore the key that encrypted it, or enter the secret again.",
            ) from None

    def to_python(self, value: Any) -> Any:
        return value

    def value_to_string(self, obj: models.Model) -> str:
        return REDACTED


def redact(text: str) -> str:
    """The text, with everything that looks like a credential redacted."""
    for pattern in _PATTERNS:
        text = pattern.sub(rf"\1{REDACTED}", text)
    return text


def hide(text: str, secrets: Iterable[object]) -> str:
    """The text, with these secrets redacted in case the other side repeated one."""
    texts = {secret for secret in secrets if isinstance(secret, str) and len(secret) >= SHORTEST_WORD}
    if not texts:
        return text
    longest_first = sorted(texts, key=lambda secret: (-len(secret), secret))
    return re.sub("|".join(_secret_pattern(secret) for secret in longest_first), REDACTED, text)


def _secret_pattern(secret: str) -> str:
    pattern = re.escape(secret)
    return pattern if len(secret) >= SHORTEST_ANYWHERE else rf"(?<!\w){pattern}(?!\w)"


class LogFormatter(logging.Formatter):
    """Keeps credentials out of the log, also out of tracebacks, and lets no text look like a line of its own."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        record.asctime = self.formatTime(record, self.datefmt)
        details = [self.formatException(record.exc_info)] if record.exc_info else []
        details += [self.formatStack(record.stack_info)] if record.stack_info else []
        indented = [f"    {one_line(line)}" for line in redact("\n".join(details)).splitlines()]
        return "\n".join([one_line(redact(self.formatMessage(record))), *indented])
