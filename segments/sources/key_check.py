"""Checks whether the primary key of a model is unique and filled in every row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from django.conf import settings

from core.errors import Misconfigured, Problem, Unavailable
from segments.contract import ColumnType
from segments.session import engine, opened
from segments.sql import statements
from segments.sql.query import other_spelling

if TYPE_CHECKING:
    from segments.contract import ColumnInfo
    from segments.models import DataModel

REFUSED_PERCENT = 5
EXAMPLES = 3
NOT_CHECKED = (
    "Key not checked yet: the source could not count the values of “{key}” within {seconds:g} seconds. "
    "The daily check and “Check now” allow more time. "
    "To check the key while saving, use a faster view, query or table, or increase SOURCE_PREVIEW_SECONDS."
)


@dataclass(frozen=True)
class KeyShare:
    """Row counts of a model, by the state of its primary key.

    Args:
        rows: all rows.
        filled: rows whose key is neither null nor blank.
        distinct: the number of distinct keys.
    """

    rows: int
    filled: int
    distinct: int

    @property
    def missing(self) -> int:
        return self.rows - self.filled

    @property
    def duplicates(self) -> int:
        """Rows that repeat the key of an earlier row: three rows with the same key are two duplicates."""
        return self.filled - self.distinct

    @property
    def percent(self) -> float:
        """The percentage of rows without a unique key."""
        return 100 * (self.missing + self.duplicates) / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Verdict:
    """The result of a key check: fine, usable with a warning, or refused."""

    level: Literal["fine", "warning", "refused"]
    message: str


def verdict(share: KeyShare, key: str) -> Verdict:
    """PURE. Fine if every row has a unique key, a warning if under 5% of the rows do not, and refused from 5% on.

    A few bad rows are common in real tables and only skip themselves. Beyond that the column is probably not the key.
    """
    if share.percent == 0:
        return Verdict(
            "fine", f"“{key}” is unique in all {share.rows:,} rows." if share.rows else "There are no rows yet."
        )
    findings = [
        f"{count:,} {singular if count == 1 else plural}"
        for count, singular, plural in (
            (share.missing, f"has no “{key}”", f"have no “{key}”"),
            (share.duplicates, f"repeats the “{key}” of another row", f"repeat the “{key}” of another row"),
        )
        if count
    ]
    numbers = f"Of {share.rows:,} rows, {' and '.join(findings)} ({_percent(share)})."
    if share.percent < REFUSED_PERCENT:
        return Verdict("warning", f"{numbers} Rows without a unique key are not sent.")
    return Verdict("refused", f"{numbers} Choose a primary key that is unique in every row, or clean up the source.")


def key_share(model: DataModel, seconds: float = 0) -> KeyShare:
    """Counts rows and keys in the source, with one query, and sets `row_count` of the model, unsaved.

    Args:
        seconds: the time limit if a person is waiting; 0 for the time limit of a run.

    Raises:
        Misconfigured: for example, the key column does not exist. Unavailable: the source did not respond.
    """
    with opened(model.source, seconds or settings.SOURCE_TIMEOUT_SECONDS) as reader:
        columns = {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}
        if model.primary_key not in columns:
            known, other = ", ".join(columns), other_spelling(model.primary_key, columns)
            guess = f"Perhaps it is called “{other}” now." if other else f"Choose one of: {known}."
            message = f"There is no column “{model.primary_key}”. {guess}"
            raise Misconfigured("column_missing", message, where="primary_key")
        source = statements.relation(
            list(columns.values()), engine(model.source).dialect, table=model.table, sql=model.sql
        )
        counts = reader.rows(statements.key_counts(source, _key_info(model, columns[model.primary_key])), 1)[0]
    model.row_count = int(counts["rows"])
    return KeyShare(int(counts["rows"]), int(counts["filled"]), int(counts["different"]))


def _key_info(model: DataModel, info: ColumnInfo) -> ColumnInfo:
    """The key's column with the type that the model has stored, by which a run tells keys apart."""
    stored = model.source_columns().get(info.name) if model.pk else None
    return replace(info, type=ColumnType(stored.type)) if stored else info


def examples(model: DataModel) -> str:
    """Returns key values that occur more than once, for the person who is choosing the key.

    They are values of records, so they must not become part of a message that is stored or logged. Returns "" if there
    are none, or if the source does not respond.
    """
    try:
        values = _repeated_values(model)
    except Problem:
        return ""
    return f" For example: {', '.join(values)}." if values else ""


def check_primary_key(model: DataModel, seconds: float = 0) -> Verdict:
    """Returns “fine” or a warning.

    Raises:
        Misconfigured: too many rows have no unique key; the message has the numbers.
        Unavailable: the source did not respond.
    """
    result = verdict(key_share(model, seconds), model.primary_key)
    if result.level == "refused":
        raise Misconfigured("primary_key_unusable", result.message, where="primary_key")
    return result


def check_while_waiting(model: DataModel) -> Verdict:
    """Checks the key within the short time limit of a form.

    A timeout is only a warning: counting a large table can take minutes, and the daily check will do it.

    Raises:
        Misconfigured, Unavailable: as in `check_primary_key`.
    """
    try:
        return check_primary_key(model, settings.SOURCE_PREVIEW_SECONDS)
    except Unavailable as problem:
        if problem.code not in ("source_timeout", "source_deadline"):
            raise
        return Verdict("warning", NOT_CHECKED.format(key=model.primary_key, seconds=settings.SOURCE_PREVIEW_SECONDS))


def _repeated_values(model: DataModel) -> list[str]:
    with opened(model.source, settings.SOURCE_PREVIEW_SECONDS) as reader:
        columns = {info.name: info for info in reader.columns(table=model.table, sql=model.sql)}
        source = statements.relation(
            list(columns.values()), engine(model.source).dialect, table=model.table, sql=model.sql
        )
        chosen = statements.select(source, columns, [model.primary_key])
        rows = reader.rows(statements.frequent(chosen, columns[model.primary_key].type), EXAMPLES)
    return [
        f"{row['value']!s:.40} ({row['rows']} rows)"
        for row in rows
        if int(row["rows"]) > 1 and row["value"] is not None
    ]


def _percent(share: KeyShare) -> str:
    return f"{share.percent:.2g}%" if share.percent < REFUSED_PERCENT else f"{share.percent:.0f}%"
