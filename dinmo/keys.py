"""The private state directory `var/`, and the keys that are generated once and stored there."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET_FILE, ENCRYPTION_FILE = "secret_key", "encryption_key"
"""Files in VAR_DIR. The encryption file has one key per line: the first one encrypts, all of them decrypt."""


def load_or_create(path: Path, create: Callable[[], str]) -> str:
    """The content of `path`. Creates a missing file with the result of `create`, readable only by the current user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(create())
    return path.read_text().strip()


def replace(path: Path, text: str) -> None:
    """Writes a file atomically, even in case of a power failure. Only the current user can read it."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        put_in_place(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)


def put_in_place(written: Path, path: Path) -> None:
    """Renames a file that is already on disk, and flushes its directory to disk."""
    written.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def private_directory(path: Path) -> Path:
    """Creates a directory, or restricts an existing one, so that only the current user has access.

    Leaves directories unchanged that are world-writable, such as /tmp, or owned by a different user.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _restrict(path, 0o700)
    return path


def private_file(path: Path) -> Path:
    """Creates a file, or restricts an existing one, so that only the current user can read it."""
    path.touch(mode=0o600, exist_ok=True)
    _restrict(path, 0o600)
    return path


def _restrict(path: Path, mode: int) -> None:
    with suppress(OSError):
        status = path.stat()
        if status.st_uid == os.getuid() and not status.st_mode & stat.S_IWOTH and status.st_mode & 0o077:
            path.chmod(mode)
