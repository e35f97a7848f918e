"""The files that sources may read: one file, or all that match a pattern, and only below SOURCE_FILES_ROOT."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from core.errors import Misconfigured
from core.parameters import Parameter

if TYPE_CHECKING:
    from collections.abc import Iterable

PATH = Parameter(
    "path",
    "File",
    help="Relative to the directory for source files (SOURCE_FILES_ROOT), or an absolute path inside it.",
)
PATHS = Parameter(
    "path",
    "File or pattern",
    help=f"{PATH.help} A pattern such as exports/companies-*.csv reads all matching files as one table.",
)
PATTERN = re.compile(r"[*?\[]")
MAX_FILES = 10_000


def resolve(path: str) -> Path:
    """The real path of a file below SOURCE_FILES_ROOT.

    Raises:
        Misconfigured: it is elsewhere, even if only a link leads there, or there is no such file.
    """
    root = Path(settings.SOURCE_FILES_ROOT).resolve()
    try:
        resolved = (root / path).resolve()
    except (OSError, ValueError, RuntimeError):
        raise _outside(path) from None
    if not resolved.is_relative_to(root):
        raise _outside(path)
    if not _is_file(resolved):
        raise Misconfigured(
            "source_file_missing",
            f"There is no file “{path}” in the directory for source files. "
            "Upload it again, put it there, or correct the path.",
            where="path",
        )
    return resolved


def resolve_all(path: str) -> list[Path]:
    """The file, or the files that match a pattern such as `exports/companies-*.csv`, sorted by name.

    A path that names a file is that file, even if it contains the characters of a pattern.

    Raises:
        Misconfigured: as `resolve`, or the pattern is invalid or matches too many files.
    """
    root = Path(settings.SOURCE_FILES_ROOT).resolve()
    if not PATTERN.search(path) or _is_file(root / path):
        return [resolve(path)]
    pattern = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path(path)
    if pattern.is_absolute() or ".." in pattern.parts:
        raise _outside(path)
    try:
        matches = sorted(file for file in root.glob(str(pattern)) if _is_file(file))
    except ValueError:
        message = f"“{path}” is not a valid pattern. Use ** only on its own between slashes."
        raise Misconfigured("source_file_missing", message, where="path") from None
    if not matches:
        message = (
            f"No file in the directory for source files matches the pattern “{path}”. "
            "Put one there, or correct the pattern."
        )
        raise Misconfigured("source_file_missing", message, where="path")
    if len(matches) > MAX_FILES:
        message = f"The pattern matches {len(matches):,} files. At most {MAX_FILES:,} can be read: narrow the pattern."
        raise Misconfigured("source_too_large", message, where="path")
    return [resolve(str(file)) for file in matches]


def table_name(path: str) -> str:
    """The table's name for a file or a pattern: the file name without its extension and wildcards."""
    stem = Path(path).stem
    return re.sub(r"\[[^]]*\]|[*?]", "", stem).strip("-_. ") or "files" if PATTERN.search(stem) else stem


def stamp(paths: Iterable[Path]) -> str:
    """A digest of the names, inodes, sizes and modification times of files. Missing and empty ones don't count."""
    stats = [(path, path.stat()) for path in paths if path.exists()]
    states = [(str(path), stat.st_ino, stat.st_size, stat.st_mtime_ns) for path, stat in stats if stat.st_size]
    return hashlib.sha256(repr(states).encode()).hexdigest()[:40]


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        # The name is too long for the file system, or the directory can't be searched.
        return False


def _outside(path: str) -> Misconfigured:
    return Misconfigured(
        "source_file_outside",
        f"“{path}” is outside the directory for source files. Enter a path inside it, or change SOURCE_FILES_ROOT.",
        where="path",
    )
