"""The checks of `manage.py doctor`: one for each part of an installation, with what to do if it fails."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import Error, connection
from django_celery_beat.models import PeriodicTask
from kombu.exceptions import OperationalError

from activations.alerts.state import beat_stopped, issues
from activations.models import Run
from activations.setup import writers, writers_from_db
from core.database import pending_migrations
from core.errors import Problem
from core.health import Health
from core.secrets import cipher, redact
from core.text.listing import listed
from destinations.models import Connection
from destinations.registry import services
from destinations.vendor import check as check_connection
from dinmo.backup import key_rotation
from dinmo.backup.uploads import AGAIN, UNFINISHED, is_unfinished
from dinmo.local import broker
from dinmo.security.stored_secrets import rows as rows_with_secrets

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime, timedelta

    from celery import Celery

PING_SECONDS = 1.5
NEW_KEY = (
    "Only for a new installation, generate one with: "
    'python -c "from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())"'
)


class Level(StrEnum):
    """OK: nothing to do. WARN: works, but needs attention. FAIL: does not work."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True)
class Finding:
    """One line of the report. `remedy` is what to do about it."""

    level: Level
    subject: str
    message: str
    remedy: str = ""


def database() -> Finding:
    """Whether the database responds and has the schema of this version."""
    try:
        missing = pending_migrations()
    except Error as error:
        reason = redact(" ".join(str(error).split()))
        return Finding(Level.FAIL, "database", f"not responding: {reason}", "Start it, or correct DATABASE_URL.")
    if missing:
        return Finding(Level.FAIL, "database", f"not applied: {listed(missing)}", "Run: manage.py migrate")
    return Finding(Level.OK, "database", f"responding and up to date ({connection.vendor})")


def message_broker(address: str) -> Finding:
    """Whether the broker responds."""
    try:
        broker.check_connection(address)
    except Problem as problem:
        embedded = not broker.configured_url(os.environ)
        remedy = "Start the embedded broker with: make up" if embedded else problem.message
        return Finding(Level.FAIL, "broker", "not responding", remedy)
    return Finding(Level.OK, "broker", "responding")


def worker(app: Celery) -> Finding:
    """Whether workers reply through the broker, and serve every queue."""
    try:
        served = app.control.inspect(timeout=PING_SECONDS).active_queues() or {}
    except (OperationalError, OSError):
        return blocked("worker", "broker")
    if not served:
        return Finding(
            Level.FAIL, "worker", "none running, so no run is executed", "Start one: make up, or celery -A dinmo worker"
        )
    queues = {queue["name"] for each in served.values() for queue in each}
    if missing := sorted({queue.name for queue in settings.CELERY_TASK_QUEUES} - queues):
        remedy = f"Start one: celery -A dinmo worker --queues {','.join(missing)}"
        return Finding(Level.FAIL, "worker", f"none serves the queue {listed(missing)}", remedy)
    return Finding(Level.OK, "worker", f"{len(served)} running: {', '.join(sorted(served))}")


def blocked(subject: str, dependency: str) -> Finding:
    """The finding for a part that can only be checked through a different one, which does not respond."""
    return Finding(Level.FAIL, subject, f"can't be checked without the {dependency}", f"Fix the {dependency} first.")


def beat(now: datetime, sweep_seconds: float) -> Finding:
    """Whether beat has started the sweep within the last two intervals of `sweep_seconds`."""
    remedy = "Start it: make up, or celery -A dinmo beat"
    last = PeriodicTask.objects.filter(name="sweep").values_list("last_run_at", flat=True).first()
    if last is None:
        return Finding(Level.FAIL, "beat", "has never run, so no schedule fires", remedy)
    elapsed = now - last
    if beat_stopped(now, sweep_seconds):
        return Finding(Level.FAIL, "beat", f"last active {_duration(elapsed)} ago, so no schedule fires", remedy)
    return Finding(Level.OK, "beat", f"last active {max(0, round(elapsed.total_seconds()))} s ago")


def secret_key() -> Finding:
    """Where the key for sessions and sign-ins comes from."""
    return _origin("SECRET_KEY", "secret_key")


def encryption_keys() -> Finding:
    """Whether the encryption keys are valid, and where they come from."""
    try:
        cipher()
    except ValueError:
        return Finding(
            Level.FAIL,
            "ENCRYPTION_KEYS",
            "contains a key that is not a valid Fernet key",
            f"Restore it from your backup. {NEW_KEY}",
        )
    return _origin("ENCRYPTION_KEYS", "encryption_key")


def stored_secrets() -> Finding:
    """Whether every stored secret can be decrypted with the current keys, which must be valid."""
    rows = list(rows_with_secrets())
    unreadable = [label for label, problem in rows if problem]
    if unreadable:
        remedy = "Restore the key that they were encrypted with to ENCRYPTION_KEYS, or enter the secrets again."
        return Finding(Level.FAIL, "stored secrets", f"can't be decrypted: {', '.join(unreadable)}", remedy)
    if len(settings.ENCRYPTION_KEYS) > 1 and (outdated := key_rotation.outdated()):
        message = f"{outdated} of {len(rows)} still need a key other than the first of ENCRYPTION_KEYS"
        return Finding(Level.WARN, "stored secrets", message, "Run: manage.py rotate_keys")
    return Finding(Level.OK, "stored secrets", f"{len(rows)}, all readable" if rows else "none yet")


def source_files() -> Finding:
    """Whether the directory of file sources exists and is readable."""
    root = settings.SOURCE_FILES_ROOT
    if is_unfinished():
        return Finding(Level.FAIL, "source files", UNFINISHED, AGAIN)
    if not root.is_dir() or not os.access(root, os.R_OK | os.X_OK):
        remedy = f"Create the directory {root}, or set SOURCE_FILES_ROOT to the directory that contains your files."
        return Finding(Level.WARN, "source files", f"{root} is not a readable directory", remedy)
    return Finding(Level.OK, "source files", f"read from {root}")


def connections(now: datetime, live: bool) -> Iterator[Finding]:
    """The result of the last check of each connection.

    Args:
        live: makes the vendor's check call for each connection first, and stores the result.
    """
    for row in Connection.objects.defer("secrets"):
        if live:
            _check_now(row, now)
        yield _health(row)


def problems(now: datetime) -> Iterator[Finding]:
    """Everything else that needs attention: sources, models, activations, runs and open warnings."""
    for issue in issues(now):
        if issue.about is None or isinstance(issue.about, Connection):
            continue
        level = Level.FAIL if issue.tone == "bad" else Level.WARN
        subject = issue.subject[:1].lower() + issue.subject[1:] if not isinstance(issue.about, Run) else issue.subject
        yield Finding(level, subject, issue.label.lower(), issue.message)


REMEDY = "Map each attribute in one of them only, or let the other write it only if it is empty there."


def conflicting_activations() -> Iterator[Finding]:
    """Activations that replace each other's values: both map the same attribute of the same records."""
    for (service, _), group in writers_from_db.everyone().items():
        if len(group) < 2 or service not in services.all:
            continue
        for mine in group:
            shared = writers.shared(services[service], mine, [each for each in group if each is not mine])
            if conflicts := [each for each in shared if each.is_conflict]:
                names = listed([f"“{each.other.name}”" for each in conflicts])
                attributes = listed(sorted({f"“{name}”" for each in conflicts for name in each.attributes}))
                message = f"{names} also write{'s' if len(conflicts) == 1 else ''} {attributes}, and the last run wins"
                yield Finding(Level.WARN, f"activation {mine.name}", message, REMEDY)


def _check_now(row: Connection, now: datetime) -> None:
    try:
        check_connection(row, now)
    except Problem as problem:
        row.health, row.health_message, row.health_at = Health.State.FAILED, problem.message, now


def _health(row: Connection) -> Finding:
    subject = f"connection {row.name}"
    if row.health == Health.State.UNKNOWN:
        return Finding(Level.WARN, subject, "never checked", "Test it on its page, or run: manage.py doctor --live")
    checked = f"(checked {row.health_at:%Y-%m-%d %H:%M} UTC)" if row.health_at else ""
    if row.health == Health.State.FAILED:
        return Finding(Level.FAIL, subject, f"not working {checked}".strip(), row.health_message)
    return Finding(Level.OK, subject, f"working {checked}".strip())


def _origin(variable: str, file: str) -> Finding:
    path = settings.KEYS_DIR / file
    if os.environ.get(variable):
        return Finding(Level.OK, variable, "set in the environment")
    if os.environ.get("KEYS_DIR"):
        return Finding(Level.OK, variable, f"stored in {path}, which all processes share; keep a copy somewhere else")
    if connection.vendor == "sqlite":
        return Finding(Level.OK, variable, f"stored in {path}; back it up together with the database")
    remedy = f"Set {variable} in the environment of every process to the current content of that file."
    return Finding(Level.WARN, variable, f"stored in {path}, which other machines can't read", remedy)


def _duration(elapsed: timedelta) -> str:
    seconds = round(elapsed.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
