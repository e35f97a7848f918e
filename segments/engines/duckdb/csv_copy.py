"""Writes the good records of a CSV file to a copy in UTF-8 with uniform line breaks, and finds the bad ones."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

from segments.contract import UnreadableLine
from segments.engines.duckdb.csv_records import BREAKS, Grammar, Record, Records, count_problem
from segments.engines.duckdb.lines import is_long, lines, not_in_encoding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from segments.engines.duckdb.csv_layout import Layout

TOO_LONG = "is too long"
CHECK_EVERY = 5_000
"""Records between two checks of the time limit."""


def bad_records(
    path: Path,
    layout: Layout,
    quote: str,
    *,
    encoding: str,
    chosen: str,
    check: Callable[[], None],
    copy: Path | None = None,
) -> Iterator[UnreadableLine]:
    """Reads a file once and returns its bad records, one by one.

    Args:
        encoding: in which the file is read. `chosen` is the one that the user chose, or "".
        check: called regularly. If it raises, the reading ends.
        copy: where the good records are written to, without the lines before the names.

    Raises OSError.
    """
    width, separator = len(layout.names), layout.separator
    grammar = Grammar(separator, quote)
    whole = grammar.record_of(width)
    with copy.open("wb") if copy else nullcontext() as target:
        records = Records((line for line in lines(path, encoding) if line.number > layout.skip), grammar)
        for number, line in enumerate(iter(records.next_line, None)):
            if number % CHECK_EVERY == 0:
                check()
            text = line.text
            if is_long(text):
                yield UnreadableLine(path.name, line.number, TOO_LONG)
                continue
            is_whole = whole.fullmatch(text) if quote and quote in text else text.count(separator) == width - 1
            if is_whole and line.readable and (width > 1 or text not in BREAKS):
                _write(target, text)
                continue
            record = records.record_at(line)
            if problem := _problem(record, width, not_in_encoding(encoding, chosen)):
                yield UnreadableLine(path.name, line.number, problem)
            elif width == 1 or not record.is_blank:
                _write(target, "".join(part.text for part in record.lines))


def _problem(record: Record, width: int, unreadable: str) -> str:
    if not all(line.readable for line in record.lines):
        return unreadable
    if record.problem or (record.is_blank and width > 1):
        return record.problem
    found = len(record.values)
    # As DuckDB does: lines may end in a separator.
    is_ended = found == width + 1 and not record.values[-1]
    return "" if found == width or is_ended else count_problem(found, width)


def _write(target: BinaryIO | None, text: str) -> None:
    if target:
        target.write((text.rstrip("\r\n") + "\n").encode())
