"""A new installation in production settings: PostgreSQL, broker, web server, workers, beat and simulators."""

from __future__ import annotations

import base64
import os
import secrets
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from destinations import simulators
from dinmo.local import broker, programs
from dinmo.local.machine import HOST, free_port
from dinmo.local.processes import kill_session, spawn
from tests.activations.alerts.receivers import MailServer, serve
from tests.chaos import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dinmo.local.supervisor import Program

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 90
RUN_SECONDS = 5


class Installation:
    """The running installation: the port of its web server, the password of its people, and a trigger token."""

    def __init__(self, home: Path, database: str, broker_url: str, mail_port: int) -> None:
        self.home, self.port, self.password = home, free_port(), secrets.token_urlsafe(16)
        self.token = ""
        self.simulators = {"attio": free_port(), "intercom": free_port()}
        (home / "data").mkdir()
        self.environment = {
            **{name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DEBUG")},
            "DJANGO_SETTINGS_MODULE": "dinmo.settings",
            "PYTHONPATH": str(ROOT),
            "VAR_DIR": str(home / "var"),
            "SOURCE_FILES_ROOT": str(home / "data"),
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker_url,
            "PRODUCTION": "true",
            "PUBLIC_URL": f"https://{HOST}:{self.port}",
            "SECRET_KEY": secrets.token_hex(32),
            "ENCRYPTION_KEYS": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "METRICS_TOKEN": secrets.token_hex(16),
            "SCAN_PASSWORD": self.password,
            "LOG_FORMAT": "json",
            "EMAIL_URL": f"smtp://{HOST}:{mail_port}",
            simulators.VARIABLE: "attio intercom",
            "ATTIO_API_URL": f"http://{HOST}:{self.simulators['attio']}",
            "INTERCOM_API_URL": f"http://{HOST}:{self.simulators['intercom']}",
        }

    def run(self, *command: str) -> str:
        """Runs a Python command in the installation to its end, and returns what it prints."""
        done = subprocess.run(
            [sys.executable, *command], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
        return done.stdout.strip()

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"


@contextmanager
def running(home: Path) -> Iterator[Installation]:
    """Starts a new installation below `home`, and ends it. Uses SQLite if PostgreSQL is not installed."""
    with ExitStack() as stack:
        port = free_port()
        database = f"sqlite:///{home}/dinmo.sqlite3"
        if postgres.binaries():
            stack.enter_context(postgres.cluster(port))
            database = postgres.url(port)
        mail = stack.enter_context(MailServer())
        serve(mail)
        stack.callback(mail.shutdown)
        site = Installation(home, database, stack.enter_context(broker.running(home, {})), mail.port)
        site.run("manage.py", "migrate", "--verbosity", "0")
        manage = ROOT / "manage.py"
        _start(stack, site, programs.sandboxes(manage, site.simulators), ready=False)
        _start(stack, site, programs.web(site.port))
        _start(stack, site, programs.worker(), ready=False)
        time.sleep(RUN_SECONDS)
        site.token = site.run("-m", "tests.scan.prepare")
        time.sleep(RUN_SECONDS)
        yield site


def _start(stack: ExitStack, site: Installation, program: Program, *, ready: bool = True) -> None:
    with site.log(program.name).open("wb") as log:
        process = spawn(program.command, site.environment, log)
    stack.callback(kill_session, process)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while ready and program.ready and not program.ready():
        if time.monotonic() > deadline or process.poll() is not None:
            raise RuntimeError(f"{program.name} did not start:\n{site.log(program.name).read_text()[-2000:]}")
        time.sleep(0.2)
