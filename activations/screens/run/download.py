"""What a run did not send, as a CSV file that spreadsheets open without running anything.

These are the records that were not accepted, and the fields that a write policy left as they are.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from activations.models import Change
from activations.screens import plain_values
from activations.screens.hidden_values import reason
from activations.setup.policy_words import kept_because

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from activations.models import Run

COLUMNS = ["key", "name", "outcome", "reason", "field", "values"]
OUTCOMES = (
    Change.Outcome.REJECTED,
    Change.Outcome.INVALID,
    Change.Outcome.UNKNOWN,
    Change.Outcome.NOT_SENT,
    Change.Outcome.SKIPPED,
)
ROWS_AT_A_TIME = 2_000
MARK = "\ufeff"
"""By which spreadsheets recognize UTF-8."""
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")


def safe(cell: str) -> str:
    """PURE. The text of a cell. A spreadsheet would run what starts like a formula, so a quote precedes it."""
    return f"'{cell}" if cell.startswith(FORMULA_STARTS) else cell


def lines(run: Run, *, sees: bool) -> Iterator[str]:
    """The file in pieces, outcome by outcome. However many rows there are, a few thousand are in memory.

    Args:
        sees: whether it contains names and values of records.
    """
    yield MARK + written([COLUMNS])
    for outcome in OUTCOMES:
        yield from map(written, _batches(run, outcome, sees))
    yield from map(written, _kept(run, sees))


def _batches(run: Run, outcome: Change.Outcome, sees: bool) -> Iterator[list[list[str]]]:
    last = 0
    changes = Change.objects.filter(run=run, outcome=outcome).order_by("pk")
    columns = ("pk", "key", "name", "message", "code", "field", "values")
    while batch := list(changes.filter(pk__gt=last).values_list(*columns)[:ROWS_AT_A_TIME]):
        yield [_row(outcome, *row[1:], sees=sees) for row in batch]
        last = batch[-1][0]


def _kept(run: Run, sees: bool) -> Iterator[list[list[str]]]:
    """A line for each field that a write policy left as it is."""
    last, policies = 0, run.policies
    changes = Change.objects.filter(run=run, kept__isnull=False).order_by("pk")
    while batch := list(
        changes.filter(pk__gt=last).values_list("pk", "key", "name", "kept", "values")[:ROWS_AT_A_TIME]
    ):
        yield [
            [
                safe(cell)
                for cell in (
                    key,
                    name if sees else "",
                    "Kept",
                    kept_because((policies.get(field, ""),)),
                    field,
                    _texts({field: values.get(field)}) if sees else "",
                )
            ]
            for _, key, name, kept, values in batch
            for field in kept or ()
        ]
        last = batch[-1][0]


def _row(
    outcome: Change.Outcome, key: str, name: str, message: str, code: str, field: str, values: Any, *, sees: bool
) -> list[str]:
    text = _texts(values if isinstance(values, dict) else {}) if sees else ""
    name, message = (name, message) if sees else ("", reason(outcome, message))
    return [safe(cell) for cell in (key, name, str(outcome.label), message or code, field, text)]


def _texts(values: dict[str, Any]) -> str:
    return "; ".join(f"{attribute}: {plain_values.in_words(value)}" for attribute, value in values.items())


def written(rows: Iterable[Iterable[str]]) -> str:
    """Rows as lines of the file."""
    buffer = io.StringIO()
    csv.writer(buffer).writerows(rows)
    return buffer.getvalue()
