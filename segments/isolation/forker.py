"""The process whose copies read sources: it has loaded the engines, so that a copy starts within milliseconds.

Started as `python -m segments.isolation.forker SECONDS MODULE…`: the modules to load, and after how long without work
it ends. Its standard input is one end of a socket. It ends with the other end, and so with the process that started it.
A copy is made for each session. Its temporary files are in a directory of its own, which is removed with it.
"""

from __future__ import annotations

import gc
import importlib
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from segments.isolation.limits import end_with
from segments.isolation.orders import ENDED, KILL, ORDER, START
from segments.isolation.session import LONELY_SECONDS, OUT_OF_MEMORY, Session
from segments.registry import engines

MOST_DESCRIPTORS = 1 << 16


@dataclass(frozen=True)
class Running:
    """A process that was started: its number, the pipe for its end, and its directory for temporary files."""

    number: int
    pipe: int
    folder: Path


class Forker:
    """Starts and ends processes as it is ordered to.

    Args:
        control: where orders come from.
        folder: contains the directories for temporary files.
        idle_seconds: after how long without work it ends; 0 for never.
    """

    def __init__(self, control: socket.socket, folder: Path, idle_seconds: float) -> None:
        self.control = control
        self.folder = folder
        self.idle_seconds = idle_seconds or None
        self.running: dict[int, Running] = {}
        self.woken, self.waking = os.pipe()
        os.set_blocking(self.waking, False)

    def serve(self) -> None:
        """Follows orders until the process that gives them is gone, or has given none for a long time."""
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.waking, warn_on_full_buffer=False)
        while True:
            ready, _, _ = select.select([self.control.fileno(), self.woken], [], [], self.idle_seconds)
            if self.woken in ready:
                os.read(self.woken, 4096)
                self.reap()
            if self.control.fileno() in ready and not self.follow():
                break
            if not ready and not self.running:
                break
        self.end()

    def follow(self) -> bool:
        """Follows one order. False if there are no more."""
        order, descriptors, _, _ = socket.recv_fds(self.control, ORDER.size, 2)
        if not order:
            return False
        kind, number = ORDER.unpack(order)
        if kind == START:
            self.start(number, *descriptors)
        elif kind == KILL:
            self.kill({pid for pid, one in self.running.items() if one.number == number})
        return True

    def start(self, number: int, connection: int, pipe: int) -> None:
        folder, parent = self.folder / str(number), os.getpid()
        try:
            pid = os.fork()
        except OSError:
            # Whoever waits for it reads the end of the pipe.
            os.close(pipe)
        else:
            if pid == 0:
                _become_session(connection, folder, parent)
            self.running[pid] = Running(number, pipe, folder)
        os.close(connection)

    def reap(self) -> None:
        """Reports the processes that have ended, and removes what they left behind."""
        while self.running:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            one = self.running.pop(pid)
            shutil.rmtree(one.folder, ignore_errors=True)
            with suppress(OSError):
                os.write(one.pipe, ENDED.pack(status))
            os.close(one.pipe)

    def kill(self, pids: set[int]) -> None:
        for pid in pids:
            # Each leads a process group, unless it has only just been started.
            for kill in (os.killpg, os.kill):
                with suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)

    def end(self) -> None:
        """Gives servers the time to cancel their statements, and ends all processes that are left."""
        until = time.monotonic() + LONELY_SECONDS
        while self.running and time.monotonic() < until:
            time.sleep(0.02)
            self.reap()
        self.kill(set(self.running))
        while self.running:
            time.sleep(0.005)
            self.reap()


def _become_session(connection: int, folder: Path, parent: int) -> None:
    """Turns this copy into a session, and ends it."""
    code = 1
    try:
        os.setsid()
        end_with(parent)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(connection, 3)
        os.closerange(4, MOST_DESCRIPTORS)
        nothing = os.open(os.devnull, os.O_RDWR)
        # Libraries write to the third, even values, when they abort.
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        os.close(nothing)
        folder.mkdir()
        tempfile.tempdir = str(folder)
        Session(socket.socket(fileno=3)).serve()
        code = 0
    except MemoryError:
        code = OUT_OF_MEMORY
    finally:
        os._exit(code)


def main() -> None:
    # The web server and a terminal end it by ending its parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _, idle_seconds, *modules = sys.argv
    _ = engines.all, list(map(importlib.import_module, modules))
    gc.collect()
    gc.freeze()
    with tempfile.TemporaryDirectory(prefix="dinmo-") as folder:
        Forker(socket.socket(fileno=os.dup(0)), Path(folder), float(idle_seconds)).serve()
    # Without the clean-up of libraries, of which some complain.
    os._exit(0)


if __name__ == "__main__":
    main()
