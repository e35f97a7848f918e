"""How full the columns of a selection are, and which values of its match repeat: for people who are mapping fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.conf import settings

from segments.reading.prefetch import do_nothing
from segments.reading.read import run
from segments.session import opened
from segments.sql import profiles
from segments.sql.query import Query, Selection, ready, refuse_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import FromClause, Select

MOST_ROWS = 100_000
"""How many rows of the selection are looked at. A profile is advice, and must be there before a person loses patience.
"""
EXAMPLES = 3


@dataclass(frozen=True)
class ColumnProfile:
    """One column: how many rows have a value, and how many different values there are.

    Args:
        distinct: None if values of this type are not compared.
    """

    rows: int
    filled: int
    distinct: int | None

    @property
    def empty(self) -> int:
        return self.rows - self.filled

    @property
    def empty_percent(self) -> float:
        """From 0 to 100."""
        return 100 * self.empty / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Doubled:
    """Values that more than one row has.

    Args:
        rows: how many rows have one of them.
        values: how many values they are.
        examples: the most frequent ones, with the number of rows of each.
    """

    rows: int = 0
    values: int = 0
    examples: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Profile:
    """The columns of a selection in numbers.

    Args:
        rows: how many rows were looked at.
        is_partial: whether the selection may have more rows than that.
        doubled: repeated values of the match column; None if it was not requested.
        samples: the first rows, with values as the source returns them.
    """

    rows: int
    is_partial: bool
    columns: dict[str, ColumnProfile]
    doubled: Doubled | None
    samples: list[dict[str, Any]]


def profile(
    selection: Selection,
    columns: Sequence[str],
    *,
    now: datetime,
    match: str = "",
    samples: int = 0,
    most: int = MOST_ROWS,
    check: Callable[[], None] = do_nothing,
) -> Profile:
    """Measures columns of a selection in one session, with one statement, and two more for the match.

    Args:
        columns: at least one column. Computed fields are possible, but make the source work for them.
        match: a column whose repeated values are counted.
        samples: how many rows to return as well, with these columns and the match.
        most: how many rows to look at.
        check: as in `read.stream`: called while waiting for the source. If it raises, the source is interrupted.

    Raises:
        Misconfigured: for example, a column is missing. Unavailable: the source did not respond in time.
    """
    names = list(dict.fromkeys([*columns, *([match] if match else [])]))
    with opened(selection.model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        query = ready(selection, reader, now)
        refuse_missing(selection, names, query.types)
        statements = list(_statements(query, names, match, samples, most))
        counts, *others = run(reader, statements, check)
    (measured,) = counts
    rows = int(measured["n"])
    doubled = _doubled(others[0], others[1]) if match else None
    return Profile(
        rows=rows,
        is_partial=rows >= query.most(most) == most,
        columns={name: _column(rows, measured, place) for place, name in enumerate(names)},
        doubled=doubled,
        samples=others[-1] if samples else [],
    )


def _statements(
    query: Query, names: Sequence[str], match: str, samples: int, most: int
) -> Iterator[tuple[Select[Any], int]]:
    infos = query.infos(names)
    yield profiles.measures(_rows(query, names, most), infos), 1
    if match:
        place = names.index(match)
        totals, examples = profiles.repeated(_rows(query, names, most), place, infos[place])
        yield totals, 1
        yield examples, EXAMPLES
    if samples:
        yield query.select(names), query.most(samples)


def _rows(query: Query, names: Sequence[str], most: int) -> FromClause:
    return query.some(names, most).subquery("looked_at")


def _column(rows: int, measured: dict[str, Any], place: int) -> ColumnProfile:
    distinct = measured.get(f"d{place}")
    return ColumnProfile(rows, int(measured[f"f{place}"]), None if distinct is None else int(distinct))


def _doubled(totals: list[dict[str, Any]], examples: list[dict[str, Any]]) -> Doubled:
    found = totals[0] if totals else {}
    return Doubled(
        rows=int(found.get("n") or 0),
        values=int(found.get("different") or 0),
        examples=[(str(row["value"]), int(row["n"])) for row in examples],
    )
