"""COPY out of PostgreSQL in blocks of whole rows, faster than the driver's cursor."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import termios
from contextlib import closing, contextmanager, suppress
from functools import partial
from select import select
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import ConnStatus, ExecStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from psycopg.pq.abc import PGconn

BLOCK_BYTES = 1_500_000
CHUNK_BYTES = 65_536
Row = tuple[int, memoryview]
"""As `get_copy_data` returns it."""


class RowTooLarge(Exception):
    """A row has more bytes than allowed. The connection was closed, because the server would still send the rest."""


def copy_out(
    connection: PGconn,
    statement: bytes,
    interrupt: Callable[[], None] | None = None,
    largest_row: int | None = None,
) -> Generator[bytearray, None, None]:
    """The output of a COPY statement, in blocks of whole rows, about `BLOCK_BYTES` each.

    The server sends one message per row (PostgreSQL: Message Formats, COPY). Taking the messages directly from libpq
    takes half the time of the driver's cursor. Closing the generator cancels the statement.

    Args:
        connection: idle or in a transaction. Nothing else may use it in the meantime.
        interrupt: ends the statement instead of a cancel request, for cases in which the server is too slow to cancel.
        largest_row: in bytes. Without it, the driver collects a row of up to 1 GB before it returns any of it.

    Raises:
        psycopg.Error
        RowTooLarge
    """
    result = connection.exec_(statement)
    if result.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result)
    block = bytearray()
    next_row = connection.get_copy_data
    with _finished(connection, interrupt), _receiving(connection, largest_row) as receive:
        # The only call per row, because there are millions of rows. In libpq's asynchronous mode, a size of 0 means
        # that no complete row has arrived yet, and a negative size that the rows have ended.
        while (row := next_row(1))[0] >= 0:
            row = row if row[0] else receive()
            if row[0] < 0:
                break
            block += row[1]
            if len(block) >= BLOCK_BYTES:
                yield block
                block = bytearray()
    if block:
        yield block


@contextmanager
def _receiving(connection: PGconn, largest_row: int | None) -> Iterator[Callable[[], Row]]:
    """What waits for the rest of a row, and returns it as `get_copy_data` does."""
    if largest_row is None:
        yield partial(_next_row, connection)
        return
    with closing(_Valve(connection, largest_row)) as valve:
        yield valve.next_row


def _next_row(connection: PGconn) -> Row:
    while not (row := connection.get_copy_data(1))[0]:
        # Waits without blocking other threads.
        select([connection.socket], [], [])
        connection.consume_input()
    return row


class _Valve:
    """Receives rows chunk by chunk, and gives up on one that is too large.

    The driver takes in all that arrives, and as fast as servers send, that may be a whole row of 1 GB. So it is lent
    one end of a pair of sockets in the meantime, which receives only what it is meant to take in.
    """

    def __init__(self, connection: PGconn, largest_row: int) -> None:
        self.connection = connection
        self.largest_row = largest_row
        self.server = socket.socket(fileno=os.dup(connection.socket))
        self.ours, self.lent = socket.socketpair()
        self.lent.setblocking(False)
        os.dup2(self.lent.fileno(), connection.socket)

    def next_row(self) -> Row:
        """Raises RowTooLarge."""
        received = 0
        try:
            while not (row := self.connection.get_copy_data(1))[0]:
                if received > self.largest_row:
                    raise RowTooLarge
                received += self._receive()
        except BaseException:
            self.connection.finish()
            raise
        return row

    def close(self) -> None:
        """Returns the connection to the server, unless it has ended or a watchdog has ended it between two rows."""
        if self.connection.status == ConnStatus.OK:
            if select([self.ours.fileno()], [], [], 0)[0]:
                self.server.shutdown(socket.SHUT_RDWR)
            os.dup2(self.server.fileno(), self.connection.socket)
        for end in (self.server, self.ours, self.lent):
            end.close()

    def _receive(self) -> int:
        """Takes in a chunk, and returns its size. Raises psycopg.Error if the connection has ended."""
        descriptor = self.connection.socket
        chunk = self._chunk(descriptor)
        if chunk:
            self.ours.sendall(chunk)
        else:
            self.ours.shutdown(socket.SHUT_WR)
        while _waiting(descriptor) or not chunk:
            self.connection.consume_input()
        return len(chunk)

    def _chunk(self, lent: int) -> bytes:
        """The next bytes from the server; none if the connection has ended, or a watchdog has ended it."""
        readable, _, _ = select([self.server.fileno(), lent], [], [])
        return b"" if lent in readable else self.server.recv(CHUNK_BYTES)


def _waiting(descriptor: int) -> int:
    """How many bytes a socket has received that nobody has read."""
    number = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, number)
    return number[0]


@contextmanager
def _finished(connection: PGconn, interrupt: Callable[[], None] | None) -> Iterator[None]:
    """Raises the error that the server reports at the end. If the caller stops early, cancels the statement."""
    try:
        yield
    except GeneratorExit:
        (interrupt or connection.get_cancel().cancel)()
        _drain(connection)
        raise
    except psycopg.Error:
        # The connection can be reused only after every pending result has been read.
        if errors := _drain(connection):
            raise errors[0] from None
        raise
    for error in _drain(connection):
        raise error


def _drain(connection: PGconn) -> list[psycopg.Error]:
    """Reads everything that the server still has to send, and returns the errors in it."""
    with suppress(psycopg.Error):
        while connection.get_copy_data(0)[0] > 0:
            pass
    errors = []
    while result := connection.get_result():
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.COPY_OUT):
            errors.append(psycopg.errors.error_from_result(result))
    return errors
