"""Changes and kills for some minutes, while schedules start the runs."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from activations.models import Activation, Run
from activations.runs import requests
from dinmo.local import programs
from dinmo.local.machine import HOST
from tests.chaos.processes import BEAT, WORKERS, Installation
from tests.chaos.scenario import live
from tests.soak.memory import Memory

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Mapping

    from tests.chaos.faults import FaultyVendor
    from tests.soak.source import Source

STEADY_WORKER, SECOND_BEAT, STEADY_WEB, WEB = "steady worker", "steady beat", "steady web", "web"
STEADY = (STEADY_WORKER, SECOND_BEAT, STEADY_WEB)
KILLED = (*WORKERS, BEAT, WEB)
KILL_SECONDS = (15.0, 45.0)
"""The time between two kills, at least and at most."""
CHANGE_SECONDS, SAMPLE_SECONDS, PAGE_SECONDS, TICK_SECONDS = 60.0, 5.0, 1.0, 0.2
SETTLE_SECONDS = 600.0


class Pages:
    """Requests a page of the web process that is not killed, once a second."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.pages = 0
        self.failures: list[str] = []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Pages:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.stopped.wait(PAGE_SECONDS):
            connection = http.client.HTTPConnection(HOST, self.port, timeout=60)
            try:
                connection.request("GET", "/admin/login/")
                if (status := connection.getresponse().status) != 200:
                    self.failures.append(f"status {status}")
                self.pages += 1
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            finally:
                connection.close()


@dataclass
class Scenario:
    """Call `run`, then `settle` twice."""

    installation: Installation
    source: Source
    vendors: Mapping[str, FaultyVendor]
    rng: random.Random
    show: Callable[[str], None]
    kills: Counter[str] = field(default_factory=Counter)
    changes: int = 0

    def run(self, minutes: float) -> Memory:
        """Changes the source each minute, and kills a process every half a minute or so."""
        memory = Memory({name: self.installation.running[name].pid for name in STEADY})
        for vendor in self.vendors.values():
            vendor.faults_enabled = True
        began = time.monotonic()
        due = {"change": began, "kill": began + KILL_SECONDS[1], "sample": began}
        while (now := time.monotonic()) < began + minutes * 60:
            self.installation.keep_running()
            if now >= due["change"]:
                self.changes += self.source.change()
                due["change"] += CHANGE_SECONDS
                self._report((now - began) / 60)
            if now >= due["kill"]:
                self._kill(self.rng.choice(KILLED))
                due["kill"] = now + self.rng.uniform(*KILL_SECONDS)
            if now >= due["sample"]:
                memory.sample()
                due["sample"] = now + SAMPLE_SECONDS
            time.sleep(TICK_SECONDS)
        memory.sample()
        for vendor in self.vendors.values():
            vendor.faults_enabled = False
        return memory

    def settle(self) -> list[Run]:
        """Waits for all runs to end, and runs every activation once more, as a person does."""
        self._await_end()
        requested = [
            requests.request(activation, Run.Trigger.MANUAL).pk for activation in Activation.objects.order_by("pk")
        ]
        self._await_end()
        return list(Run.objects.filter(pk__in=requested).select_related("activation"))

    def _kill(self, name: str) -> None:
        self.kills[name] += 1
        self.installation.kill(name)

    def _await_end(self) -> None:
        deadline = time.monotonic() + SETTLE_SECONDS
        while live() and time.monotonic() < deadline:
            self.installation.keep_running()
            time.sleep(TICK_SECONDS)

    def _report(self, minute: float) -> None:
        writes = sum(len(vendor.writes) for vendor in self.vendors.values())
        faults = sum(vendor.faults for vendor in self.vendors.values())
        self.show(
            f"  minute {minute:.0f}: {self.changes} rows changed, {writes} writes, {faults} faults, "
            f"{self.kills.total()} kills, {len(live())} runs live"
        )


def add_programs(installation: Installation, ports: Mapping[str, int]) -> None:
    """Adds two web processes, and a worker and a beat that are not killed."""
    installation.commands[STEADY_WORKER] = (*programs.worker().command, "--hostname", "steady@%h")
    installation.commands[SECOND_BEAT] = programs.beat(installation.home).command
    installation.commands |= {name: programs.web(port).command for name, port in ports.items()}
