"""The records that a run's page lists: its changes, who left or came back, and who is not taken since an earlier run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Min, QuerySet

from activations.models import Change, Record, Run

if TYPE_CHECKING:
    from collections.abc import Iterable

PLANNED, LEFT, RETURNED, EARLIER = "planned", "left", "returned", "earlier"
CHOICES = [
    (PLANNED, "Planned"),
    *[(str(value), str(label)) for value, label in Change.Outcome.choices if value],
    (EARLIER, "Not taken since an earlier run"),
    (LEFT, "Left"),
    (RETURNED, "Came back"),
]
_WORDS = {
    LEFT: "No longer in the data. It is not touched at the destination.",
    RETURNED: "It is in the data again, and was compared with what was accepted last.",
}


MOST_REASONS = 20


@dataclass(frozen=True)
class Reason:
    """Why records of a run were not taken, with one of them."""

    outcome: str
    code: str
    field: str
    records: int
    key: str
    message: str
    request_id: str

    @property
    def sentence(self) -> str:
        """For a terminal."""
        request = f" (request {self.request_id})" if self.request_id else ""
        example = f" For example {self.key!r}:" if self.key else ""
        return f"{self.records} {self.outcome}, {self.code or 'no code'}.{example} {self.message}{request}"


def reasons(run: Run) -> list[Reason]:
    """The most frequent reasons why records were not taken, told by this run."""
    told = Change.objects.filter(run=run).exclude(outcome__in=[Change.Outcome.NONE, Change.Outcome.ACCEPTED])
    grouped = told.values_list("outcome", "code", "field").annotate(number=Count("pk"), first=Min("pk"))
    groups = list(grouped.order_by("-number")[:MOST_REASONS])
    examples = Change.objects.in_bulk([first for *_, first in groups])
    return [
        Reason(outcome, code, field, number, examples[first].key, examples[first].message, examples[first].request_id)
        for outcome, code, field, number, first in groups
    ]


def found(run: Run, key: str, choice: str) -> QuerySet[Any]:
    """What to list: changes or records whose key begins with `key`, by a value of CHOICES ("" for all changes)."""
    if choice in (LEFT, RETURNED, EARLIER):
        listed: QuerySet[Any] = _records(run, choice)
    else:
        listed = Change.objects.filter(run=run)
        if choice:
            listed = listed.filter(outcome="" if choice == PLANNED else choice)
    return listed.filter(key__startswith=key) if key else listed


def told_earlier(run: Run) -> int:
    """How many rows an ended run did not take for a reason that an earlier run told, and does not list again."""
    if run.is_live or run.dry_run or run.generation_id is None:
        return 0
    return _records(run, EARLIER).count() if run.waiting or run.invalid or run.skipped else 0


def as_changes(run: Run, choice: str, rows: Iterable[Any]) -> list[Change]:
    """A page of `found` as changes: of records, what an earlier run told, or why they are listed."""
    if choice == EARLIER:
        return _told(run, list(rows))
    if choice in (LEFT, RETURNED):
        return [
            Change(run=run, key=row.key, remote_id=row.remote_id, code=choice, message=_WORDS[choice]) for row in rows
        ]
    return list(rows)


def _records(run: Run, choice: str) -> QuerySet[Record]:
    records = Record.objects.filter(generation=run.generation_id).order_by("pk")
    if choice == EARLIER:
        here = Change.objects.filter(run=run).values("key_digest")
        return records.filter(left_at=None).exclude(tried=Record.Tried.NOTHING).exclude(key_digest__in=here)
    return records.filter(**{f"{choice}_at": run.started_at}) if run.started_at else records.none()


def _told(run: Run, records: list[Record]) -> list[Change]:
    """The last reason that was told about each record; retention may have taken it."""
    of_these = Change.objects.filter(
        run__generation=run.generation_id, key_digest__in=[record.key_digest for record in records]
    )
    newest = (
        of_these.exclude(outcome=Change.Outcome.ACCEPTED).values("key_digest").annotate(newest=Max("pk")).order_by()
    )
    told = {
        change.key_digest: change for change in of_these.filter(pk__in=newest.values("newest")).select_related("run")
    }
    return [_earlier(run, record, told.get(record.key_digest)) for record in records]


def _earlier(run: Run, record: Record, change: Change | None) -> Change:
    if change is None or change.outcome != record.tried:
        return Change(
            run=run,
            key=record.key,
            outcome=record.tried,
            message="The reason was told by a run that is no longer kept.",
        )
    change.message = f"Run {change.run.number}: {change.message}"
    return change
