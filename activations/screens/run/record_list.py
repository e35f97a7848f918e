"""The records on a run's page: its changes, those that left or returned, and those that still wait for a retry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Max, Min, QuerySet

from activations.models import Change, Record, Run
from activations.storage import bundles

if TYPE_CHECKING:
    from collections.abc import Iterable

PLANNED, LEFT, RETURNED, EARLIER = "planned", "left", "returned", "earlier"
CHOICES = [
    (PLANNED, "Planned"),
    *[(str(value), str(label)) for value, label in Change.Outcome.choices if value],
    (EARLIER, "Waiting for retry since an earlier run"),
    (LEFT, "Left"),
    (RETURNED, "Returned"),
]
_SENTENCES = {
    LEFT: "No longer in the data. At the destination, it stays as it is.",
    RETURNED: "In the data again. It was compared with what was last accepted.",
}

MOST_REASONS = 20
PLANNING = (Run.State.QUEUED, Run.State.PLANNING)


@dataclass(frozen=True)
class Reason:
    """Why records of a run were not accepted, with one of them as an example."""

    outcome: str
    code: str
    field: str
    records: int
    key: str
    message: str
    request_id: str

    @property
    def sentence(self) -> str:
        """The reason in one line, for a terminal."""
        request = f" (request {self.request_id})" if self.request_id else ""
        example = f" For example {self.key!r}:" if self.key else ""
        return f"{self.records} {self.outcome} ({self.code or 'no code'}).{example} {self.message}{request}"


def reasons(run: Run) -> list[Reason]:
    """The most frequent reasons for which this run's records were not accepted."""
    changes = Change.objects.filter(run=run).exclude(outcome__in=[Change.Outcome.NONE, Change.Outcome.ACCEPTED])
    grouped = changes.values_list("outcome", "code", "field").annotate(number=Count("pk"), first=Min("pk"))
    groups = list(grouped.order_by("-number")[:MOST_REASONS])
    examples = Change.objects.in_bulk([first for *_, first in groups])
    return [
        Reason(outcome, code, field, number, examples[first].key, examples[first].message, examples[first].request_id)
        for outcome, code, field, number, first in groups
    ]


def search(run: Run, key: str, choice: str) -> QuerySet[Any]:
    """The changes or records to list whose key begins with `key`.

    Args:
        choice: a value of CHOICES; "" for all changes.
    """
    if choice in (LEFT, RETURNED, EARLIER):
        listed: QuerySet[Any] = _records(run, choice)
    else:
        listed = Change.objects.filter(run=run)
        if run.state in PLANNING:
            # What planning has listed so far may be taken back, and is not counted yet.
            listed = listed.none()
        if choice:
            listed = listed.filter(outcome="" if choice == PLANNED else choice)
    return listed.filter(key__startswith=key) if key else listed


def count_earlier(run: Run) -> int:
    """How many records wait for a retry, for reasons that an earlier run reported and this one doesn't list again."""
    if run.is_live or run.dry_run or run.generation_id is None:
        return 0
    return _records(run, EARLIER).count() if run.waiting or run.invalid or run.skipped else 0


def count_packed(run: Run, key: str, choice: str) -> int:
    """How many planned changes are not listed one by one yet, because their delivery has not begun."""
    if key or choice not in ("", PLANNED) or run.state in PLANNING:
        return 0
    packed = bundles.counts(run)
    return packed.new + packed.known


def as_changes(run: Run, choice: str, rows: Iterable[Any]) -> list[Change]:
    """A page of `search` as changes. Records become changes with the reason for which they are listed."""
    if choice == EARLIER:
        return _as_reported(run, list(rows))
    if choice in (LEFT, RETURNED):
        return [
            Change(run=run, key=row.key, remote_id=row.remote_id, code=choice, message=_SENTENCES[choice])
            for row in rows
        ]
    return list(rows)


def _records(run: Run, choice: str) -> QuerySet[Record]:
    records = Record.objects.filter(generation=run.generation_id).order_by("pk")
    if choice == EARLIER:
        here = Change.objects.filter(run=run).values("key_digest")
        return records.filter(left_at=None).exclude(tried=Record.Tried.NOTHING).exclude(key_digest__in=here)
    return records.filter(**{f"{choice}_at": run.started_at}) if run.started_at else records.none()


def _as_reported(run: Run, records: list[Record]) -> list[Change]:
    """Each record with the last reason that was reported for it, unless retention has deleted that."""
    changes = Change.objects.filter(
        run__generation=run.generation_id, key_digest__in=[record.key_digest for record in records]
    )
    newest = changes.exclude(outcome=Change.Outcome.ACCEPTED).values("key_digest").annotate(newest=Max("pk")).order_by()
    latest = {
        change.key_digest: change for change in changes.filter(pk__in=newest.values("newest")).select_related("run")
    }
    return [_reported(run, record, latest.get(record.key_digest)) for record in records]


def _reported(run: Run, record: Record, change: Change | None) -> Change:
    if change is None or change.outcome != record.tried:
        return Change(
            run=run,
            key=record.key,
            outcome=record.tried,
            message="The run that reported the reason is no longer kept.",
        )
    change.message = f"Run {change.run.number}: {change.message}"
    return change
