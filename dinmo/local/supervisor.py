"""Supervises several programs: starts them in order, restarts them when they exit, stops them in reverse order."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dinmo.local.processes import kill_session, spawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from types import FrameType

    from dinmo.local.logs import Logs

FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 30.0
TICK_SECONDS = 0.2
LONGEST_LINE_BYTES = 65_536


@dataclass(frozen=True)
class Program:
    """One program to keep running.

    Args:
        ready: returns whether the program is ready. The programs after it start only then.
        grace_seconds: how long the program may take to exit after SIGTERM.
    """

    name: str
    command: tuple[str, ...]
    ready: Callable[[], bool] | None = None
    grace_seconds: float = 5.0


def next_delay(previous: float, uptime_seconds: float) -> float:
    """Seconds to wait before a restart: doubled each time, and reset once the program has run for a while."""
    if uptime_seconds >= LONGEST_DELAY_SECONDS:
        return FIRST_DELAY_SECONDS
    return min(LONGEST_DELAY_SECONDS, max(FIRST_DELAY_SECONDS, previous * 2))


class _Child:
    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.started_at = 0.0
        self.start_at = 0.0
        self.delay = 0.0
        self.was_ready = False
        self.rest = b""

    def is_ready(self) -> bool:
        if not self.was_ready and self.process is not None:
            self.was_ready = self.program.ready is None or self.program.ready()
        return self.was_ready

    def lines(self, data: bytes) -> list[str]:
        """The lines that `data` completes. A line that is too long is split; empty data ends the last line."""
        *complete, self.rest = (self.rest + data).split(b"\n")
        if len(self.rest) > LONGEST_LINE_BYTES or (not data and self.rest):
            complete.append(self.rest)
            self.rest = b""
        return [line.decode(errors="replace").rstrip("\r") for line in complete]


class Supervisor:
    """Keeps programs running until SIGINT, SIGTERM or SIGHUP arrives. A second signal kills them immediately.

    Everything happens in one thread: on Linux, the kernel kills the programs when the thread that started them ends, so
    even a killed supervisor leaves none behind.

    Args:
        environment: of every program.
        write: called with each line of output.
        on_ready: called once, when every program has started and is ready.
        logs: keeps the output of each program, if given. Then only its end is shown, when a program exits.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        environment: Mapping[str, str],
        write: Callable[[str], None],
        on_ready: Callable[[], None],
        logs: Logs | None = None,
    ) -> None:
        self.children = [_Child(program) for program in programs]
        self.environment = environment
        self.write = write
        self.on_ready = on_ready
        self.logs = logs
        self.selector = selectors.DefaultSelector()
        self.width = max((len(program.name) for program in programs), default=0)
        self.signals = 0
        self.announced = False

    def run(self) -> None:
        """Blocks until a signal arrives and every program has stopped."""
        with self._counting_signals():
            try:
                while not self.signals:
                    self._start_due(time.monotonic())
                    self._show_output(TICK_SECONDS)
                    self._reap(time.monotonic())
            finally:
                self._stop_all()

    def _start_due(self, now: float) -> None:
        for child in self.children:
            if child.process is None and now >= child.start_at:
                self._start(child, now)
            if not child.is_ready():
                return
        if not self.announced:
            self.announced = True
            self.on_ready()

    def _start(self, child: _Child, now: float) -> None:
        child.process = spawn(child.program.command, self.environment, subprocess.PIPE)
        child.started_at = now
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self.selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _show_output(self, seconds: float) -> None:
        if not self.selector.get_map():
            time.sleep(seconds)
            return
        for key, _ in self.selector.select(seconds):
            self._read(key)

    def _read(self, key: selectors.SelectorKey) -> bool:
        """Shows what the program has written. Returns False if there is nothing more to read for now."""
        try:
            data = os.read(key.fd, LONGEST_LINE_BYTES)
        except BlockingIOError:
            return False
        self._show(key.data, data)
        if not data:
            self.selector.unregister(key.fileobj)
        return bool(data)

    def _show(self, child: _Child, data: bytes) -> None:
        for line in child.lines(data):
            if self.logs:
                self.logs.add(child.program.name, line)
            if not self.logs or self.logs.shown:
                self._write_line(child.program.name, line)

    def _reap(self, now: float) -> None:
        for child in self.children:
            if child.process is not None and child.process.poll() is not None:
                code = child.process.returncode
                child.delay = next_delay(child.delay, now - child.started_at)
                child.start_at = now + child.delay
                self._clean_up(child)
                self._write_line("up", f"{child.program.name} {_exit_reason(code)}; restarting in {child.delay:g} s.")
                self._show_end(child.program.name)

    def _show_end(self, name: str) -> None:
        """Shows the last lines of a program's log, unless they were shown as they came."""
        if self.logs and not self.logs.shown:
            for line in self.logs.recent(name):
                self._write_line(name, line)
            self._write_line("up", f"All of it is in {self.logs.path(name)}")

    def _clean_up(self, child: _Child) -> None:
        """Kills what the program left behind, and shows the rest of its output."""
        assert child.process is not None
        assert child.process.stdout is not None
        kill_session(child.process)
        key = self.selector.get_map().get(child.process.stdout)
        if key is not None:
            while self._read(key):
                pass
            # A descendant that is slow to die keeps the pipe open, so no end of file flushes the last line.
            self._show(child, b"")
        if child.process.stdout in self.selector.get_map():
            self.selector.unregister(child.process.stdout)
        child.process.stdout.close()
        child.process = None

    def _stop_all(self) -> None:
        self._write_line("up", "Stopping.")
        for child in reversed(self.children):
            if child.process is not None:
                child.process.terminate()
                deadline = time.monotonic() + child.program.grace_seconds
                while child.process.poll() is None and self.signals < 2 and time.monotonic() < deadline:
                    self._show_output(0.05)
                self._clean_up(child)
        self.selector.close()

    def _write_line(self, name: str, line: str) -> None:
        self.write(f"{name:<{self.width}} | {line}")

    @contextmanager
    def _counting_signals(self) -> Iterator[None]:
        def count(_number: int, _frame: FrameType | None) -> None:
            self.signals += 1

        # nohup ignores SIGHUP, and it must stay ignored.
        hang_up = (signal.SIGHUP,) if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN else ()
        wanted = (signal.SIGINT, signal.SIGTERM, *hang_up)
        before = {number: signal.signal(number, count) for number in wanted}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _exit_reason(code: int) -> str:
    return f"was killed by signal {-code}" if code < 0 else f"exited with code {code}"
