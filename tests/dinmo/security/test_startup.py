"""An installation that others can reach starts only with real keys, without debugging, and for named hosts."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from celery.signals import beat_init, worker_init
from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key
from django.db import connection

from destinations.models import Connection
from dinmo.environment import EXIT_CODE
from dinmo.security import public_address, startup
from tests.dinmo.live_processes import ROOT, environment, manage

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings

KEY = Fernet.generate_key().decode()
PUBLIC = {"PUBLIC_URL": "https://activate.example.com", "SECRET_KEY": get_random_secret_key(), "ENCRYPTION_KEYS": KEY}
UNSAFE = [
    ({"DEBUG": "true"}, "P001"),
    ({"ALLOWED_HOSTS": "activate.example.com,*"}, "P002"),
    ({"SECRET_KEY": "short"}, "P003"),
    ({"SECRET_KEY": "django-insecure-" + "x1y2z3a4b5" * 4}, "P003"),
    ({"SECRET_KEY": "a" * 64}, "P003"),
    ({"ENCRYPTION_KEYS": "not-a-key"}, "P004"),
    ({"ENCRYPTION_KEYS": f"{KEY},{'A' * 43}="}, "P004"),
    ({"REFUSED_NETWORKS": "example.com"}, "P007"),
    ({"DATABASE_URL": "postgres://u@127.0.0.1:1/x", "SECRET_KEY": "", "ENCRYPTION_KEYS": ""}, "P005"),
]


def codes() -> set[str]:
    return {code for code, _ in startup.unsafe()}


def test_deployment_check_of_a_production_environment_is_clean(tmp_path: Path) -> None:
    report = manage(environment(tmp_path, **PUBLIC), "check", "--deploy", "--fail-level", "WARNING")
    assert (report.returncode, report.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(("variables", "code"), UNSAFE)
def test_deployment_check_finds_what_is_unsafe(tmp_path: Path, variables: dict[str, str], code: str) -> None:
    report = manage(environment(tmp_path, **{**PUBLIC, **variables}), "check", "--deploy")
    assert report.returncode == 1
    assert f"dinmo.{code}" in report.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        ("gunicorn", "dinmo.wsgi", "--bind", "127.0.0.1:0", "--no-control-socket"),
        ("celery", "-A", "dinmo", "worker", "--pool", "solo"),
        ("manage", "up"),
    ],
)
def test_no_process_starts_that_is_unsafe(tmp_path: Path, command: tuple[str, ...]) -> None:
    words = ["manage.py", *command[1:]] if command[0] == "manage" else ["-m", *command]
    env = environment(tmp_path, **{**PUBLIC, "DEBUG": "true", "SANDBOX": "0"})
    ended = subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)
    assert ended.returncode == EXIT_CODE
    assert "DinMo does not start:\n- DEBUG is on" in ended.stderr
    assert PUBLIC["SECRET_KEY"] not in ended.stderr + ended.stdout


@pytest.mark.django_db
@pytest.mark.parametrize("starting", [beat_init, worker_init])
def test_worker_and_beat_end_as_they_start(starting: Any, settings: Settings, capsys: Any) -> None:
    settings.PRODUCTION, settings.DEBUG = True, True
    with pytest.raises(SystemExit) as ended:
        starting.send(sender=None)
    assert ended.value.code == EXIT_CODE
    assert "- DEBUG is on" in capsys.readouterr().err


@pytest.mark.django_db
def test_secrets_that_no_key_decrypts_prevent_the_start(settings: Settings) -> None:
    settings.PRODUCTION, settings.DEBUG, settings.SECRET_KEY = True, False, PUBLIC["SECRET_KEY"]
    settings.ENCRYPTION_KEYS = [KEY]
    row = Connection.objects.create(name="Ours", platform="attio", secrets={"token": "t"})
    assert codes() - {"P005"} == set()
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    ((_, sentence),) = [each for each in startup.unsafe() if each[0] == "P006"]
    assert f"connection {row.pk}" in sentence
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), KEY]
    assert "P006" not in codes()


@pytest.mark.django_db
def test_keys_in_a_file_are_enough_for_one_machine(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PRODUCTION, settings.DEBUG, settings.SECRET_KEY = True, False, PUBLIC["SECRET_KEY"]
    for name in ("SECRET_KEY", "ENCRYPTION_KEYS"):
        monkeypatch.delenv(name, raising=False)
    assert "DJANGO_SETTINGS_MODULE" in os.environ
    assert ("P005" in codes()) == (connection.vendor != "sqlite")


def test_installation_on_this_machine_starts_with_anything(settings: Settings) -> None:
    settings.PRODUCTION, settings.DEBUG, settings.SECRET_KEY = False, True, "x"
    assert codes() == set()


@pytest.mark.parametrize(
    ("url", "is_local"),
    [
        ("http://127.0.0.1:8000", True),
        ("http://localhost:8000/", True),
        ("http://[::1]:8000", True),
        ("http://dinmo.localhost", True),
        ("https://activate.example.com", False),
        ("http://10.0.0.1", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
    ],
)
def test_which_addresses_only_this_machine_can_open(url: str, is_local: bool) -> None:
    assert public_address.is_local(url) is is_local


def test_address_with_https_turns_everything_on_that_tls_needs(tmp_path: Path) -> None:
    names = [
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_HSTS_SECONDS",
        "CSRF_TRUSTED_ORIGINS",
        "ALLOWED_HOSTS",
    ]
    printed = f"from django.conf import settings as s; print([getattr(s, n) for n in {names}])"
    https = manage(environment(tmp_path, **PUBLIC), "shell", "-v", "0", "-c", printed).stdout
    hosts = "['127.0.0.1', 'localhost', '[::1]', 'activate.example.com']"
    assert https.strip() == f"[True, True, 31536000, ['https://activate.example.com'], {hosts}]"
    local = manage(environment(tmp_path), "shell", "-v", "0", "-c", printed).stdout
    assert local.startswith("[False, False, 0, [], ")
