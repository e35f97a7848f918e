"""The supervisor, running real programs in a process of its own, as in production."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from dinmo.local.supervisor import next_delay
from tests.dinmo.live_processes import ROOT, descendants, is_alive, needs_proc, wait_for

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = needs_proc

SCRIPT = """
import os, signal, sys
# If the tests run under nohup, the ignored SIGHUP is inherited.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
from pathlib import Path
from dinmo.local.supervisor import Program, Supervisor
def write(line): print(line, flush=True)
programs = [{programs}]
Supervisor(programs, os.environ, write, lambda: write("all ready")).run()
"""
FOREVER = "while :; do sleep 0.05; done"


@dataclass
class Running:
    process: subprocess.Popen[bytes]
    log: Path

    def text(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str, times: int = 1) -> None:
        wait_for(lambda: self.text().count(text) >= times, 10, f"{times} × {text!r}")

    def pid_of(self, mark: str) -> int:
        return next(pid for pid, line in descendants(self.process.pid).items() if mark in line)


Start = Callable[[str], Running]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    started: list[Running] = []

    def run(programs: str) -> Running:
        log = tmp_path / f"{len(started)}.log"
        with log.open("wb") as file:
            command = [sys.executable, "-c", SCRIPT.format(programs=programs)]
            process = subprocess.Popen(
                command, cwd=ROOT, stdout=file, stderr=file, env={**os.environ, "HERE": str(tmp_path)}
            )
        started.append(Running(process, log))
        return started[-1]

    yield run
    for running in started:
        running.process.kill()
        running.process.wait()


def shell(name: str, script: str, more: str = "") -> str:
    return f"Program({name!r}, ('sh', '-c', {script!r}), {more}),"


def test_every_line_is_prefixed_with_its_program(start: Start) -> None:
    running = start(shell("one", rf"printf 'first\nno end'; {FOREVER}") + shell("longer", f"echo other >&2; {FOREVER}"))
    running.wait_for("all ready")
    running.wait_for("longer | other")
    running.process.terminate()
    running.process.wait(10)
    assert "one    | first\n" in running.text()
    assert "one    | no end\n" in running.text()


def test_unfinished_line_is_shown_although_the_pipe_stays_open(start: Start) -> None:
    other_session = "import os, time; os.setsid(); time.sleep(4)"
    running = start(shell("one", f"{sys.executable} -c '{other_session}' & printf unfinished; sleep 1"))
    running.wait_for("one exited with code 0")
    assert "one | unfinished\n" in running.text()


def test_killed_program_is_restarted(start: Start) -> None:
    running = start(shell("one", f"echo began; {FOREVER}"))
    running.wait_for("one | began")
    os.kill(running.pid_of("echo began"), signal.SIGKILL)
    running.wait_for("one | began", times=2)
    assert "up  | one was killed by signal 9; restarting in 0.5 s." in running.text()


def test_children_of_a_killed_program_are_killed_too(start: Start) -> None:
    running = start(shell("one", f"sh -c 'echo $$ > $HERE/below; {FOREVER}' & echo began; wait"))
    running.wait_for("one | began")
    left_behind = running.log.parent / "below"
    wait_for(left_behind.exists, 5, "the start of the child")
    wait_for(left_behind.read_text, 5, "its process ID")
    pid = int(left_behind.read_text())
    os.kill(running.pid_of("echo began"), signal.SIGKILL)
    wait_for(lambda: not is_alive(pid), 5, "the end of the child")


def test_program_that_keeps_exiting_is_restarted_with_growing_delays(start: Start) -> None:
    running = start(shell("one", "echo began; exit 3"))
    running.wait_for("one | began", times=3)
    assert "one exited with code 3; restarting in 0.5 s." in running.text()
    assert "one exited with code 3; restarting in 1 s." in running.text()


def test_delays_double_up_to_30_seconds_and_are_reset_after_a_long_uptime() -> None:
    delays = [0.0]
    for _ in range(9):
        delays.append(next_delay(delays[-1], uptime_seconds=1))
    assert delays == [0, 0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert next_delay(30, uptime_seconds=60) == 0.5


def test_later_programs_wait_until_the_first_is_ready(start: Start) -> None:
    ready = "ready=(Path(os.environ['HERE']) / 'ready').exists"
    running = start(
        shell("one", f"echo began; sleep 0.5; echo ready; touch $HERE/ready; {FOREVER}", ready)
        + shell("two", f"echo began; {FOREVER}")
    )
    running.wait_for("two | began")
    text = running.text()
    assert text.index("one | began") < text.index("one | ready") < text.index("two | began")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_stops_programs_in_reverse_order(start: Start, number: signal.Signals) -> None:
    polite = "trap 'echo ended; exit' TERM; " + FOREVER
    running = start(shell("one", polite) + shell("two", polite))
    running.wait_for("all ready")
    pids = descendants(running.process.pid)
    os.kill(running.process.pid, number)
    assert running.process.wait(10) == 0
    assert running.text().index("two | ended") < running.text().index("one | ended")
    assert not any(is_alive(pid) for pid in pids)


def test_program_that_does_not_exit_is_killed_after_its_grace_period(start: Start) -> None:
    running = start(shell("one", f"trap 'echo never' TERM; echo began; {FOREVER}", "grace_seconds=0.5"))
    running.wait_for("one | began")
    running.process.terminate()
    assert running.process.wait(5) == 0
    assert "one | never" in running.text()


def test_second_signal_stops_immediately(start: Start) -> None:
    running = start(shell("one", f"trap 'echo never' TERM; echo began; {FOREVER}", "grace_seconds=60"))
    running.wait_for("one | began")
    running.process.terminate()
    running.wait_for("one | never")
    running.process.terminate()
    assert running.process.wait(5) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills the programs of a killed parent")
def test_killed_supervisor_leaves_no_program_running(start: Start) -> None:
    running = start(shell("one", FOREVER) + shell("two", FOREVER))
    running.wait_for("all ready")
    pids = [pid for pid, line in descendants(running.process.pid).items() if FOREVER in line]
    assert len(pids) == 2
    running.process.kill()
    running.process.wait()
    wait_for(lambda: not any(map(is_alive, pids)), 3, "the end of the programs")
