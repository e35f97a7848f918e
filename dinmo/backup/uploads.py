"""Backs up and restores the uploaded files that sources read."""

from __future__ import annotations

import os
import shutil
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

from dinmo.keys import put_in_place
from segments.sources.uploads import FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dinmo.rows.databases import Snapshot

WAITING = ".restored-"
MARKER = ".restore-unfinished"
UNFINISHED = "a restore was interrupted before all uploads were restored"
AGAIN = "Run the same restore again: manage.py restore FILE --replace"
USED = "SELECT DISTINCT uploaded_path FROM segments_source WHERE uploaded_path <> ''"


def used(snapshot: Snapshot) -> Iterator[str]:
    """The names of existing uploads that sources use."""
    for (path,) in snapshot.rows(USED):
        name = PurePosixPath(path).name
        if (folder() / name).is_file():
            yield name


def folder() -> Path:
    """The directory of uploads."""
    return Path(settings.SOURCE_FILES_ROOT) / FOLDER


class Restored:
    """Files stored under temporary names until the rows that need them are committed.

    Meanwhile, a marker file in the same directory makes an interrupted restore detectable.
    """

    def __init__(self) -> None:
        self._names: list[str] = []
        for leftover in folder().glob(f"{WAITING}*"):
            leftover.unlink()

    def add(self, name: str, content: BinaryIO) -> None:
        """Stores a file under a temporary name."""
        name = PurePosixPath(name).name
        folder().mkdir(parents=True, exist_ok=True)
        (folder() / MARKER).touch()
        with (folder() / (WAITING + name)).open("wb") as file:
            shutil.copyfileobj(content, file)
            file.flush()
            os.fsync(file.fileno())
        (folder() / (WAITING + name)).chmod(0o640)
        self._names.append(name)

    def put_in_place(self) -> None:
        """Renames the files to their final names, replacing existing ones."""
        for name in self._names:
            put_in_place(folder() / (WAITING + name), folder() / name)
        (folder() / MARKER).unlink(missing_ok=True)

    def discard(self) -> None:
        """Deletes the temporary files."""
        for name in self._names:
            (folder() / (WAITING + name)).unlink(missing_ok=True)
        (folder() / MARKER).unlink(missing_ok=True)


def is_unfinished() -> bool:
    """Whether a restore was interrupted before all files were restored."""
    return (folder() / MARKER).exists()
