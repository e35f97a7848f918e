"""Web and worker processes are replaced under load: no page fails, and no write is lost or doubled."""

from __future__ import annotations

import http.client
import threading
from typing import TYPE_CHECKING

import pytest

from dinmo.local import programs
from dinmo.local.machine import HOST, free_port
from tests.crash.workers import WORKSPACE, companies, running, wait_until

if TYPE_CHECKING:
    from pathlib import Path

COUNT = 400
"""At 25 a second, a delivery takes 16 seconds: long enough to replace its worker on a busy machine, too."""
ROUNDS = 3
LOAD_THREADS = 4

pytestmark = [pytest.mark.crash, pytest.mark.slow]


class Load:
    """Requests pages all the time, as a proxy in front of two web processes does: if one refuses, it asks the other."""

    def __init__(self, ports: list[int]) -> None:
        self.ports = ports
        self.pages = 0
        self.failures: list[str] = []
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._run, daemon=True) for _ in range(LOAD_THREADS)]

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def _run(self) -> None:
        while not self.stopped.wait(0.02):
            try:
                status = self._page()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            else:
                self.pages += 1
                if status != 200:
                    self.failures.append(f"status {status}")

    def _page(self) -> int:
        for port in self.ports:
            connection = http.client.HTTPConnection(HOST, port, timeout=60)
            try:
                connection.connect()
            except ConnectionRefusedError:
                # It has not been asked yet, so asking the other repeats nothing.
                continue
            connection.request("GET", "/admin/login/")
            status = connection.getresponse().status
            connection.close()
            return status
        raise ConnectionRefusedError("no web process answers")


def test_nothing_fails_while_everything_is_replaced(tmp_path: Path) -> None:
    ports = [free_port(), free_port()]
    with running(tmp_path, companies(COUNT), WORKSPACE) as workers:
        web = [workers.start(programs.web(port)) for port in ports]
        worker = workers.start(programs.worker(), "worker-0")
        with Load(ports) as load:
            for number in range(1, ROUNDS + 1):
                following = workers.start(programs.worker(), f"worker-{number}")
                before = workers.installation.created().total()
                workers.request("All")
                wait_until(lambda: workers.installation.created().total() > before + COUNT / 10, "a delivery")  # noqa: B023
                assert workers.stop(worker) < 30
                assert workers.state("All") == "delivering"
                worker = following
                for place, port in enumerate(ports):
                    workers.stop(web[place])
                    web[place] = workers.start(programs.web(port))
                wait_until(lambda: workers.state("All") == "succeeded", "the rest of the delivery")
                workers.insert(companies(COUNT, begin=number * COUNT))
        assert load.failures == []
        assert load.pages > 10 * ROUNDS
        sent = workers.installation.created()
        assert sent == {f"Company {number}": 1 for number in range(ROUNDS * COUNT)}
        for run in workers.runs("All"):
            # Each was handed over: no lease had to end.
            assert (run["accepted"], run["unknown"], run["takeovers"]) == (COUNT, 0, 0)
            assert run["epoch"] >= 2
