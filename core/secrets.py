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

REDACTED = "[secret]"
_PATTERNS = [
    re.compile(r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=:-]+"),
    re.compile(r"(?i)((?:token|password|secret|authorization)[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&}]+"),
    re.compile(r"(://[^/\s:@]+:)[^@\s/]+(?=@)"),
]


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
    for secret in secrets:
        if isinstance(secret, str) and secret:
            text = text.replace(secret, REDACTED)
    return text


class RedactingFilter(logging.Filter):
    """Keeps credentials out of every log line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = redact(record.getMessage())
        record.args = ()
        return True
