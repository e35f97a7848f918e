"""What the doctor looks at: each part of a running installation, and what to do where one ails."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from django.apps import apps
from django.conf import settings
from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError

from core.errors import Problem
from core.health import Health
from core.secrets import EncryptedJSONField, cipher, redact
from destinations.models import Connection
from destinations.vendor import check as check_connection
from dinmo.local import broker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from celery import Celery
    from django.db.models import Model

WORKER_ANSWER_SECONDS = 1.5
NEW_KEY = 'Only for a new installation, make one with: python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'


class Level(StrEnum):
    """OK: nothing to do. WARN: works, but look at it. FAIL: something does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report; `remedy` says what to do."""

    level: Level
    subject: str
    message: str
    remedy: str = ""


def database() -> Finding:
    """Whether the database answers and has the tables of this version."""
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except Error as error:
        said = redact(" ".join(str(error).split()))
        return Finding(Level.FAIL, "database", f"does not answer: {said}", "Start it, or correct DATABASE_URL.")
    if missing:
        return Finding(
            Level.FAIL, "database", f"lacks {len(missing)} changes of this version", "Run: manage.py migrate"
        )
    return Finding(Level.OK, "database", f"answers and is up to date ({connection.vendor})")


def message_broker(address: str) -> Finding:
    """Whether the broker answers."""
    try:
        broker.reach(address)
    except Problem as problem:
        embedded = not broker.configured(os.environ)
        remedy = "The embedded one runs with: make up" if embedded else problem.message
        return Finding(Level.FAIL, "broker", "does not answer", remedy)
    return Finding(Level.OK, "broker", "answers")


def worker(app: Celery) -> Finding:
    """Whether a worker answers, asked through the broker."""
    try:
        names = [name for reply in app.control.ping(timeout=WORKER_ANSWER_SECONDS) for name in reply]
    except (OperationalError, OSError):
        return unknown("worker", "broker")
    if not names:
        return Finding(
            Level.FAIL, "worker", "none answers, so nothing runs", "Start one: make up, or celery -A dinmo worker"
        )
    return Finding(Level.OK, "worker", f"{len(names)} at work: {', '.join(sorted(names))}")


def unknown(subject: str, needed: str) -> Finding:
    """What can be said of a part that is seen only through another one, which does not answer."""
    return Finding(Level.FAIL, subject, f"can't be asked without the {needed}", f"Mend the {needed} first.")


def beat(now: datetime, sweep_seconds: float) -> Finding:
    """Whether beat has fired the sweep within two of its intervals of `sweep_seconds`."""
    remedy = "Start exactly one: make up, or celery -A dinmo beat"
    last = PeriodicTask.objects.filter(name="sweep").values_list("last_run_at", flat=True).first()
    if last is None:
        return Finding(Level.FAIL, "beat", "has never run, so no schedule fires", remedy)
    silent = now - last
    if silent > timedelta(seconds=2 * sweep_seconds):
        return Finding(Level.FAIL, "beat", f"has been silent for {_length(silent)}, so no schedule fires", remedy)
    return Finding(Level.OK, "beat", f"fired {max(0, round(silent.total_seconds()))} s ago")


def secret_key() -> Finding:
    """Where the key of sessions and sign-ins comes from."""
    return _origin("SECRET_KEY", "secret_key")


def encryption_keys() -> Finding:
    """Whether the keys are well formed, and where they come from."""
    try:
        cipher()
    except ValueError:
        return Finding(
            Level.FAIL,
            "ENCRYPTION_KEYS",
            "holds a key that is no Fernet key",
            f"Restore it from your backup. {NEW_KEY}",
        )
    return _origin("ENCRYPTION_KEYS", "encryption_key")


def stored_secrets() -> Finding:
    """Whether every stored secret can be read with the present keys. They must be well formed."""
    rows = list(_rows_with_secrets())
    lost = [label for label, problem in rows if problem]
    if lost:
        remedy = "Put the key that they were written with back into ENCRYPTION_KEYS, or enter them again."
        return Finding(Level.FAIL, "stored secrets", f"can't be read: {', '.join(lost)}", remedy)
    return Finding(Level.OK, "stored secrets", f"{len(rows)}, all can be read" if rows else "none yet")


def source_files() -> Finding:
    """Whether the directory of file sources is there and readable."""
    root = settings.SOURCE_FILES_ROOT
    if not root.is_dir() or not os.access(root, os.R_OK | os.X_OK):
        remedy = f"Make the directory {root}, or set SOURCE_FILES_ROOT to the one that holds your files."
        return Finding(Level.WARN, "source files", f"{root} is no readable directory", remedy)
    return Finding(Level.OK, "source files", f"are read from {root}")


def connections(now: datetime, live: bool) -> Iterator[Finding]:
    """How each connection fared at its last check, or fares now.

    Args:
        live: makes the vendor's check call for each, and keeps its answer.
    """
    for row in Connection.objects.defer("secrets"):
        if live:
            _check_now(row, now)
        yield _health(row)


def _check_now(row: Connection, now: datetime) -> None:
    try:
        check_connection(row, now)
    except Problem as problem:
        row.health, row.health_message, row.health_at = Health.State.FAILED, problem.message, now


def _health(row: Connection) -> Finding:
    subject = f"connection {row.name}"
    if row.health == Health.State.UNKNOWN:
        return Finding(
            Level.WARN, subject, "has never been checked", "Test it on its page, or run: manage.py doctor --live"
        )
    checked = f"(checked {row.health_at:%Y-%m-%d %H:%M} UTC)" if row.health_at else ""
    if row.health == Health.State.FAILED:
        return Finding(Level.FAIL, subject, f"does not work {checked}".strip(), row.health_message)
    return Finding(Level.OK, subject, f"works {checked}".strip())


def _origin(variable: str, file: str) -> Finding:
    path = settings.VAR_DIR / file
    if os.environ.get(variable):
        return Finding(Level.OK, variable, "comes from the environment")
    if connection.vendor == "sqlite":
        return Finding(Level.OK, variable, f"is kept in {path}; back it up with the database")
    remedy = f"Set {variable} in the environment of every process, to the present content of that file."
    return Finding(Level.WARN, variable, f"is kept in {path}, which other machines don't see", remedy)


def _rows_with_secrets() -> Iterator[tuple[str, Problem | None]]:
    for model, field in _encrypted_fields():
        for key in model._default_manager.values_list("pk", flat=True):
            yield f"{model._meta.verbose_name} {key}", _read(model, field, key)


def _read(model: type[Model], field: str, key: object) -> Problem | None:
    try:
        model._default_manager.values_list(field).get(pk=key)
    except Problem as problem:
        return problem
    return None


def _encrypted_fields() -> Iterator[tuple[type[Model], str]]:
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            if isinstance(field, EncryptedJSONField):
                yield model, field.name


def _length(silent: timedelta) -> str:
    seconds = round(silent.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
