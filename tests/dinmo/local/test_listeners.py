"""A listening socket that is about to be closed lets nobody in, and nobody who was let in before is cut off."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading

import pytest

from dinmo.local import listeners

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="socket filters are Linux's")

SEEN_BY_CHILD = """
import socket, sys
from dinmo.local import listeners
print(listeners.is_kept_by_parent(socket.socket(fileno=int(sys.argv[1]))))
"""


@pytest.fixture
def listener() -> socket.socket:
    made = socket.create_server(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def test_client_that_was_let_in_is_answered(listener: socket.socket) -> None:
    client = socket.create_connection(listener.getsockname())
    listeners.refuse_new_clients(listener)
    accepted, _ = listener.accept()
    listener.close()
    client.sendall(b"question")
    assert accepted.recv(20) == b"question"
    accepted.sendall(b"answer")
    assert client.recv(20) == b"answer"


def test_later_client_is_not_let_in_and_is_refused(listener: socket.socket) -> None:
    address = listener.getsockname()
    listeners.refuse_new_clients(listener)
    outcome: list[BaseException] = []

    def connect() -> None:
        try:
            socket.create_connection(address, timeout=30)
        except OSError as error:
            outcome.append(error)

    client = threading.Thread(target=connect)
    client.start()
    client.join(0.3)
    assert client.is_alive()
    with pytest.raises(BlockingIOError):
        listener.accept()
    listener.close()
    client.join()
    assert [type(error) for error in outcome] == [ConnectionRefusedError]


@pytest.mark.parametrize("closed", [False, True])
def test_child_knows_whether_its_parent_still_listens(listener: socket.socket, closed: bool) -> None:
    number = listener.fileno()
    command = [sys.executable, "-c", f"import sys; sys.stdin.read(); sys.argv[1:] = ['{number}']\n{SEEN_BY_CHILD}"]
    child = subprocess.Popen(
        command, pass_fds=[number], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "."}
    )
    if closed:
        listener.close()
    output, _ = child.communicate("")
    assert output.strip() == str(not closed)
