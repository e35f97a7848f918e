"""The private state directory `var/`, and the keys that are generated once and stored there."""

from __future__ import annotations

import logging
import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = logging.getLogger(__name__)

SECRET_FILE, ENCRYPTION_FILE = "secret_key", "encryption_key"
"""Files in KEYS_DIR. The encryption file has one key per line: the first one encrypts, all of them decrypt."""
_created: list[Path] = []


def load_or_create(path: Path, create: Callable[[], str]) -> str:
    """The content of `path`. Creates a missing file with the result of `create`, readable only by the current user.

    If several processes find it missing, one of them creates it, and all return the same content.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        with _written(path, create()) as complete, suppress(FileExistsError):
            # Unlike a rename, a link never replaces the file of a different process.
            os.link(complete, path)
            _created.append(path)
            _write_directory(path.parent)
    return path.read_text().strip()


def announce_created() -> None:
    """Logs which keys this process created, and that a copy must be kept."""
    for path in _created:
        log.warning("A new key was created: %s. %s", path, COPIES[path.name])
    _created.clear()


COPIES = {
    SECRET_FILE: "It signs sessions. If it is lost, everybody signs in again.",
    ENCRYPTION_FILE: "Keep a copy of it, separate from the database. Without it, stored credentials can't be read.",
}


def replace(path: Path, text: str) -> None:
    """Writes a file atomically, even in case of a power failure. Only the current user can read it."""
    with _written(path, text) as complete:
        put_in_place(complete, path)


@contextmanager
def _written(path: Path, text: str) -> Iterator[Path]:
    """A temporary file next to `path` with this text, flushed to disk. Removed at the end, unless it was renamed."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def put_in_place(written: Path, path: Path) -> None:
    """Renames a file that is already on disk, and flushes its directory to disk."""
    written.replace(path)
    _write_directory(path.parent)


def _write_directory(path: Path) -> None:
    directory = os.open(path, os.O_RDONLY)
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
