"""The programs of an installation, as run by the supervisor."""

from __future__ import annotations

import http.client
import os
import sys
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from dinmo.local import broker
from dinmo.local.machine import HOST
from dinmo.local.supervisor import Program
from dinmo.local.web_server import LOGIN_PRINTED

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WEB_THREADS = 8
WORKER_PROCESSES = 2
FEW_ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""Otherwise, glibc keeps freed memory in many places, because every run starts threads of its own."""
CELERY = (sys.executable, "-m", "celery", "--quiet", "-A", "dinmo")


def embedded_broker(command: tuple[str, ...], socket: Path, log: Path) -> Program:
    """The private broker. The other programs start once it is ready. It keeps a log of its own."""
    return Program("broker", (*command, "--logfile", str(log)), ready=partial(broker.is_ready, socket))


def sandboxes(manage: Path, ports: Mapping[str, int]) -> Program:
    """The vendor simulators, each on the port of its platform."""
    options = [word for slug, port in ports.items() for word in (f"--{slug}-port", str(port))]
    return Program("sandbox", (sys.executable, str(manage), "sandbox", *options))


def planner() -> Program:
    """Reads sources and plans runs."""
    return worker("planner", "planning")


def deliverer() -> Program:
    """Delivers, and does everything else. It never waits for a source."""
    return worker("worker", "delivery,celery")


def worker(name: str = "worker", queues: str = "") -> Program:
    """Executes tasks. It hands over its runs when it stops; one that takes longer is taken over at the next start.

    Args:
        queues: the names of the queues that it serves; all of them if empty.
    """
    served = ("--queues", queues, "--hostname", f"{name}@%h") if queues else ()
    options = ("--concurrency", str(WORKER_PROCESSES), "--without-gossip", "--without-mingle", *served)
    return Program(name, (*CELERY, "worker", *options), grace_seconds=10)


def beat(var_dir: Path) -> Program:
    """Starts scheduled tasks. The locked state directory allows only one beat, so a PID file could only go stale."""
    options = ("--pidfile", "", "--schedule", str(var_dir / "beat-schedule"))
    return Program("beat", (*CELERY, "beat", *options))


def web(port: int) -> Program:
    """The screens and the API."""
    options = (
        "--config",
        "python:dinmo.local.web_server",
        "--threads",
        str(WEB_THREADS),
        "--graceful-timeout",
        "5",
        "--no-control-socket",
    )
    command = (sys.executable, "-m", "gunicorn", "dinmo.wsgi", "--bind", f"{HOST}:{port}", *options)
    return Program("web", command, ready=partial(web_is_ready, port), grace_seconds=7)


def web_is_ready(port: int) -> bool:
    """Whether the web server answers."""
    connection = http.client.HTTPConnection(HOST, port, timeout=0.5)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/healthz")
        return connection.getresponse().status > 0
    connection.close()
    return False


def environment(
    inherited: Mapping[str, str], base_dir: Path, broker_url: str, web_url: str, simulator_urls: Mapping[str, str]
) -> dict[str, str]:
    """The environment of the programs. URLs set in the user's environment take precedence over those of this machine.

    Args:
        simulator_urls: the URL of each running simulator, by the environment variable that points requests to it.
    """
    # What the programs write goes to files and to a terminal, through pipes.
    defaults = {"PUBLIC_URL": web_url, "LOG_FORMAT": "text", **FEW_ARENAS, **simulator_urls}
    chosen = {name: value for name, value in inherited.items() if value or name not in defaults}
    paths = [str(base_dir), *filter(None, [inherited.get("PYTHONPATH")])]
    fixed = {"CELERY_BROKER_URL": broker_url, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    fixed[LOGIN_PRINTED] = "1"
    return {**defaults, **chosen, **fixed}
