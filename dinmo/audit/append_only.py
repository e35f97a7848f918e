"""Database triggers that prevent changing or deleting audit log entries.

They protect against mistakes and against the application itself, but not against a database administrator.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.db import transaction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "audit_auditentry"
_REFUSED = "The audit log cannot be changed."
_OLD = "OLD.at < (SELECT max(deletable_before) FROM audit_auditdoor)"
_SQLITE = {
    "auditentry_update": "BEFORE UPDATE ON audit_auditentry",
    "auditentry_delete": f"BEFORE DELETE ON audit_auditentry WHEN NOT coalesce({_OLD}, 0)",
    # INSERT OR REPLACE deletes a conflicting row without firing the trigger above.
    "auditentry_replace": "BEFORE INSERT ON audit_auditentry "
    "WHEN EXISTS (SELECT 1 FROM audit_auditentry WHERE id = NEW.id)",
}
_FUNCTION = f"""
CREATE OR REPLACE FUNCTION audit_auditentry_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        IF {_OLD} THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '{_REFUSED}' USING ERRCODE = 'integrity_constraint_violation';
END $$
"""
_POSTGRESQL = {
    "auditentry_rows": "BEFORE UPDATE OR DELETE ON audit_auditentry FOR EACH ROW",
    "auditentry_truncate": "BEFORE TRUNCATE ON audit_auditentry FOR EACH STATEMENT",
}


def protect(connection: BaseDatabaseWrapper) -> None:
    """Creates the triggers. A migration that rebuilds the table must call this again."""
    unprotect(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_FUNCTION)
            for name, when in _POSTGRESQL.items():
                cursor.execute(f"CREATE TRIGGER {name} {when} EXECUTE FUNCTION audit_auditentry_refuse()")
        else:
            for name, when in _SQLITE.items():
                cursor.execute(f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, '{_REFUSED}'); END")


@contextmanager
def suspended(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """A transaction without the triggers, for restoring a backup. Does nothing if the table doesn't exist."""
    if TABLE not in connection.introspection.table_names():
        yield
        return
    with transaction.atomic(using=connection.alias):
        unprotect(connection)
        yield
        protect(connection)


def unprotect(connection: BaseDatabaseWrapper) -> None:
    """Drops the triggers, for a migration that rebuilds the table and for tests that empty all tables."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            for name in _POSTGRESQL:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON audit_auditentry")
        else:
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
