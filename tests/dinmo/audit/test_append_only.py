"""The database refuses to change the audit log: on a new installation, as `migrate` leaves it, on both engines."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.segments.places import POSTGRES_URL

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = """
import sys
from datetime import timedelta
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
import django
django.setup()
call_command("migrate", verbosity=0)
from dinmo.audit.models import AuditDoor, AuditEntry
from dinmo.audit import append_only, retention

def refused(act):
    try:
        with transaction.atomic():
            act()
    except Exception as error:
        return type(error).__name__, "cannot be changed" in str(error)
    return "accepted"

def sql(text):
    def act():
        with connection.cursor() as cursor:
            cursor.execute(text)
    return act

now = timezone.now()
base = dict(actor_kind="system", actor_label="DinMo", verb="changed", request="r")
AuditEntry.objects.create(at=now - timedelta(days=400), **base)
new = AuditEntry.objects.create(at=now, **base)
attempts = {
    "update": sql("update audit_auditentry set actor_label = 'nobody'"),
    "update by the application": lambda: AuditEntry.objects.update(actor_label="nobody"),
    "save": lambda: new.save(),
    "delete": sql("delete from audit_auditentry"),
    "delete by the application": lambda: AuditEntry.objects.all().delete(),
}
if connection.vendor == "postgresql":
    attempts["truncate"] = sql("truncate audit_auditentry")
    attempts["upsert"] = sql(
        "insert into audit_auditentry select * from audit_auditentry on conflict (id) do update set actor_label = 'x'"
    )
else:
    attempts["replace"] = sql("insert or replace into audit_auditentry select * from audit_auditentry")
for name, act in attempts.items():
    print(name, refused(act))
django.conf.settings.AUDIT_DAYS = 0
print("kept", retention.prune(now))
django.conf.settings.AUDIT_DAYS = 365
print("pruned", retention.prune(now))
print("left", sorted(AuditEntry.objects.filter(object_type="").values_list("verb", flat=True)))
print("door", list(AuditDoor.objects.values_list("deletable_before", flat=True)))
print("closed", refused(attempts["delete"]))
"""


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of an engine."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new.sqlite3'}"
        return
    name = f"audit_{os.getpid()}"
    try:
        server = psycopg.connect(POSTGRES_URL, autocommit=True)
    except psycopg.OperationalError:
        pytest.skip(f"no PostgreSQL at {POSTGRES_URL}")
    with server:
        server.execute(f"create database {name}")
        try:
            yield f"{POSTGRES_URL.rpartition('/')[0]}/{name}"
        finally:
            server.execute(f"drop database {name} with (force)")


@pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)
def test_the_database_refuses_to_change_or_delete_entries(database: str, tmp_path: Path) -> None:
    environment = {
        **os.environ, "DATABASE_URL": database, "VAR_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "dinmo.settings"
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    lines = dict(line.split(" (", 1) if " (" in line else line.rsplit(" ", 1) for line in done.stdout.splitlines())
    assert done.returncode == 0, done.stderr
    attempts = {name: answer for name, answer in lines.items() if "Error" in answer}
    assert len(attempts) == (8 if database.startswith("postgres") else 7), done.stdout
    assert set(attempts.values()) == {"'IntegrityError', True)"}, done.stdout
    assert lines["kept"] == "0"
    assert lines["pruned"] == "1"
    assert "left ['changed', 'pruned']" in done.stdout
    assert "door [None]" in done.stdout
