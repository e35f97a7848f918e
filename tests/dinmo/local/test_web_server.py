"""The web server answers although other clients stall, and the log of requests has no query strings."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from dinmo.local import programs, web_server
from dinmo.local.machine import HOST, free_port
from dinmo.local.processes import spawn, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[3]
STALLED = [
    b"POST /admin/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nusername=",
    b"GET /admin/login/ HTTP/1.1\r\nHost: local",
    b"POST /api/segments/preview/ HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
]


def get(port: int, path: str) -> int:
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The port of a real server as the supervisor starts it, and the file with its output."""
    port, output = free_port(), tmp_path / "output"
    environment = {**os.environ, "VAR_DIR": str(tmp_path / "var"), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    command = programs.web(port).command
    with output.open("wb") as file:
        process = spawn(command, environment, file)
        try:
            deadline = time.monotonic() + 60
            while not programs.web_is_ready(port):
                assert time.monotonic() < deadline, output.read_text()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.1)
            yield port, output
        finally:
            stop(process, 10)


def test_stalled_clients_do_not_keep_others_waiting(server: tuple[int, Path]) -> None:
    port, output = server
    stalled = [socket.create_connection((HOST, port)) for _ in range(2 * programs.WEB_THREADS)]
    for number, connection in enumerate(stalled):
        connection.sendall(STALLED[number % len(STALLED)])
    started = time.monotonic()
    assert get(port, "/nothing/?key=secret-key") == 404
    assert time.monotonic() - started < 2 * web_server.PATIENCE_SECONDS + 15
    for connection in stalled:
        connection.close()
    # The line is written after the response.
    deadline = time.monotonic() + 30
    while "GET /nothing/ 404" not in output.read_text():
        assert time.monotonic() < deadline, output.read_text()
        time.sleep(0.05)
    log = output.read_text()
    assert "secret-key" not in log
    assert "Traceback" not in log


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[web_server.BoundedSocket, socket.socket]]:
    """The server's end and the client's end of a connection, with little patience."""
    monkeypatch.setattr(web_server, "PATIENCE_SECONDS", 0.3)
    monkeypatch.setattr(web_server, "SLOWEST_BYTES_PER_SECOND", 10**9)
    ours, theirs = socket.socketpair()
    yield web_server.BoundedSocket(ours), theirs
    ours.close()
    theirs.close()


def test_client_that_drips_is_cut_off(pair: tuple[web_server.BoundedSocket, socket.socket]) -> None:
    ours, theirs = pair
    started = time.monotonic()
    with pytest.raises(ConnectionResetError):
        while time.monotonic() - started < 10:
            theirs.sendall(b"x")
            ours.recv(1)
    assert time.monotonic() - started < 5


def test_each_request_has_its_own_time(pair: tuple[web_server.BoundedSocket, socket.socket]) -> None:
    ours, theirs = pair
    with pytest.raises(ConnectionResetError):
        ours.recv(1)
    ours.begin()
    theirs.sendall(b"x")
    assert ours.recv(1) == b"x"
    assert ours.gettimeout() is None


def test_client_that_does_not_read_is_cut_off(pair: tuple[web_server.BoundedSocket, socket.socket]) -> None:
    ours, _ = pair
    with pytest.raises(ConnectionResetError):
        for _ in range(1000):
            ours.sendall(b"x" * 10_000)
