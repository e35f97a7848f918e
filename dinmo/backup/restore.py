"""Restores a backup in one transaction: completely, or not at all."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, cast

from django.apps import apps
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django_celery_beat.models import PeriodicTasks

from activations.models import Run
from core.errors import Misconfigured
from core.failpoints import reach
from core.secrets import redact
from dinmo.backup import archive, installation_keys, schema
from dinmo.backup.encryption import Decrypted, damaged
from dinmo.backup.resend import Newer
from dinmo.backup.uploads import Restored
from dinmo.rows import databases

if TYPE_CHECKING:
    from dinmo.backup.archive import Contents
    from dinmo.rows.columns import Table

log = logging.getLogger(__name__)

OWNED = ("auth_user", "segments_source", "destinations_connection", "activations_activation")
"""An installation counts as empty if these tables have no rows."""


@dataclass(frozen=True)
class Done:
    """The result of a restore. `forgotten` records were sent after the backup was created, and will be sent again."""

    rows: int
    uploads: int
    forgotten: int


def inspect(file: BinaryIO, passphrase: str) -> Contents:
    """Reads the whole backup without changing anything.

    Raises:
        Misconfigured: it is damaged, has a different passphrase, or is newer than this version.
    """
    file.seek(0)
    found = archive.contents(cast("BinaryIO", Decrypted(file, passphrase)))
    if schema.known(found.manifest.migrations) != found.manifest.migrations:
        message = "The backup was created by a newer version. Install that version first. Nothing was changed."
        raise Misconfigured("backup_newer", message)
    return found


def is_empty() -> bool:
    """Whether the database contains nothing that a restore would replace."""
    with connection.cursor() as cursor:
        for table in schema.existing().intersection(OWNED):
            if cursor.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():  # noqa: S608
                return False
    return True


def restore(file: BinaryIO, passphrase: str, contents: Contents) -> Done:
    """Replaces all data with the backup, and migrates it to this version.

    Args:
        contents: the result of `inspect` for the same file.

    Raises:
        Misconfigured: keys are missing, or the database rejected the rows. Nothing was changed.
    """
    installation_keys.check(contents.keys)
    installation_keys.adopt(contents.keys)
    files = Restored()
    try:
        with schema.without_checks(), transaction.atomic(durable=True):
            newer = Newer(contents.manifest.created_at)
            schema.make_empty(contents.manifest.migrations)
            file.seek(0)
            rows = _load(cast("BinaryIO", Decrypted(file, passphrase)), contents, files)
            _complete()
            forgotten = newer.forget()
            reach("restore-before-commit")
    except BaseException:
        files.discard()
        raise
    reach("restore-after-commit")
    files.put_in_place()
    return Done(rows, contents.uploads, forgotten)


def _load(file: BinaryIO, contents: Contents, files: Restored) -> int:
    tables = {table.name: table for table in schema.backed_up(contents.manifest.migrations)}
    rows = 0
    for name, content in archive.members(file):
        kind, _, rest = name.partition("/")
        if kind == archive.TABLES:
            rows += _load_batch(tables[rest.partition("/")[0]], content)
            reach("restore-rows")
        elif kind == archive.UPLOADS:
            files.add(rest, content)
    if rows != sum(contents.rows.values()):
        raise damaged()
    return rows


def _load_batch(table: Table, content: BinaryIO) -> int:
    batch = archive.batch(content)
    try:
        databases.current().load(table, batch)
    except DatabaseError as error:
        message = (
            f"The database rejected rows of the table {table.name} from the backup. Nothing was changed. "
            "Report this as a bug, with the version of your database."
        )
        log.warning("%s: %s", table.name, redact(str(error).partition("\n")[0]))
        raise Misconfigured("backup_rows_refused", message) from None
    return int(batch.num_rows)


def _complete() -> None:
    """Checks references, migrates to this version, and releases live runs for the sweep to resume."""
    connection.check_constraints()
    call_command("migrate", verbosity=0, interactive=False)
    schema.reset_sequences(apps.get_models(include_auto_created=True))
    Run.with_previews.exclude(owner="").update(owner="", lease_until=None)
    PeriodicTasks.update_changed()
