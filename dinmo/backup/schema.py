"""The schema at a given state of migrations: its tables, and how to create an empty database in that state."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from django.core.management.color import no_style
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from core.errors import Misconfigured
from dinmo.audit import append_only
from dinmo.reporting import installed
from dinmo.rows.columns import Column, Table, kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from django.db.models import Model

Migrations = frozenset[tuple[str, str]]
"""Applied migrations, each as its app and name."""

LEFT_OUT = {"django_session", "usersessions_usersession", "axes_accessattempt", "axes_accessattemptexpiration"}
"""Tables that are not backed up. After a restore, all users sign in again, and no one is locked out."""


def applied() -> Migrations:
    """The migrations applied to the database."""
    return frozenset(MigrationRecorder(connection).applied_migrations())


def known(migrations: Migrations) -> Migrations:
    """The subset of migrations that exist in this version."""
    return frozenset(migrations & MigrationLoader(None).disk_migrations.keys())


def tables(migrations: Migrations) -> list[Table]:
    """All tables, with the columns that they have after the migrations."""
    return [_table(model) for model in _models(migrations)]


def backed_up(migrations: Migrations) -> list[Table]:
    """The tables whose rows belong in a backup."""
    return [table for table in tables(migrations) if table.name not in LEFT_OUT]


def existing() -> set[str]:
    """The names of all tables in the database."""
    return set(connection.introspection.table_names())


def make_empty(migrations: Migrations) -> None:
    """Deletes all rows, and brings the schema to the state of the migrations. Call only inside `without_checks`."""
    present = applied()
    if known(present) != present:
        message = "The database was used by a newer version. Install that version, or use an empty database."
        raise Misconfigured("database_newer", message)
    if present != migrations:
        installed.drop()
        _drop([table.name for table in tables(present)] + [MigrationRecorder.Migration._meta.db_table])
        MigrationExecutor(connection).migrate(_last(migrations))
    # Required after migrations as well, because some of them add rows.
    with append_only.suspended(connection):
        _delete_rows([table.name for table in tables(migrations)])
    # Some migrations make PostgreSQL check references immediately for the rest of the transaction. This defers the
    # checks again.
    connection.check_constraints()


@contextmanager
def without_checks() -> Iterator[None]:
    """Lets SQLite load rows before the rows they refer to. PostgreSQL checks references when the transaction ends."""
    switched = connection.disable_constraint_checking()
    try:
        yield
    finally:
        if switched:
            connection.enable_constraint_checking()


def reset_sequences(models: Iterable[type[Model]]) -> None:
    """Sets the ID sequence of each table to continue after its last row."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), list(models)):
            cursor.execute(statement)


def _delete_rows(names: Sequence[str]) -> None:
    quoted = [connection.ops.quote_name(name) for name in names]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"TRUNCATE {', '.join(quoted)}")
            return
        for name in quoted:
            cursor.execute(f"DELETE FROM {name}")  # noqa: S608


def _drop(names: Sequence[str]) -> None:
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        for name in names:
            cursor.execute(f"DROP TABLE IF EXISTS {connection.ops.quote_name(name)}{cascade}")


def _last(migrations: Migrations) -> list[tuple[str, str]]:
    """The migrations that no other one depends on."""
    graph = MigrationLoader(None).graph
    return [
        key for key in sorted(migrations) if not any(child.key in migrations for child in graph.node_map[key].children)
    ]


def _models(migrations: Migrations) -> list[type[Model]]:
    state = MigrationLoader(None).project_state(_last(known(migrations)))
    models = state.apps.get_models(include_auto_created=True)
    return [model for model in models if model._meta.managed and not model._meta.proxy]


def _table(model: type[Model]) -> Table:
    columns = [Column(str(field.column), kind(field)) for field in model._meta.local_concrete_fields]
    return Table(model._meta.db_table, tuple(columns))
