"""Makes a backup: one moment of the database, while runs may be going on."""

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
    """Writes a backup to a file that only this user can read. An existing one is replaced once the new one is complete.

    Returns:
        the writer, which has counted the rows of each table and the uploads.

    Raises:
        OSError: the file can't be written. Nothing is left of it.
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
    """A new file next to `path`, which takes its place at the end, once it is on disk."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        put_in_place(Path(name), path)
    finally:
        Path(name).unlink(missing_ok=True)
