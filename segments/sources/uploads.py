"""Files that a person gives in the browser, kept below SOURCE_FILES_ROOT/uploads."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.text import slugify

from core.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.core.files.uploadedfile import UploadedFile

FOLDER = "uploads"
LONGEST_NAME = 80


def check(file: UploadedFile, endings: Sequence[str]) -> None:
    """Raises Misconfigured where a file is too large, empty, or by its ending not of the right kind."""
    size, most = file.size or 0, settings.SOURCE_UPLOAD_MAX_BYTES
    if size > most:
        message = f"The file has {filesizeformat(size)}. {filesizeformat(most)} are the most that can be uploaded; put a larger one into the "
        raise Misconfigured(
            "upload_too_large",
            message + "directory for source files, or raise SOURCE_UPLOAD_MAX_BYTES.",
            where="upload",
        )
    if PurePath(file.name or "").suffix.lower() not in endings:
        raise Misconfigured("upload_kind", f"The name of the file must end in {' or '.join(endings)}.", where="upload")


def store(file: UploadedFile, present: str) -> str:
    """Keeps the file, in the place of the source's `present` one where that was uploaded, too: its table keeps its name.

    Returns:
        Its path as the parameter `path` takes it.

    Raises:
        Misconfigured: it can't be written there.
    """
    folder = Path(settings.SOURCE_FILES_ROOT) / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not folder.resolve().is_relative_to(Path(settings.SOURCE_FILES_ROOT).resolve()):
            raise OSError("uploads leads outside")
        written = _written(file, folder)
        target = folder / PurePath(present).name if _is_uploaded(present) else _free(folder, file.name or "")
        written.replace(target)
    except OSError as error:
        message = (
            "The file can't be kept in the directory for source files. Check that it may be written, and has room."
        )
        raise Misconfigured("upload_failed", message, where="upload", detail=str(error)) from None
    return f"{FOLDER}/{target.name}"


def _written(file: UploadedFile, folder: Path) -> Path:
    """The whole file under a name that no pattern finds: who reads the former one meanwhile reads it to its end."""
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".part-", delete=False) as part:
        for chunk in file.chunks():
            part.write(chunk)
    os.chmod(part.name, 0o640)
    return Path(part.name)


def _is_uploaded(path: str) -> bool:
    place = PurePath(path)
    return place.parts[:-1] == (FOLDER,) and not place.name.startswith(".")


def _free(folder: Path, name: str) -> Path:
    """A path of that name, made safe, which is taken from now on."""
    stem, ending = slugify(PurePath(name).stem)[:LONGEST_NAME] or "file", PurePath(name).suffix.lower()
    for number in range(1, 10_000):
        path = folder / (f"{stem}{ending}" if number == 1 else f"{stem}-{number}{ending}")
        try:
            path.touch(exist_ok=False)
        except FileExistsError:
            continue
        return path
    raise OSError("no free name")
