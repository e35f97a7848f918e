"""`manage.py doctor`: the finding for each part of an installation."""

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


def record_sweep(at: datetime | None) -> None:
    every, _ = IntervalSchedule.objects.get_or_create(every=15, period="seconds")
    PeriodicTask.objects.update_or_create(
        name="sweep", defaults={"interval": every, "task": "sweep", "last_run_at": at}
    )


def test_new_installation_gets_one_line_per_problem_with_what_to_do(tmp_path: Path) -> None:
    report = manage(environment(tmp_path), "doctor")
    assert report.returncode == 1
    assert report.stderr == ""
    by_subject = {text[6:].split(":")[0]: text for text in report.stdout.splitlines()}
    assert by_subject["database"].startswith("fail")
    assert by_subject["database"].endswith("→ Run: manage.py migrate")
    assert by_subject["broker"] == "fail  broker: not responding → Start the embedded broker with: make up"
    assert by_subject["worker"] == "fail  worker: can't be checked without the broker → Fix the broker first."
    assert by_subject["beat"].startswith("fail")
    assert by_subject["SECRET_KEY"].startswith("ok")
    assert by_subject["ENCRYPTION_KEYS"].startswith("ok")


def test_unreachable_database_is_reported_without_its_password(tmp_path: Path) -> None:
    report = manage(
        environment(tmp_path, DATABASE_URL="postgres://reader:hidden@127.0.0.1:1/shop"), "doctor", "--only", "database"
    )
    assert report.returncode == 1
    assert report.stdout.startswith("fail  database: not responding")
    assert report.stdout.endswith("→ Start it, or correct DATABASE_URL.\n")
    assert report.stdout.count("\n") == 1
    assert "hidden" not in report.stdout


def test_invalid_key_is_reported_without_a_database(tmp_path: Path) -> None:
    report = manage(environment(tmp_path, ENCRYPTION_KEYS="short"), "doctor")
    assert "fail  ENCRYPTION_KEYS: contains a key that is not a valid Fernet key → Restore it" in report.stdout
    assert "Traceback" not in report.stderr


@pytest.mark.django_db
def test_database_with_all_migrations_is_ok() -> None:
    assert checks.database().level == Level.OK


@pytest.mark.django_db
@pytest.mark.parametrize(("elapsed_seconds", "level"), [(0, Level.OK), (29, Level.OK), (31, Level.FAIL)])
def test_beat_is_ok_while_sweeps_are_recent(elapsed_seconds: int, level: Level) -> None:
    record_sweep(NOW - timedelta(seconds=elapsed_seconds))
    assert checks.beat(NOW, sweep_seconds=15).level == level


@pytest.mark.django_db
def test_beat_that_never_ran_or_stopped_is_reported() -> None:
    assert "has never run" in checks.beat(NOW, 15).message
    record_sweep(None)
    assert "has never run" in checks.beat(NOW, 15).message
    record_sweep(NOW - timedelta(hours=3))
    assert checks.beat(NOW, 15).message == "last active 3 h ago, so no schedule fires"


@pytest.mark.django_db
def test_secrets_readable_with_the_current_keys_are_ok(settings: Settings) -> None:
    assert checks.stored_secrets().message == "none yet"
    connection()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    assert checks.stored_secrets().message == "1 of 1 still need a key other than the first of ENCRYPTION_KEYS"
    settings.ENCRYPTION_KEYS = settings.ENCRYPTION_KEYS[1:]
    assert checks.stored_secrets().level == Level.OK


@pytest.mark.django_db
def test_secrets_of_a_lost_key_are_listed(settings: Settings) -> None:
    row = connection()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    finding = checks.stored_secrets()
    assert finding.level == Level.FAIL
    assert finding.message == f"can't be decrypted: connection {row.pk}"
    assert "ENCRYPTION_KEYS" in finding.remedy
    assert [finding.level for finding in checks.connections(NOW, live=False)] == [Level.WARN]


def test_origin_of_a_key_is_the_environment_or_the_state_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    assert "secret_key" in checks.secret_key().message
    monkeypatch.setenv("SECRET_KEY", "mine")
    assert checks.secret_key().message == "set in the environment"


def test_missing_source_directory_is_named(settings: Settings, tmp_path: Path) -> None:
    settings.SOURCE_FILES_ROOT = tmp_path / "none"
    finding = checks.source_files()
    assert finding.level == Level.WARN
    assert str(tmp_path / "none") in finding.remedy
    settings.SOURCE_FILES_ROOT = tmp_path
    assert checks.source_files().level == Level.OK


@pytest.mark.django_db
def test_each_connection_is_reported_with_its_last_check() -> None:
    row = connection()
    assert [line(finding) for finding in checks.connections(NOW, live=False)] == [
        "connection Ours: never checked → Test it on its page, or run: manage.py doctor --live"
    ]
    row.record_health(NOW, Misconfigured("token", "The token was refused. Enter a new one."))
    assert [line(finding) for finding in checks.connections(NOW, live=False)] == [
        "connection Ours: not working (checked 2026-03-01 12:00 UTC) → The token was refused. Enter a new one."
    ]
    row.record_health(NOW, None)
    assert [finding.level for finding in checks.connections(NOW, live=False)] == [Level.OK]


@pytest.mark.django_db
def test_live_checks_the_connection_at_the_vendor_and_stores_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
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


class Workers:
    """Stands for the Celery application: its workers, with the queues that each serves."""

    def __init__(self, **queues: str) -> None:
        self.control = self
        self.queues = {name: [{"name": queue} for queue in text.split()] for name, text in queues.items()}

    def inspect(self, timeout: float) -> Workers:
        return self

    def active_queues(self) -> dict[str, list[dict[str, str]]] | None:
        return self.queues or None


@pytest.mark.parametrize(
    ("workers", "level", "part"),
    [
        (Workers(), Level.FAIL, "none running"),
        (Workers(one="celery delivery"), Level.FAIL, "none serves the queue planning"),
        (Workers(one="celery delivery", two="planning"), Level.OK, "2 running: one, two"),
        (Workers(one="celery delivery planning"), Level.OK, "1 running: one"),
    ],
)
def test_each_queue_needs_a_worker(workers: Workers, level: Level, part: str) -> None:
    finding = checks.worker(workers)  # type: ignore[arg-type, unused-ignore]
    assert finding.level == level
    assert part in finding.message
