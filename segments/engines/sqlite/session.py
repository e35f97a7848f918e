"""Opens a SQLite file read-only: an authorizer allows only SELECT, and memory is limited."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from core.errors import Misconfigured, Problem, Unavailable
from segments.engines.failures import refused, timed_out
from segments.engines.sqlite.functions import (
    ExactAverage,
    ExactSum,
    as_number,
    as_utc,
    is_within,
    list_has,
    lowercase,
    month_day,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LOCK_SECONDS = 5
MAX_VALUE_BYTES = 16_000_000
MAX_HEAP_BYTES = 512_000_000
"""The memory of SQLite in this process. It holds the values of one row, so that it also limits their sum."""
VIRTUAL_TABLES = "select name from sqlite_master where type = 'table' and sql like 'create virtual table%'"
ALLOWED = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE}
FUNCTIONS: Mapping[Callable[..., Any], int] = {
    as_utc: 2,
    as_number: 1,
    is_within: 5,
    list_has: 3,
    month_day: 2,
    lowercase: 1,
}
"""Our own functions, which the dialect calls, with the number of arguments of each."""
FORBIDDEN_FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}


def connect(path: Path) -> sqlite3.Connection:
    """A read-only connection, on which the authorizer allows only SELECT.

    Raises:
        Misconfigured: not a database. Unavailable: locked.
    """
    try:
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=LOCK_SECONDS,
            check_same_thread=False,
            isolation_level=None,
        )
    except sqlite3.Error as error:
        raise translated(error, LOCK_SECONDS) from None
    # Text arrives as a bytearray, so that an invalid byte can't stop a stream. Bytes are values that are not text.
    connection.text_factory = bytearray
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
    connection.execute(f"pragma hard_heap_limit = {MAX_HEAP_BYTES}")
    for function, arguments in FUNCTIONS.items():
        connection.create_function(function.__name__, arguments, function, deterministic=True)
    connection.create_aggregate("exact_sum", 1, ExactSum)  # type: ignore[arg-type, unused-ignore]
    connection.create_aggregate("exact_average", 1, ExactAverage)  # type: ignore[arg-type, unused-ignore]
    _open_virtual_tables(connection)
    connection.set_authorizer(authorize)
    return connection


def _open_virtual_tables(connection: sqlite3.Connection) -> None:
    """Opens the virtual tables, such as those of FTS5.

    To be opened, they prepare statements of their own, some of which write. None of these is run in a read-only file.
    """
    connection.set_authorizer(_authorize_opening)
    with suppress(sqlite3.Error):
        names = [bytes(name).decode("utf-8", "replace") for (name,) in connection.execute(VIRTUAL_TABLES)]
        for source in ["json_each('[]')", "json_tree('[]')", *map(identifier, names)]:
            # A table of a module that this installation lacks can't be read, but others can.
            with suppress(sqlite3.Error):
                connection.execute(f"select 1 from {source} limit 0")  # noqa: S608


def authorize(action: int, first: str | None, second: str | None, *_: Any) -> int:
    """Whether a statement may do something."""
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_DENY
    # FTS5 looks whether the file has changed.
    is_harmless = action in ALLOWED or (action, first, second) == (sqlite3.SQLITE_PRAGMA, "data_version", None)
    return sqlite3.SQLITE_OK if is_harmless else sqlite3.SQLITE_DENY


def _authorize_opening(action: int, _first: str | None, second: str | None, *_: Any) -> int:
    is_harmful = action in (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH) or (
        action == sqlite3.SQLITE_FUNCTION and (second or "").lower() in FORBIDDEN_FUNCTIONS
    )
    return sqlite3.SQLITE_DENY if is_harmful else sqlite3.SQLITE_OK


def translated(error: BaseException, seconds: float) -> Problem:
    """The Problem for an error of SQLite."""
    message = str(error)
    if message == "interrupted":
        return timed_out(seconds)
    if isinstance(error, MemoryError) or "too big" in message:
        return Misconfigured(
            "source_too_large",
            f"A value or a row is too large: a value may have at most {MAX_VALUE_BYTES // 1_000_000} MB. "
            "Leave out the columns with long values.",
            where="columns",
        )
    if "locked" in message:
        return Unavailable("source_busy", "The file is locked by another program. Try again in a moment.")
    if "not a database" in message or "malformed" in message or "unable to open" in message:
        return Misconfigured(
            "source_file_unreadable",
            "The file can't be opened as a SQLite database. Check that it is one.",
            detail=message,
        )
    if "not authorized" in message or "prohibited" in message:
        return Misconfigured(
            "source_read_only", "Only SELECT is allowed here: the source is read, never changed.", detail=message
        )
    return refused(message)


def identifier(name: str) -> str:
    """The name in quotation marks."""
    return '"' + name.replace('"', '""') + '"'
