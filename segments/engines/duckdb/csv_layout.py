"""PURE. The layout of a CSV file by its first lines: the separator, and the names of the columns."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from core.errors import Misconfigured
from segments.engines.duckdb.csv_records import Grammar, Records

if TYPE_CHECKING:
    from collections.abc import Sequence

    from segments.engines.duckdb.lines import Line

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
SAMPLE_RECORDS = 1_000
ONE_COLUMN = -1.0
"""How well a separator fits that does not occur in any line."""
MAX_COLUMNS = 1_600
"""The limit of a PostgreSQL table."""
_HINT = re.compile(r'"?sep=(.)"?[\r\n]*', re.IGNORECASE)
"""Excel's first line, which names the separator."""


@dataclass(frozen=True)
class Layout:
    """How a file is divided.

    Args:
        skip: the number of lines before the one with the names.
    """

    separator: str
    names: tuple[str, ...]
    skip: int = 0


def layout(lines: Sequence[Line], file: str, separator: str, quote: str) -> Layout:
    """The layout of a file.

    Args:
        lines: its first lines.
        file: its name, for messages.
        separator: the chosen separator, or "" to detect it.
        quote: the quotation mark, or "" if there is none.

    Raises:
        Misconfigured: there are no names, too many, duplicate ones, or they can't be read.
    """
    hint = _HINT.fullmatch(lines[0].text) if lines else None
    skip = 1 if hint else 0
    separator = separator or (hint[1] if hint else "")
    while skip < len(lines) and not lines[skip].text.strip():
        skip += 1
    if skip == len(lines) or not lines[skip].text.strip(f" \r\n{separator or ',;|'}\t"):
        raise _broken(f"The file “{file}” is empty. Its first line must name the columns.")
    rest = lines[skip:]
    separator = separator or detected_separator(rest, quote)
    header = next(iter(Records(iter(rest), Grammar(separator, quote))))
    if header.problem:
        raise _broken(f"Line {rest[0].number} of the file “{file}” {header.problem}.")
    _refuse_wrong_separator(rest, file, Grammar(separator, quote))
    return Layout(separator, _names(header.values, file), skip)


def detected_separator(lines: Sequence[Line], quote: str) -> str:
    """The separator that divides most lines into as many values as the first one, which is more than one.

    If there are two such separators, the one that leaves no quotation marks inside of values, and then the one that
    makes more columns. If none divides the first line, the one that divides the fewest other lines.
    """
    return max(SEPARATORS, key=lambda separator: _fit(lines, Grammar(separator, quote)))


def _refuse_wrong_separator(lines: Sequence[Line], file: str, grammar: Grammar) -> None:
    """Refuses a chosen separator that makes one column which not all lines fit, if there is one that makes several."""
    share, _, columns = _fit(lines, grammar)
    better = detected_separator(lines, grammar.quote)
    if columns > 1 or share == ONE_COLUMN or _fit(lines, Grammar(better, grammar.quote))[2] < 2:
        return
    message = f"The values of the file “{file}” look separated by {SEPARATORS[better]}. Change its separator."
    raise Misconfigured("source_file_broken", message, where="separator")


def _fit(lines: Sequence[Line], grammar: Grammar) -> tuple[float, bool, int]:
    records = list(islice(Records(iter(lines), grammar), SAMPLE_RECORDS))
    # The last record may be cut off at the end of the sample.
    complete = records[:-1] if len(records) > 2 else records
    filled = [record for record in complete if not record.is_blank]
    names = filled[0].values
    if filled[0].problem:
        return (-2, False, 0)
    widths = Counter(len(record.values) for record in filled[1:] if not record.problem)
    share = widths[len(names)] / (len(filled) - 1) if len(filled) > 1 else 1
    clean = not any(grammar.quote and grammar.quote in name for name in names)
    # One column is always less likely than several, because every separator that does not occur makes one.
    return (share if len(names) > 1 else share - 1 + ONE_COLUMN, clean, len(names))


def _names(values: Sequence[str], file: str) -> tuple[str, ...]:
    if len(values) > MAX_COLUMNS:
        raise Misconfigured(
            "source_too_large",
            f"The file “{file}” has {len(values):,} columns. At most {MAX_COLUMNS:,} are allowed.",
            where="path",
        )
    names = tuple(value.strip() or f"column_{place}" for place, value in enumerate(values, start=1))
    used: set[str] = set()
    for name in names:
        if name.lower() in used:
            message = (
                f"Two columns of the file are named “{name}”, ignoring case. Rename one of them in the first line."
            )
            raise Misconfigured("column_twice", message, where=name)
        used.add(name.lower())
    return names


def _broken(message: str) -> Misconfigured:
    return Misconfigured("source_file_broken", message, where="path")
