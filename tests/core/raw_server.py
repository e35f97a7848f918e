"""A server that sends exactly the bytes it is given, whether or not they are valid HTTP."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class RawServer:
    """Answers each request with the next of `replies`, `delay` seconds after it arrived.

    Args:
        then: sent again and again after the last reply, until the client closes the connection.
        then_every: seconds between two of them.
    """

    listener: socket.socket
    replies: list[bytes] = field(default_factory=list)
    delay: float = 0.0
    then: bytes = b""
    then_every: float = 0.0
    connections: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return "http://{}:{}/".format(*self.listener.getsockname())

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._answer, args=[connection], daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while self._receive(connection):
                with self.lock:
                    reply = self.replies.pop(0)
                time.sleep(self.delay)
                connection.sendall(reply)
                while self.then:
                    connection.sendall(self.then)
                    time.sleep(self.then_every)
                if b"\r\nContent-Length: " not in reply or not self.replies:
                    return

    def _receive(self, connection: socket.socket) -> bool:
        """Waits for one request, whose body is in the same packet or follows at once."""
        received = b""
        while b"\r\n\r\n" not in received or (b"POST" in received and not received.endswith(b"}")):
            more = connection.recv(2**16)
            if not more:
                return False
            received += more
        return True


@contextmanager
def serving() -> Iterator[RawServer]:
    """A server on a port of this machine, until the block ends."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = RawServer(listener)
        threading.Thread(target=server.serve, daemon=True).start()
        yield server
