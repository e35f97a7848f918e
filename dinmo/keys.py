"""The state directory `var/`, which only this user can read, and the keys that are created once and stored there."""

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
"""In VAR_DIR. The second one has a key in each line: the first one encrypts, all of them decrypt."""


def load_or_create(path: Path, create: Callable[[], str]) -> str:
    """The content of `path`. A missing file is created with the result of `create`, readable only by this user."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        file.write(create())
    return path.read_text().strip()


def replace(path: Path, text: str) -> None:
    """Writes a file that only this user can read. It is either as it was or complete, even after a power failure."""
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
    """Renames a file that is on disk, and makes sure that the new name is on disk too."""
    written.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def private_directory(path: Path) -> Path:
    """Creates a directory that only this user can enter, or takes the access of others to an existing one away.

    A directory that everybody may write to, such as /tmp, or that belongs to a different user stays as it is.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    _restrict(path, 0o700)
    return path


def private_file(path: Path) -> Path:
    """Creates a file that only this user can read, or takes the access of others to an existing one away."""
    path.touch(mode=0o600, exist_ok=True)
    _restrict(path, 0o600)
    return path


def _restrict(path: Path, mode: int) -> None:
    with suppress(OSError):
        status = path.stat()
        if status.st_uid == os.getuid() and not status.st_mode & stat.S_IWOTH and status.st_mode & 0o077:
            path.chmod(mode)
