"""Which files sources may read: those below SOURCE_FILES_ROOT, and no others; one, or all of a pattern."""

from __future__ import annotations

import re
from pathlib import Path

from django.conf import settings

from core.errors import Misconfigured
from core.parameters import Parameter

PATH = Parameter(
    "path", "File", help="Relative to the directory for source files (SOURCE_FILES_ROOT), or absolute inside it."
)
PATHS = Parameter(
    "path",
    "File or pattern",
    help=f"{PATH.help} A pattern such as exports/companies-*.csv reads many files as one table.",
)
PATTERN = re.compile(r"[*?\[]")
MOST_FILES = 10_000


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


def several(path: str) -> list[Path]:
    """The file, or those that a pattern such as `exports/companies-*.csv` finds, by name.

    Raises:
        Misconfigured: as `inside`; or too many.
    """
    if not PATTERN.search(path):
        return [inside(path)]
    root = Path(settings.SOURCE_FILES_ROOT).resolve()
    pattern = Path(path).relative_to(root) if Path(path).is_relative_to(root) else Path(path)
    if pattern.is_absolute() or ".." in pattern.parts:
        raise _outside(path)
    try:
        found = sorted(file for file in root.glob(str(pattern)) if _is_file(file))
    except ValueError:
        raise Misconfigured(
            "source_file_missing", f"{path!r} is no pattern. Write ** between slashes alone.", where="path"
        ) from None
    if not found:
        message = f"No file in the directory for source files meets the pattern {path!r}. Put one there, or correct the pattern."
        raise Misconfigured("source_file_missing", message, where="path")
    if len(found) > MOST_FILES:
        raise Misconfigured(
            "source_too_large", f"The pattern finds {len(found):,} files. {MOST_FILES:,} are the most.", where="path"
        )
    return [inside(str(file)) for file in found]


def table_name(path: str) -> str:
    """What the rows of a file, or of those of a pattern, are called: the name without its ending and without wildcards."""
    stem = Path(path).stem
    return re.sub(r"\[[^]]*\]|[*?]", "", stem).strip("-_. ") or "files" if PATTERN.search(stem) else stem


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
