"""Creates a backup from a consistent snapshot of the database, while runs can be in progress."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from django.db import connection

from dinmo.backup import installation_keys, schema, uploads
from dinmo.backup.archive import Manifest, Writer
from dinmo.backup.encryption import Encrypted
from dinmo.keys import put_in_place
from dinmo.rows import databases

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

APPLIED = "SELECT app, name FROM django_migrations"


def create(path: Path, passphrase: str, now: datetime) -> Writer:
    """Writes a backup to a file that only the current user can read. Replaces an existing file once complete.

    Returns:
        the writer, which holds the number of rows per table and of uploads.

    Raises:
        OSError: the file can't be written. No partial file is left behind.
    """
    with _replacing(path) as file:
        encrypted = Encrypted(file, passphrase)
        writer = Writer(cast("BinaryIO", encrypted))
        _write(writer, now)
        writer.finish()
        encrypted.finish()
    return writer


def _write(writer: Writer, now: datetime) -> None:
    with databases.current().snapshot() as snapshot:
        migrations = schema.known(frozenset((app, name) for app, name in snapshot.rows(APPLIED)))
        writer.begin(Manifest(now, connection.vendor, migrations), installation_keys.current())
        for table in schema.backed_up(migrations):
            for batch in snapshot.batches(table):
                writer.batch(table.name, batch)
        for name in uploads.used(snapshot):
            with (uploads.folder() / name).open("rb") as file:
                writer.upload(name, file, os.fstat(file.fileno()).st_size)


@contextmanager
def _replacing(path: Path) -> Iterator[BinaryIO]:
    """Opens a temporary file next to `path`, which replaces it once it is complete and on disk."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put_in_place(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
