"""Checks files uploaded in the browser, and stores them in SOURCE_FILES_ROOT/uploads."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils.text import slugify

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from django.core.files.uploadedfile import UploadedFile

FOLDER = "uploads"
LONGEST_NAME = 80


def size_text(size: int) -> str:
    """PURE. A size in bytes as a person would say it, in the decimal units of its setting: 200 MB, 1.5 kB."""
    for unit, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if size >= unit:
            return f"{size / unit:,.1f}".removesuffix(".0") + f" {name}"
    return f"{size} bytes"


def check(file: UploadedFile, endings: Sequence[str]) -> None:
    """Raises Misconfigured if a file is too large or its name has the wrong extension."""
    size, limit = file.size or 0, settings.SOURCE_UPLOAD_MAX_BYTES
    if size > limit:
        message = (
            f"The file is {size_text(size)}; uploads are limited to {size_text(limit)}. "
            "Copy the file to the directory for source files instead, or increase SOURCE_UPLOAD_MAX_BYTES."
        )
        raise Misconfigured("upload_too_large", message, where="upload")
    if PurePath(file.name or "").suffix.lower() not in endings:
        raise Misconfigured("upload_kind", f"The file name must end in {' or '.join(endings)}.", where="upload")


def store(file: UploadedFile, replaced: str) -> str:
    """Stores the file and returns its path, as a value for the parameter `path`.

    Args:
        replaced: the path of the file that the same source uploaded before and still reads, or "". The new one replaces
            it under the same name. The table is named after the file, so models of it keep working.

    Raises:
        Misconfigured: the file can't be written. Nothing is left of it.
    """
    folder = Path(settings.SOURCE_FILES_ROOT) / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(Path(settings.SOURCE_FILES_ROOT).resolve()):
            raise OSError("the uploads directory is outside of SOURCE_FILES_ROOT")
        with _part(file, folder) as part:
            target = folder / PurePath(replaced).name if _is_uploaded(replaced) else _reserve(folder, file.name or "")
            part.replace(target)
    except OSError as error:
        message = (
            "The file could not be saved. "
            "Check that the directory for source files is writable and has enough free space."
        )
        raise Misconfigured("upload_failed", message, where="upload", detail=str(error)) from None
    return f"{FOLDER}/{target.name}"


@contextmanager
def _part(file: UploadedFile, folder: Path) -> Iterator[Path]:
    """The whole file under a temporary name that no file pattern matches; removed at the end unless it was renamed.

    It is renamed only when complete, so a run that is reading the previous file reads that one to its end.
    """
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".part-")
    try:
        with os.fdopen(descriptor, "wb") as part:
            for chunk in file.chunks():
                part.write(chunk)
        os.chmod(name, 0o640)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _is_uploaded(path: str) -> bool:
    parsed = PurePath(path)
    return parsed.parts[:-1] == (FOLDER,) and not parsed.name.startswith(".")


def _reserve(folder: Path, name: str) -> Path:
    """Reserves an unused path for a safe form of the name, by creating an empty file."""
    stem, ending = slugify(PurePath(name).stem)[:LONGEST_NAME] or "file", PurePath(name).suffix.lower()
    for number in range(1, 10_000):
        path = folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise OSError("every candidate name is taken")
