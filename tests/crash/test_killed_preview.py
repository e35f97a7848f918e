"""The web process is killed while it makes a preview: nobody sees what it leaves behind, and the sweep deletes it."""

from __future__ import annotations

import re
import sqlite3
import sys
import threading
import time
from contextlib import closing, suppress
from subprocess import DEVNULL, Popen
from typing import TYPE_CHECKING, Any

import pytest
import requests

from dinmo.local.machine import HOST, free_port
from tests.crash.installation import ROOT, Installation
from tests.crash.test_killed_worker import installation
from tests.dinmo.live_processes import wait_for

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["installation"]
PASSWORD = "a long phrase of words"
RUNS, CHANGES = "select count(*) from activations_run", "select count(*) from activations_change"

pytestmark = pytest.mark.crash


class Browser(requests.Session):
    """A signed-in browser."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url
        self.post_form("/admin/login/", username="ops", password=PASSWORD)

    def text(self, path: str) -> str:
        answer = self.get(self.url + path)
        assert answer.status_code == 200
        return answer.text

    def post_form(self, path: str, **form: str) -> requests.Response:
        self.text("/admin/login/")
        token = self.cookies["csrftoken"]
        return self.post(self.url + path, {**form, "csrfmiddlewaretoken": token}, headers={"X-CSRFToken": token})


def serve(installation: Installation, port: int) -> Popen[bytes]:
    command = [sys.executable, "manage.py", "runserver", "--noreload", f"{HOST}:{port}"]
    process = Popen(command, cwd=ROOT, env={**installation.environment, "DEBUG": "1"}, stdout=DEVNULL, stderr=DEVNULL)

    def answers() -> bool:
        with suppress(requests.ConnectionError):
            return requests.get(f"http://{HOST}:{port}/admin/login/", timeout=5).ok
        return False

    wait_for(answers, 30, "the web process")
    return process


def number(home: Path, sql: str) -> int:
    with closing(sqlite3.connect(home / "dinmo.sqlite3")) as connection:
        return int(connection.execute(sql).fetchone()[0])


def test_killed_preview_is_seen_by_nobody_and_deleted(installation: Installation) -> None:
    installation.environment |= {"DJANGO_SUPERUSER_PASSWORD": PASSWORD}
    assert (
        installation.manage("createsuperuser", "--noinput", "--username=ops", "--email=o@example.com").returncode == 0
    )
    home, port = installation.home, free_port()
    web = serve(installation, port)
    browser = Browser(f"http://{HOST}:{port}")
    activation = re.findall(r"/admin/activations/activation/(\d+)/", browser.text("/admin/activations/activation/"))[0]
    with closing(sqlite3.connect(home / "dinmo.sqlite3")) as connection, connection:
        # Updates look the record up after they are planned, which is when the process dies.
        connection.execute("update activations_activation set mode = 'update'")
    installation.sandbox.latency_seconds = 1.0
    lost: list[Any] = []

    def ask() -> None:
        with suppress(requests.ConnectionError):
            lost.append(browser.post_form(f"/api/editor/activations/{activation}/request/", key="7"))

    asking = threading.Thread(target=ask)
    asking.start()
    wait_for(lambda: number(home, CHANGES), 30, "the plan of the preview")
    web.kill()
    web.wait()
    asking.join()
    assert (lost, number(home, RUNS), number(home, CHANGES)) == ([], 1, 1)

    web = serve(installation, port)
    try:
        for page in ("/admin/", "/admin/activations/run/", "/admin/activations/change/"):
            assert not re.search(r"/activations/(run|change)/\d+/", browser.text(page))
        time.sleep(float(installation.environment["RUN_LEASE_SECONDS"]))
        installation.manage("shell", "-c", "from activations.tasks import sweep; sweep()")
        assert (number(home, RUNS), number(home, CHANGES)) == (0, 0)
        assert browser.post_form(f"/api/editor/activations/{activation}/request/", key="7").status_code == 200
    finally:
        web.kill()
        web.wait()
