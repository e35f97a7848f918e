"""`manage.py up` and `manage.py sandbox` as users run them: real processes in a state directory of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests
from django.contrib.auth import authenticate, get_user_model
from django.core.management import call_command
from django.core.management.base import CommandError

from destinations.registry import platforms
from dinmo.local import broker
from dinmo.local.login import first_login
from dinmo.local.machine import free_port, port_is_free
from dinmo.local.programs import environment as programs_environment
from tests.dinmo.live_processes import ROOT, descendants, environment, is_alive, manage, needs_proc, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_django import Settings

pytestmark = [needs_proc, pytest.mark.slow]


@dataclass
class Installation:
    """A running `manage.py up`."""

    process: subprocess.Popen[bytes]
    port: int
    env: dict[str, str]
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def wait_until_ready(self) -> None:
        wait_for(lambda: "DinMo is ready at" in self.log.read_text(), 150, "the start")

    def pids(self, mark: str) -> set[int]:
        return {pid for pid, line in descendants(self.process.pid).items() if mark in line}


def begin(var_dir: Path, **more: str) -> Installation:
    port = free_port()
    env = environment(var_dir, PORT=str(port), RUN_SWEEP_SECONDS="1", **more)
    log = var_dir / "up.log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "manage.py", "up"], cwd=ROOT, env=env, stdout=file, stderr=file)
    return Installation(process, port, env, log)


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    running = begin(tmp_path_factory.mktemp("var"), SANDBOX="1")
    try:
        running.wait_until_ready()
        yield running
    finally:
        running.process.terminate()
        running.process.wait(30)


@pytest.fixture
def in_process(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A separate state directory for commands that run in this process."""
    settings.VAR_DIR = tmp_path
    return monkeypatch


def test_printed_first_login_gives_access_to_the_screens(installation: Installation) -> None:
    login = re.search(r"Sign in   (\S+)\n  Password  (\S+)", installation.log.read_text())
    assert login is not None
    browser = requests.Session()
    page = browser.get(f"{installation.url}/admin/login/")
    assert page.status_code == 200
    form = {"username": login[1], "password": login[2], "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    answer = browser.post(f"{installation.url}/admin/login/?next=/admin/", data=form, allow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    assert browser.get(f"{installation.url}/admin/").status_code == 200


def test_static_files_are_served_without_collectstatic(installation: Installation) -> None:
    assert requests.get(f"{installation.url}/static/admin/css/base.css", timeout=5).status_code == 200


def test_a_simulator_runs_for_each_vendor(installation: Installation) -> None:
    addresses = dict(re.findall(r"(\w+) +(http://\S+)/_sandbox", installation.log.read_text()))
    assert set(addresses) == {platform.label for platform in platforms.all.values()}
    for address in addresses.values():
        assert requests.get(f"{address}/_sandbox/state", timeout=5).status_code == 200


def test_screen_stays_calm_and_logs_are_kept_in_files(installation: Installation) -> None:
    printed = installation.log.read_text()
    assert not [line for line in printed.splitlines() if " | " in line or "celery@" in line]
    assert (installation.log.parent / "logs" / "web.log").read_text()


def test_killed_worker_is_restarted_within_seconds(installation: Installation) -> None:
    log = installation.log.parent / "logs" / "worker.log"
    wait_for(lambda: log.exists() and "is ready." in log.read_text(), 60, "the start of the worker")
    before = installation.pids("worker@%h")
    os.kill(min(before), signal.SIGKILL)
    wait_for(lambda: (now := installation.pids("worker@%h")) and not now & before, 30, "the new worker")
    wait_for(lambda: len(re.findall(r"Worker worker@\S+ is ready", log.read_text())) == 2, 60, "its start")


def test_doctor_reports_no_problem(installation: Installation) -> None:
    wait_for(lambda: manage(installation.env, "doctor").returncode == 0, 90, "the first sweep")
    report = manage(installation.env, "doctor")
    assert report.returncode == 0, report.stdout
    assert not re.search(r"^(warn|fail)", report.stdout, re.MULTILINE)
    assert re.search(r"beat: last active \d+ s ago", report.stdout)
    assert "worker: 2 running" in report.stdout


def test_second_start_in_the_same_state_directory_is_refused(installation: Installation, settings: Settings) -> None:
    settings.VAR_DIR = Path(installation.env["VAR_DIR"])
    with pytest.raises(CommandError, match="Stop it first"):
        call_command("up")


def test_port_in_use_is_reported(installation: Installation, in_process: pytest.MonkeyPatch) -> None:
    in_process.setenv("PORT", str(installation.port))
    with pytest.raises(CommandError, match=rf"Port {installation.port} is in use .* PORT=\d+ make up"):
        call_command("up")


def test_stop_ends_every_process_within_seconds(installation: Installation) -> None:
    """Must stay the last test that uses `installation`."""
    pids = descendants(installation.process.pid)
    assert len(pids) >= 6
    installation.process.terminate()
    assert installation.process.wait(30) == 0
    assert not any(map(is_alive, pids))


def test_killed_installation_leaves_no_process_behind(tmp_path: Path) -> None:
    killed = begin(tmp_path, SANDBOX="0")
    killed.wait_until_ready()
    pids = descendants(killed.process.pid)
    assert len(pids) >= 5
    killed.process.kill()
    killed.process.wait()
    wait_for(lambda: not any(map(is_alive, pids)), 20, "the end of all processes")
    assert "Simulator" not in killed.log.read_text()
    assert port_is_free(killed.port)
    with broker.running(tmp_path, {}) as address:
        broker.check_connection(address)


@pytest.mark.django_db
def test_first_login_is_created_once() -> None:
    login = first_login()
    assert login is not None
    assert authenticate(username=login.username, password=login.password) is not None
    assert first_login() is None


@pytest.mark.django_db
def test_no_login_is_created_if_the_username_is_taken() -> None:
    get_user_model()._default_manager.create(username="admin")
    assert first_login() is None


def test_invalid_port_is_reported(in_process: pytest.MonkeyPatch) -> None:
    in_process.setenv("PORT", "http")
    with pytest.raises(CommandError, match="Enter a number from 1 to 65535"):
        call_command("up")


def test_unreachable_broker_is_reported_before_anything_starts(in_process: pytest.MonkeyPatch) -> None:
    in_process.setenv("PORT", str(free_port()))
    in_process.setenv("REDIS_URL", "redis://:hidden@127.0.0.1:1/0")
    with pytest.raises(CommandError, match=r"is not responding\. Start it, or correct") as error:
        call_command("up")
    assert "hidden" not in str(error.value)


def test_unreachable_database_is_reported_without_a_traceback(tmp_path: Path) -> None:
    database = "postgres://reader:hidden@127.0.0.1:1/shop"
    result = manage(environment(tmp_path, PORT=str(free_port()), DATABASE_URL=database), "up")
    assert result.returncode == 1
    assert "The database can't be used. Check DATABASE_URL." in result.stderr
    assert "Traceback" not in result.stderr
    assert "hidden" not in result.stderr


def test_urls_set_by_the_user_take_precedence_over_the_simulators() -> None:
    variables = programs_environment(
        {"ATTIO_API_URL": "https://proxy.example", "INTERCOM_API_URL": "", "HOME": "/home/me"},
        ROOT,
        "redis://broker",
        "http://127.0.0.1:8000",
        {"ATTIO_API_URL": "http://127.0.0.1:1", "INTERCOM_API_URL": "http://127.0.0.1:2"},
    )
    assert variables["ATTIO_API_URL"] == "https://proxy.example"
    assert variables["INTERCOM_API_URL"] == "http://127.0.0.1:2"
    assert variables["CELERY_BROKER_URL"] == "redis://broker"
    assert variables["HOME"] == "/home/me"


def sandbox_options() -> list[str]:
    return [word for slug in platforms.all for word in (f"--{slug}-port", "0")]


def test_simulators_print_their_urls_and_stop_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "manage.py", "sandbox", *sandbox_options(), "--fill", "30"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment(tmp_path), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for platform in platforms.all.values():
        line = re.fullmatch(
            rf"{platform.label}: (http://127\.0\.0\.1:\d+) \({platform.url_variable}\)\n", process.stdout.readline()
        )
        assert line is not None
        assert requests.get(f"{line[1]}/_sandbox/requests", timeout=5).json() == []
        kind = next(iter(requests.get(f"{line[1]}/_sandbox/panel", timeout=5).json()["kinds"]))
        assert requests.get(f"{line[1]}/_sandbox/records", {"kind": kind}, timeout=5).json()["count"] == 30
    process.terminate()
    assert process.wait(10) == 0


@pytest.mark.parametrize("slug", list(platforms.all))
def test_simulator_port_in_use_is_reported(slug: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            CommandError, match=rf"Port {port} for the {platforms[slug].label} simulator is already in use"
        ):
            call_command("sandbox", *sandbox_options(), f"--{slug}-port", str(port))


@pytest.mark.parametrize("text", ["many", "-1", "65536", "²"])
def test_simulator_port_must_be_a_valid_number(text: str) -> None:
    slug = next(iter(platforms.all))
    with pytest.raises(CommandError, match=r"is not a valid port\. Enter a number from 0 to 65535"):
        call_command("sandbox", f"--{slug}-port={text}")


def test_fill_must_be_a_whole_number() -> None:
    with pytest.raises(CommandError, match="'many' is not a whole number"):
        call_command("sandbox", "--fill=many")
