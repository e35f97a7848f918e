"""The keys of this installation, and importing those of a backup."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from django.conf import settings

from core.errors import Misconfigured
from dinmo.backup.archive import Keys
from dinmo.keys import ENCRYPTION_FILE, SECRET_FILE, replace

if TYPE_CHECKING:
    from pathlib import Path


def current() -> Keys:
    """The keys that this process uses."""
    return Keys(tuple(settings.ENCRYPTION_KEYS), settings.SECRET_KEY)


def check(keys: Keys) -> None:
    """Raises Misconfigured if ENCRYPTION_KEYS is set in the environment and lacks a key of the backup."""
    if _in_environment("ENCRYPTION_KEYS") and not set(keys.encryption) <= set(settings.ENCRYPTION_KEYS):
        message = (
            "The secrets in the backup are encrypted with a key that ENCRYPTION_KEYS does not contain. Write the keys "
            "of the backup to a file with `manage.py restore FILE --keys-to KEYS`, add them to ENCRYPTION_KEYS, and "
            "run the restore again. Nothing was changed."
        )
        raise Misconfigured("backup_keys_missing", message)


def adopt(keys: Keys) -> None:
    """Writes the keys of a backup to the files in KEYS_DIR, unless the environment sets them.

    The file keeps its existing keys, because stored secrets need them until the rows are replaced.
    """
    if not _in_environment("ENCRYPTION_KEYS"):
        both = dict.fromkeys([*keys.encryption, *settings.ENCRYPTION_KEYS])
        replace(settings.KEYS_DIR / ENCRYPTION_FILE, "\n".join(both) + "\n")
    if not _in_environment("SECRET_KEY"):
        replace(settings.KEYS_DIR / SECRET_FILE, keys.secret + "\n")


def write(keys: Keys, path: Path) -> None:
    """Writes the keys to a file as environment variables, readable only by the current user."""
    replace(path, f"SECRET_KEY={keys.secret}\nENCRYPTION_KEYS={','.join(keys.encryption)}\n")


def _in_environment(name: str) -> bool:
    return bool(os.environ.get(name))
