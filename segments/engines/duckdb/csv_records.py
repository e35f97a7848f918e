"""PURE. The records of CSV: which physical lines belong together, their values, and what is wrong with a bad one.

The rules are those by which DuckDB reads a strict file, so that a file means the same whether it is read directly or
through a copy.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segments.engines.duckdb.lines import Line

MAX_RECORD = 2_000_000
"""In characters, as DuckDB's limit."""
UNCLOSED = "has an unclosed quotation mark"
AFTER_QUOTE = "has text after a closing quotation mark"
BREAKS = ("", "\n", "\r\n", "\r")


@dataclass(frozen=True)
class Record:
    """One record. Its `problem` is "" if its quotation marks are in order."""

    lines: tuple[Line, ...]
    values: tuple[str, ...]
    problem: str = ""

    @property
    def is_blank(self) -> bool:
        return self.lines[0].text in BREAKS


@dataclass(frozen=True)
class Grammar:
    """How values are separated and quoted; `quote` is "" if they never are."""

    separator: str
    quote: str = '"'

    @cached_property
    def opening(self) -> re.Pattern[str]:
        return re.compile(" *" + re.escape(self.quote))

    @cached_property
    def inside(self) -> re.Pattern[str]:
        """Up to a closing quotation mark, which is one that is not doubled, or the end of the line."""
        mark = re.escape(self.quote)
        return re.compile(f"[^{mark}]*+(?:{mark}{mark}[^{mark}]*+)*+")

    @cached_property
    def bare(self) -> re.Pattern[str]:
        return re.compile(f"[^{re.escape(self.separator)}\r\n]*+")

    def record_of(self, width: int) -> re.Pattern[str]:
        """A whole record of this many values on one line."""
        mark, separator = re.escape(self.quote), re.escape(self.separator)
        value = f"(?: *{mark}{self.inside.pattern}{mark} *+|(?! *{mark}){self.bare.pattern})"
        return re.compile(f"{value}(?:{separator}{value}){{{width - 1}}}(?:\r\n|\n|\r)?")

    def unquoted(self, written: str) -> str:
        """The value of a quoted text, without its quotation marks."""
        return written.replace(self.quote * 2, self.quote)


@dataclass
class Records:
    """Iterates over the records of lines.

    After an unclosed quotation mark, reading continues with the next line, so that one bad line is only one bad line.
    """

    lines: Iterator[Line]
    grammar: Grammar
    waiting: deque[Line] = field(default_factory=deque)

    def __iter__(self) -> Iterator[Record]:
        return map(self.record_at, iter(self.next_line, None))

    def next_line(self) -> Line | None:
        """The next line that belongs to no record yet; None at the end."""
        return self.waiting.popleft() if self.waiting else next(self.lines, None)

    def record_at(self, line: Line) -> Record:
        """The record that begins with a line that `next_line` returned."""
        record = self._record(line)
        if not record.problem:
            return record
        self.waiting.extendleft(reversed(record.lines[1:]))
        return Record(record.lines[:1], record.values, record.problem)

    def _record(self, line: Line) -> Record:
        grammar = self.grammar
        if not grammar.quote or grammar.quote not in line.text:
            return Record((line,), tuple(line.text.rstrip("\r\n").split(grammar.separator)))
        taken: list[Line] = [line]
        values: list[str] = []
        place = 0
        while True:
            if opening := grammar.opening.match(line.text, place):
                value, end, place = self._quoted(taken, opening.end())
                if end is None:
                    return Record(tuple(taken), tuple(values), UNCLOSED)
                line = end
            else:
                bare = grammar.bare.match(line.text, place)
                value, place = (bare[0], bare.end()) if bare else ("", place)
            values.append(value)
            if line.text.startswith(grammar.separator, place):
                place += len(grammar.separator)
            elif line.text[place:] in BREAKS:
                return Record(tuple(taken), tuple(values))
            else:
                return Record(tuple(taken), tuple(values), AFTER_QUOTE)

    def _quoted(self, taken: list[Line], place: int) -> tuple[str, Line | None, int]:
        """The value of a quoted text that begins at `place` of the last line taken; the line and place at its end."""
        parts: list[str] = []
        line: Line | None = taken[-1]
        left = MAX_RECORD
        while line is not None and left > 0:
            inside = self.grammar.inside.match(line.text, place)
            end = inside.end() if inside else place
            parts.append(line.text[place:end])
            left -= end - place
            if end < len(line.text):
                after = end + 1
                while line.text.startswith(" ", after):
                    after += 1
                return self.grammar.unquoted("".join(parts)), line, after
            line, place = self.next_line(), 0
            if line is not None:
                taken.append(line)
        return "", None, 0


def count_problem(found: int, names: int) -> str:
    """What is wrong with a record that has a different number of values than there are names."""
    return f"has {found:,} values, but the first line names {names:,} columns"
