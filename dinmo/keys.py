"""The state directory `var/`, which only this user can read, and the keys that are created once and stored there."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


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
