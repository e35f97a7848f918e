"""Frames of bytes over a socket: a kind, a length, and that many bytes, never more than the receiver accepts."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

HEADER = struct.Struct("!cI")
CALL, INTERRUPT, CLOSE = b"c", b"i", b"x"
"""What is sent to the process: a call to answer, the wish to end the present one, and the end of the session."""
BATCH, DONE, PROBLEM, DEFECT = b"b", b"d", b"p", b"e"
"""What comes back: a batch of rows, the end of an answer, and two kinds of failures."""


class TooLarge(Exception):
    """A frame has more bytes than the receiver accepts. None of them was read."""


def send(connection: socket.socket, kind: bytes, payload: bytes | memoryview = b"") -> None:
    """Sends one frame. Raises OSError if the other side is gone."""
    connection.sendall(HEADER.pack(kind, len(payload)))
    connection.sendall(payload)


def receive(connection: socket.socket, most: int, wait: Callable[[], None] | None = None) -> tuple[bytes, bytearray]:
    """The kind and the bytes of the next frame.

    Args:
        most: how many bytes are accepted.
        wait: called before each piece is read. It returns once there is something to read, or raises.

    Raises:
        EOFError, OSError: the other side is gone. TooLarge
    """
    kind, size = HEADER.unpack(_exactly(connection, HEADER.size, wait))
    if size > most:
        raise TooLarge
    return kind, _exactly(connection, size, wait)


def _exactly(connection: socket.socket, size: int, wait: Callable[[], None] | None) -> bytearray:
    received = bytearray(size)
    with memoryview(received) as view:
        filled = 0
        while filled < size:
            if wait:
                wait()
            count = connection.recv_into(view[filled:])
            if count == 0:
                raise EOFError
            filled += count
    return received
