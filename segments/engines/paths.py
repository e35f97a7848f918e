"""Which files sources may read: those below SOURCE_FILES_ROOT, and no others."""

from __future__ import annotations

from pathlib import Path

from django.conf import settings

from core.errors import Misconfigured
from core.parameters import Parameter

PATH = Parameter("path", "File", help="Relative to the directory for source files (SOURCE_FILES_ROOT), or absolute inside it.")


def inside(path: str) -> Path:
    """The real path of a file below SOURCE_FILES_ROOT.

    Raises:
        Misconfigured: it is elsewhere, also by way of a link, or there is no such file.
    """
    root = Path(settings.SOURCE_FILES_ROOT).resolve()
    try:
        found = (root / path).resolve()
    except (OSError, ValueError, RuntimeError):
        raise _outside(path) from None
    if not found.is_relative_to(root):
        raise _outside(path)
    if not _is_file(found):
        raise Misconfigured(
            "source_file_missing",
            f"There is no file {path!r} in the directory for source files. Put it there, or correct the path.",
            where="path",
        )
    return found


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # A name that is too long for the file system, or a directory that may not be looked into.
        return False


def _outside(path: str) -> Misconfigured:
    return Misconfigured(
        "source_file_outside",
        f"{path!r} is outside the directory for source files. Give a path inside it, or change SOURCE_FILES_ROOT.",
        where="path",
    )
