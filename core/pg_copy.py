"""COPY out of PostgreSQL, in blocks of whole rows, faster than a cursor of the driver gives them."""

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
    """What a COPY sends, in blocks of whole rows of some megabytes.

    The server sends one row a message (PostgreSQL: Message Formats, COPY); asking libpq for them takes half the time that
    a cursor of the driver takes. Closing the generator cancels the statement.

    Args:
        connection: idle or in a transaction; nobody else may use it meanwhile.
        interrupt: ends the statement, where asking the server to do so may take too long.

    Raises:
        psycopg.Error
    """
    result = connection.exec_(statement)
    if result.status != ExecStatus.COPY_OUT:
        raise psycopg.errors.error_from_result(result)
    block = bytearray()
    next_row = connection.get_copy_data
    with _ended(connection, interrupt):
        # Nothing is called for a row but this: there are millions of them.
        while (found := next_row(1))[0] >= 0:
            block += found[1]
            if len(block) >= BLOCK_BYTES:
                yield block
                block = bytearray()
            elif not found[0]:
                _await(connection)
    if block:
        yield block


def _await(connection: PGconn) -> None:
    """Waits for more rows, without holding up other threads."""
    select([connection.socket], [], [])
    connection.consume_input()


@contextmanager
def _ended(connection: PGconn, interrupt: Callable[[], None] | None) -> Iterator[None]:
    """Raises what the server said at the end; one who leaves early cancels the statement."""
    try:
        yield
    except GeneratorExit:
        (interrupt or connection.get_cancel().cancel)()
        _drain(connection)
        raise
    except psycopg.Error:
        # The connection can be used again only once it has nothing more to say.
        if refusals := _drain(connection):
            raise refusals[0] from None
        raise
    for refusal in _drain(connection):
        raise refusal


def _drain(connection: PGconn) -> list[psycopg.Error]:
    """Takes all that the server still has to say; what of it is an error."""
    with suppress(psycopg.Error):
        while connection.get_copy_data(0)[0] > 0:
            pass
    errors = []
    while result := connection.get_result():
        if result.status not in (ExecStatus.COMMAND_OK, ExecStatus.COPY_OUT):
            errors.append(psycopg.errors.error_from_result(result))
    return errors
