"""What the doctor says of each part."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from core.errors import Misconfigured
from destinations.models import Connection
from destinations.registry import platforms
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.management import checks
from dinmo.management.checks import Level
from dinmo.management.commands.doctor import line
from tests.dinmo.live_processes import environment, manage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def connection() -> Connection:
    row = Connection(name="Ours", platform="attio")
    row.secrets = {"token": "right"}
    row.save()
    return row


def swept(at: datetime | None) -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=15, period="seconds")
    PeriodicTask.objects.update_or_create(
        name="sweep", defaults={"interval": every, "task": "sweep", "last_run_at": at}
    )


def test_a_new_installation_hears_what_to_do_in_one_line_each(tmp_path: Path) -> None:
    report = manage(environment(tmp_path), "doctor")
    assert report.returncode == 1
    assert report.stderr == ""
    by_subject = {text[6:].split(":")[0]: text for text in report.stdout.splitlines()}
    assert by_subject["database"].startswith("fail")
    assert by_subject["database"].endswith("→ Run: manage.py migrate")
    assert by_subject["broker"] == "fail  broker: does not answer → The embedded one runs with: make up"
    assert by_subject["worker"] == "fail  worker: can't be asked without the broker → Mend the broker first."
    assert by_subject["beat"].startswith("fail")
    assert by_subject["SECRET_KEY"].startswith("ok")
    assert by_subject["ENCRYPTION_KEYS"].startswith("ok")


def test_an_unreachable_database_is_named_without_its_password(tmp_path: Path) -> None:
    report = manage(
        environment(tmp_path, DATABASE_URL="postgres://reader:hidden@127.0.0.1:1/shop"), "doctor", "--only", "database"
    )
    assert report.returncode == 1
    assert report.stdout.startswith("fail  database: does not answer")
    assert report.stdout.endswith("→ Start it, or correct DATABASE_URL.\n")
    assert report.stdout.count("\n") == 1
    assert "hidden" not in report.stdout


def test_a_key_that_is_no_key_is_found_without_a_database(tmp_path: Path) -> None:
    report = manage(environment(tmp_path, ENCRYPTION_KEYS="short"), "doctor")
    assert "fail  ENCRYPTION_KEYS: holds a key that is no Fernet key → Restore it" in report.stdout
    assert "Traceback" not in report.stderr


@pytest.mark.django_db
def test_a_database_with_every_migration_is_in_order() -> None:
    assert checks.database().level == Level.OK


@pytest.mark.django_db
@pytest.mark.parametrize(("silent_seconds", "level"), [(0, Level.OK), (29, Level.OK), (31, Level.FAIL)])
def test_beat_is_alive_while_its_sweeps_come(silent_seconds: int, level: Level) -> None:
    swept(NOW - timedelta(seconds=silent_seconds))
    assert checks.beat(NOW, sweep_seconds=15).level == level


@pytest.mark.django_db
def test_beat_that_never_ran_or_fell_silent_is_said_so() -> None:
    assert "has never run" in checks.beat(NOW, 15).message
    swept(None)
    assert "has never run" in checks.beat(NOW, 15).message
    swept(NOW - timedelta(hours=3))
    assert checks.beat(NOW, 15).message == "has been silent for 3 h, so no schedule fires"


@pytest.mark.django_db
def test_secrets_that_the_present_keys_read_are_in_order(settings: Settings) -> None:
    assert checks.stored_secrets().message == "none yet"
    connection()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert checks.stored_secrets().level == Level.OK


@pytest.mark.django_db
def test_secrets_of_a_lost_key_are_named(settings: Settings) -> None:
    row = connection()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    finding = checks.stored_secrets()
    assert finding.level == Level.FAIL
    assert finding.message == f"can't be read: connection {row.pk}"
    assert "ENCRYPTION_KEYS" in finding.remedy
    assert [finding.level for finding in checks.connections(NOW, live=False)] == [Level.WARN]


def test_a_key_from_the_environment_is_told_from_one_in_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    assert "secret_key" in checks.secret_key().message
    monkeypatch.setenv("SECRET_KEY", "mine")
    assert checks.secret_key().message == "comes from the environment"


def test_a_missing_directory_of_files_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path / "none"
    finding = checks.source_files()
    assert finding.level == Level.WARN
    assert str(tmp_path / "none") in finding.remedy
    settings.SOURCE_FILES_ROOT = tmp_path
    assert checks.source_files().level == Level.OK


@pytest.mark.django_db
def test_each_connection_shows_its_last_check() -> None:
    row = connection()
    assert [line(finding) for finding in checks.connections(NOW, live=False)] == [
        "connection Ours: has never been checked → Test it on its page, or run: manage.py doctor --live"
    ]
    row.record_health(NOW, Misconfigured("token", "The token was refused. Enter a new one."))
    assert [line(finding) for finding in checks.connections(NOW, live=False)] == [
        "connection Ours: does not work (checked 2026-03-01 12:00 UTC) → The token was refused. Enter a new one."
    ]
    row.record_health(NOW, None)
    assert [finding.level for finding in checks.connections(NOW, live=False)] == [Level.OK]


@pytest.mark.django_db
def test_live_asks_the_vendor_and_keeps_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    row = connection()
    attio = platforms["attio"]
    with Server(sandboxes[attio.slug]("right")) as vendor:
        monkeypatch.setenv(attio.url_variable, vendor.url)
        assert [finding.level for finding in checks.connections(NOW, live=True)] == [Level.OK]
    row.refresh_from_db()
    assert row.health == Connection.State.OK
    with Server(sandboxes[attio.slug]("another")) as vendor:
        monkeypatch.setenv(attio.url_variable, vendor.url)
        (finding,) = checks.connections(NOW, live=True)
    assert finding.level == Level.FAIL
    assert finding.remedy
    row.refresh_from_db()
    assert row.health == Connection.State.FAILED
