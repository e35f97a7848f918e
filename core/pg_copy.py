"""COPY out of PostgreSQL in blocks of whole rows, faster than the driver's cursor."""

from __future__ import annotations

import array
import fcntl
import os
import socket
import termios
from contextlib import contextmanager, suppress
from select import select
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from psycopg.pq.abc import PGconn

BLOCK_BYTES = 1_500_000
SMALL_ROW_BYTES = CHUNK_BYTES = 65_536


class RowTooLarge(Exception):
    """A row has more bytes than allowed. The connection was closed, because the server would still send the rest."""


def copy_out(
    connection: PGconn,
    statement: bytes,
    interrupt: Callable[[], None] | None = None,
    largest_row: int = 1 << 30,
) -> Generator[bytearray, None, None]:
    """The output of a COPY statement, in blocks of whole rows, about `BLOCK_BYTES` each.

    The server sends one message per row (PostgreSQL: Message Formats, COPY). Taking the messages directly from libpq
    takes half the time of the driver's cursor. Closing the generator cancels the statement.

    Args:
        connection: idle or in a transaction. Nothing else may use it in the meantime.
        interrupt: ends the statement instead of a cancel request, for cases in which the server is too slow to cancel.
        largest_row: in bytes. The driver would collect a row of up to 1 GB before it returns any of it.

    Raises:
        psycopg.Error
        RowTooLarge
    """
    result = connection.exec_(statement)
    if result.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result)
    block = bytearray()
    next_row = connection.get_copy_data
    with _finished(connection, interrupt):
        # The only call per row, because there are millions of rows. In libpq's asynchronous mode, a size of 0 means
        # that no complete row has arrived yet, and a negative size that the rows have ended.
        while (row := next_row(1))[0] >= 0:
            row = row if row[0] else _incomplete(connection, largest_row)
            if row[0] < 0:
                break
            block += row[1]
            if len(block) >= BLOCK_BYTES:
                yield block
                block = bytearray()
    if block:
        yield block


def _incomplete(connection: PGconn, largest_row: int) -> tuple[int, memoryview]:
    """Waits for the rest of a row, and returns what `get_copy_data` does. Raises RowTooLarge."""
    received = 0
    while not (row := connection.get_copy_data(1))[0]:
        if received > SMALL_ROW_BYTES:
            return _large_row(connection, largest_row - received)
        received += _receive(connection)
    return row


def _large_row(connection: PGconn, most: int) -> tuple[int, memoryview]:
    """Receives the rest of a row chunk by chunk, and gives up after `most` bytes.

    The driver takes in all that arrives, and as fast as servers send, that may be the whole row. So it is lent one end
    of a pair of sockets in the meantime, which receives only what it is meant to take in.
    """
    server = socket.socket(fileno=os.dup(connection.socket))
    ours, lent = socket.socketpair()
    try:
        lent.setblocking(False)
        os.dup2(lent.fileno(), connection.socket)
        while not (row := connection.get_copy_data(1))[0]:
            chunk = _chunk(server, connection.socket)
            most -= len(chunk)
            if most < 0:
                raise RowTooLarge
            if chunk:
                ours.sendall(chunk)
            else:
                ours.shutdown(socket.SHUT_WR)
            while _waiting(connection.socket) or not chunk:
                connection.consume_input()
        os.dup2(server.fileno(), connection.socket)
    except BaseException:
        connection.finish()
        raise
    finally:
        for end in (server, ours, lent):
            end.close()
    return row


def _chunk(server: socket.socket, lent: int) -> bytes:
    """The next bytes from the server; none if the connection has ended, or a watchdog has ended it."""
    readable, _, _ = select([server.fileno(), lent], [], [])
    return b"" if lent in readable else server.recv(CHUNK_BYTES)


def _receive(connection: PGconn) -> int:
    """Waits for more rows without blocking other threads, and takes it in. Returns how many bytes had arrived."""
    select([connection.socket], [], [])
    waiting = _waiting(connection.socket)
    connection.consume_input()
    return waiting


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
