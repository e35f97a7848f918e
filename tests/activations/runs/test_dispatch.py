"""A run is queued even if the broker is gone, or accepts connections and never answers."""

from __future__ import annotations

import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from activations.runs import dispatch
from core.errors import Unavailable
from dinmo.celery import app
from dinmo.local import broker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


pytestmark = pytest.mark.django_db


def accept(listener: socket.socket, accepted: list[socket.socket]) -> None:
    try:
        while True:
            accepted.append(listener.accept()[0])
    except OSError:
        return


@pytest.fixture(params=["tcp", "unix"])
def hung(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a broker that accepts connections and never answers."""
    path = tmp_path / "broker.sock"
    listener = socket.socket(socket.AF_INET if request.param == "tcp" else socket.AF_UNIX)
    listener.bind(("127.0.0.1", 0) if request.param == "tcp" else str(path))
    listener.listen(20)
    accepted: list[socket.socket] = []
    thread = threading.Thread(target=accept, args=(listener, accepted), daemon=True)
    thread.start()
    yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0" if request.param == "tcp" else broker.url(path)
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()
    for connection in accepted:
        connection.close()


def seconds_to_enqueue(url: str, monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(app.conf, "broker_url", url)
    monkeypatch.setattr(app.conf, "broker_write_url", url)
    started = time.monotonic()
    dispatch.enqueue(7)
    return time.monotonic() - started


def test_hung_broker_does_not_keep_a_person_waiting(
    hung: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert seconds_to_enqueue(hung, monkeypatch) < 10
    assert "Run 7 waits for the sweep" in caplog.text


def test_dead_broker_does_not_keep_a_person_waiting(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert seconds_to_enqueue("redis://127.0.0.1:1/0", monkeypatch) < 10
    assert "Run 7 waits for the sweep" in caplog.text


def test_check_of_a_hung_broker_ends(hung: str) -> None:
    started = time.monotonic()
    with pytest.raises(Unavailable):
        broker.check_connection(hung)
    assert time.monotonic() - started < 20
