"""Whether a model's primary key tells its rows apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from django.conf import settings

from core.errors import Misconfigured, Problem, Unavailable
from segments.session import engine, opened
from segments.sql import statements

if TYPE_CHECKING:
    from segments.models import DataModel

REFUSED_PERCENT = 5
EXAMPLES = 3
NOT_CHECKED = (
    "Key not checked yet: the source could not count {key!r} within {seconds:g} seconds. The daily check gives it more time, and so does "
    "“Check now”. To have it checked at once, use a lighter view, query or table, or give it more time by SOURCE_PREVIEW_SECONDS."
)


@dataclass(frozen=True)
class KeyShare:
    """How the rows of a model stand to its primary key.

    Args:
        rows: all of them.
        filled: those with a value in the key column that is not blank.
        different: how many values there are.
    """

    rows: int
    filled: int
    different: int

    @property
    def missing(self) -> int:
        return self.rows - self.filled

    @property
    def duplicates(self) -> int:
        """Rows beyond the first of each value."""
        return self.filled - self.different

    @property
    def percent(self) -> float:
        """The share of rows without a key of their own."""
        return 100 * (self.missing + self.duplicates) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Verdict:
    """What follows from a key share: nothing, a warning, or that the key can't be used."""

    level: Literal["fine", "warning", "refused"]
    message: str


def verdict(share: KeyShare, key: str) -> Verdict:
    """PURE. Up to the last row of its own: fine. Under 5 % without: a warning. From there on the key can't be used."""
    if share.percent == 0:
        return Verdict(
            "fine", f"{key!r} tells all {share.rows:,} rows apart." if share.rows else "There are no rows yet."
        )
    missing, repeated = f"{share.missing:,} have no {key!r}", f"{share.duplicates:,} repeat the {key!r} of another row"
    found = [words for words, rows in ((missing, share.missing), (repeated, share.duplicates)) if rows]
    numbers = f"Of {share.rows:,} rows, {' and '.join(found)} ({_percent(share)})."
    if share.percent < REFUSED_PERCENT:
        return Verdict("warning", f"{numbers} Rows that share a key, or have none, are not sent.")
    return Verdict("refused", f"{numbers} Choose a primary key that every row has for itself, or clean the source.")


def key_share(model: DataModel, seconds: float = 0) -> KeyShare:
    """Counts in the source, by one query. `seconds`: how long a person waits; 0 as long as a run.

    Raises:
        Misconfigured: e.g. there is no such column. Unavailable: no answer.
    """
    with opened(model.source, seconds or settings.SOURCE_TIMEOUT_SECONDS) as reader:
        columns = {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}
        if model.primary_key not in columns:
            known = ", ".join(columns)
            message = f"There is no column {model.primary_key!r}. Choose one of: {known}."
            raise Misconfigured("column_missing", message, where="primary_key")
        source = statements.relation(
            list(columns.values()), engine(model.source).dialect, table=model.table, sql=model.sql
        )
        counted = reader.rows(statements.key_counts(source, columns[model.primary_key]), 1)[0]
    return KeyShare(int(counted["rows"]), int(counted["filled"]), int(counted["different"]))


def examples(model: DataModel) -> str:
    """Values of the key that several rows have, for the person who chooses it; no part of any message that is kept or logged.

    "" where there are none, or the source does not say.
    """
    try:
        shown = _frequent(model)
    except Problem:
        return ""
    return f" For example: {', '.join(shown)}." if shown else ""


def check_primary_key(model: DataModel, seconds: float = 0) -> Verdict:
    """Fine or a warning.

    Raises:
        Misconfigured: too many rows have no key of their own, with the numbers. Unavailable: no answer.
    """
    found = verdict(key_share(model, seconds), model.primary_key)
    if found.level == "refused":
        raise Misconfigured("primary_key_unusable", found.message, where="primary_key")
    return found


def check_at_once(model: DataModel) -> Verdict:
    """The same while a person waits: a key that can't be counted in that time is a warning, until the daily check has counted it.

    Raises:
        Misconfigured, Unavailable: as `check_primary_key`.
    """
    try:
        return check_primary_key(model, settings.SOURCE_PREVIEW_SECONDS)
    except Unavailable as problem:
        if problem.code != "source_timeout":
            raise
        return Verdict("warning", NOT_CHECKED.format(key=model.primary_key, seconds=settings.SOURCE_PREVIEW_SECONDS))


def _frequent(model: DataModel) -> list[str]:
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        columns = {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}
        source = statements.relation(
            list(columns.values()), engine(model.source).dialect, table=model.table, sql=model.sql
        )
        chosen = statements.select(source, columns, [model.primary_key])
        found = reader.rows(statements.frequent(chosen, columns[model.primary_key].type), EXAMPLES)
    return [
        f"{row['value']!s:.40} ({row['rows']} rows)"
        for row in found
        if int(row["rows"]) > 1 and row["value"] is not None
    ]


def _percent(share: KeyShare) -> str:
    return f"{share.percent:.2g} %" if share.percent < REFUSED_PERCENT else f"{share.percent:.0f} %"
