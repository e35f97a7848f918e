"""COPY out of PostgreSQL in blocks of whole rows, faster than the driver's cursor."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from select import select
from typing import TYPE_CHECKING

import psycopg
from psycopg.pq import ExecStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from psycopg.pq.abc import PGconn

BLOCK_BYTES = 1_500_000


def copy_out(
    connection: PGconn, statement: bytes, interrupt: Callable[[], None] | None = None
) -> Generator[bytearray, None, None]:
    """The output of a COPY statement, in blocks of whole rows, about `BLOCK_BYTES` each.

    The server sends one message per row (PostgreSQL: Message Formats, COPY). Taking the messages directly from libpq
    takes half the time of the driver's cursor. Closing the generator cancels the statement.

    Args:
        connection: idle or in a transaction. Nothing else may use it in the meantime.
        interrupt: ends the statement instead of a cancel request, for cases in which the server is too slow to cancel.

    Raises:
        psycopg.Error
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
            block += row[1]
            if len(block) >= BLOCK_BYTES:
                yield block
                block = bytearray()
            elif not row[0]:
                _await(connection)
    if block:
        yield block


def _await(connection: PGconn) -> None:
    """Waits for more rows without blocking other threads."""
    select([connection.socket], [], [])
    connection.consume_input()


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
