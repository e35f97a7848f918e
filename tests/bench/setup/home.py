"""A temporary installation for each measurement: state directory, database, simulators, and fresh processes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import requests
from django.conf import settings

from core import http
from destinations.registry import platforms
from dinmo.local.machine import HOST, free_port
from dinmo.local.processes import spawn, stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

TOKEN = "bench-token"
PROJECT_VARIABLES = re.compile(
    r"DATABASE_URL|REDIS_URL|CELERY_.*|SANDBOX.*|VAR_DIR|SOURCE_.*|RUN_.*|LOG_LEVEL|\w+_API_URL"
)
LONGEST_SECONDS = 3_600
START_SECONDS = 30


class MeasurementFailed(Exception):
    """A process of a measurement failed. The message is its output."""


@dataclass(frozen=True)
class Home:
    """The state directory and the environment of a measurement's processes."""

    directory: Path
    environment: Mapping[str, str]

    @property
    def sources(self) -> Path:
        return self.directory / "data"

    def begin(self, *words: str) -> subprocess.Popen[bytes]:
        """Starts a Python program in this home."""
        return spawn((sys.executable, *words), self.environment, subprocess.PIPE)

    def manage(self, *words: str) -> str:
        """Runs a management command to its end. Returns its output."""
        return finish(self.begin(str(settings.BASE_DIR / "manage.py"), *words))

    def measure(self, case: str, **options: Any) -> dict[str, Any]:
        """Runs one case in a fresh process. Returns its measurements."""
        return measured(self.begin_case(case, **options))

    def begin_case(self, case: str, **options: Any) -> subprocess.Popen[bytes]:
        """Starts one case in a fresh process."""
        return self.begin("-m", "tests.bench.child", case, json.dumps(options))


def finish(process: subprocess.Popen[bytes]) -> str:
    """Waits for a process to end. Returns its output.

    Raises:
        MeasurementFailed: the process failed, or took longer than an hour.
    """
    try:
        output = process.communicate(timeout=LONGEST_SECONDS)[0].decode()
    except subprocess.TimeoutExpired:
        stop(process, 1)
        raise MeasurementFailed(f"The process did not end within {LONGEST_SECONDS} seconds.") from None
    if process.returncode:
        raise MeasurementFailed(output)
    return output


def measured(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """The measurements that a case printed on its last line. Raises the same as `finish`."""
    measurements: dict[str, Any] = json.loads(finish(process).splitlines()[-1])
    return measurements


def at(directory: Path, database_url: str, **more: str) -> Home:
    """A home without running processes. `more` are additional environment variables."""
    sources = directory / "data"
    sources.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if not PROJECT_VARIABLES.fullmatch(name)}
    own = {
        "VAR_DIR": str(directory),
        "DATABASE_URL": database_url,
        "SOURCE_FILES_ROOT": str(sources),
        "LOG_LEVEL": "WARNING",
        "SANDBOX_TOKEN": TOKEN,
        "BENCH_TOKEN": TOKEN,
        "PYTHONPATH": str(settings.BASE_DIR),
    }
    return Home(directory, {**kept, **own, **more})


@contextmanager
def opened(directory: Path, database_url: str) -> Iterator[Home]:
    """A home with a simulator of each vendor running."""
    ports = {slug: free_port() for slug in platforms.all}
    urls = {platforms[slug].url_variable: f"http://{HOST}:{port}" for slug, port in ports.items()}
    home = at(directory, database_url, **urls)
    with ExitStack() as stack:
        words = [word for slug, port in ports.items() for word in (f"--{slug}-port", str(port))]
        log = stack.enter_context((directory / "sandbox.log").open("ab"))
        process = spawn(
            (sys.executable, str(settings.BASE_DIR / "manage.py"), "sandbox", *words), home.environment, log
        )
        stack.callback(stop, process, 2)
        for url in urls.values():
            _await(url)
        yield home


def control(home: Home, platform: str, method: str, path: str, body: Any = None) -> Any:
    """Sends one request to a control path of a simulator. Returns the response."""
    url = home.environment[platforms[platform].url_variable]
    with http.session() as session:
        answer = session.request(method, f"{url}/_sandbox/{path}", json=body, timeout=60)
    answer.raise_for_status()
    return answer.json()


def _await(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        with suppress(requests.ConnectionError), http.session() as session:
            session.get(f"{url}/_sandbox/state", timeout=5)
            return
        if time.monotonic() > deadline:
            raise MeasurementFailed(f"The simulator did not start within {START_SECONDS} seconds.")
        time.sleep(0.05)
