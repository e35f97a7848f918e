"""The conditions under which web, worker and beat start in production: real keys, no debugging, named hosts."""

from __future__ import annotations

import base64
import binascii
import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connections

from core.errors import Misconfigured
from core.network import policy
from dinmo.environment import refuse_start
from dinmo.security import stored_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

SHORTEST_KEY, FEWEST_CHARACTERS = 32, 8
"""In characters, and in different characters or bytes, of a key that was generated."""
EXAMPLES = ("django-insecure", "change", "secret", "example")
ROWS_READ = 200
"""How many stored secrets of each kind are decrypted."""
GENERATE = "Generate one with: openssl rand -hex 32"
GENERATE_FERNET = "Generate one with: openssl rand -base64 32 | tr '+/' '-_'"


def refuse_unsafe_start(**_signal: Any) -> None:
    """Ends the process with one sentence for each reason, if it must not run as it is configured."""
    if reasons := list(unsafe()):
        refuse_start(reasons)


def unsafe() -> Iterator[tuple[str, str]]:
    """Why this installation must not run, each with its code. All but the first apply only in production."""
    yield from _unreadable_policy()
    if settings.PRODUCTION:
        yield from _unsafe_web(settings.DEBUG, settings.ALLOWED_HOSTS)
        yield from _unsafe_secret_key(settings.SECRET_KEY)
        broken = list(_unsafe_encryption_keys(settings.ENCRYPTION_KEYS))
        yield from broken
        yield from _keys_of_one_machine(os.environ, connections["default"].vendor)
        if not broken:
            yield from _unreadable_secrets()


def _unreadable_policy() -> Iterator[tuple[str, str]]:
    try:
        policy.current()
    except Misconfigured as problem:
        yield "P007", problem.message


def _unsafe_web(debug: bool, allowed_hosts: Sequence[str]) -> Iterator[tuple[str, str]]:
    if debug:
        yield "P001", "DEBUG is on, which shows settings and data on error pages. Remove DEBUG from the environment."
    if "*" in allowed_hosts:
        yield "P002", "ALLOWED_HOSTS accepts every host. Set it to the host names of this installation."


def _unsafe_secret_key(key: str) -> Iterator[tuple[str, str]]:
    is_example = any(word in key.lower() for word in EXAMPLES)
    if len(key) < SHORTEST_KEY or len(set(key)) < FEWEST_CHARACTERS or is_example:
        yield "P003", f"SECRET_KEY is short, or an example, so that sessions can be forged. {GENERATE}"


def _unsafe_encryption_keys(keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    for position, key in enumerate(keys, 1):
        try:
            raw = base64.urlsafe_b64decode(key)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != SHORTEST_KEY or len(set(raw)) < FEWEST_CHARACTERS:
            sentence = f"Key {position} in ENCRYPTION_KEYS is not a Fernet key, or an example. {GENERATE_FERNET}"
            yield "P004", sentence


def _keys_of_one_machine(environment: Mapping[str, str], vendor: str) -> Iterator[tuple[str, str]]:
    """A key that was generated in VAR_DIR is one of this machine alone. With a database server, there may be others."""
    if vendor == "sqlite" or environment.get("KEYS_DIR"):
        return
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        if not environment.get(name):
            file = settings.KEYS_DIR / name.lower().removesuffix("s")
            yield (
                "P005",
                f"{name} is missing. Set it in the environment of every process, to the content of {file}, or set "
                "KEYS_DIR to a directory that all of them share.",
            )


def _unreadable_secrets() -> Iterator[tuple[str, str]]:
    try:
        unreadable = [label for label, problem in stored_secrets.rows(ROWS_READ) if problem]
    except DatabaseError:
        return  # No database, or one without tables yet. Everything else reports that.
    if unreadable:
        yield (
            "P006",
            f"ENCRYPTION_KEYS does not decrypt the stored secrets of {', '.join(unreadable[:5])}. Restore the key that "
            "encrypted them. If it is lost, start with PRODUCTION=false and enter the secrets again.",
        )
