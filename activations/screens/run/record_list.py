"""The records on a run's page: its changes, those that left or returned, and those that still wait for a retry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet

from activations.models import Change, Record, Run
from activations.screens.timeline import found_in_run
from activations.storage import bundles

if TYPE_CHECKING:
    from collections.abc import Iterable

PLANNED, LEFT, RETURNED, EARLIER = "planned", "left", "returned", "earlier"
CREATED, UPDATED, NEW, CHANGED, KEPT = "created", "updated", "new", "changed", "kept"
CHOICES = [
    (PLANNED, "Planned"),
    (CREATED, "Created"),
    (UPDATED, "Updated"),
    *[(str(value), str(label)) for value, label in Change.Outcome.choices if value],
    (KEPT, "Kept by a write policy"),
    (NEW, "New"),
    (CHANGED, "Changed"),
    (EARLIER, "Waiting for retry since an earlier run"),
    (LEFT, "Left"),
    (RETURNED, "Returned"),
]
_FILTERS: dict[str, dict[str, Any]] = {
    PLANNED: {"outcome": ""},
    CREATED: {"outcome": Change.Outcome.ACCEPTED, "created": True},
    UPDATED: {"outcome": Change.Outcome.ACCEPTED, "created": False},
    KEPT: {"kept__isnull": False},
    NEW: {"outcome": "", "is_new": True},
    CHANGED: {"outcome": "", "is_new": False},
}
_SENTENCES = {
    LEFT: "No longer in the data. At the destination, it stays as it is.",
    RETURNED: "In the data again. It was compared with what was last accepted.",
}
MOST_LISTED = 10_000
"""More records than these are neither counted nor listed page by page. Filters and searches find them."""
_COUNTED = (Change.Outcome.ACCEPTED, Change.Outcome.MATCHED, Change.Outcome.REJECTED, Change.Outcome.UNKNOWN)
"""The outcomes of which a run lists as many changes as it counts."""
PLANNING = (Run.State.QUEUED, Run.State.PLANNING)


def choices(run: Run) -> list[tuple[str, str]]:
    """The filters of a run's records. A dry run or a held one has no outcomes, only new and changed records.

    A live dry run has the outcomes that a run would have.
    """
    known = {name for name, _ in CHOICES}
    hidden = {PLANNED, CREATED, UPDATED, str(Change.Outcome.ACCEPTED)} if is_plan(run) else {NEW, CHANGED}
    hidden |= {NEW, CHANGED} if run.live else set(map(str, Change.FORESEEN))
    return [(value, label) for value, label in CHOICES if value in known - hidden]


def is_plan(run: Run) -> bool:
    """Whether nothing of the run has been sent: it is a dry run, or waits for approval."""
    return run.dry_run or run.state == Run.State.HELD


def search(
    run: Run, text: str, choice: str, cause: dict[str, str] | None = None, *, by_values: bool = True
) -> QuerySet[Any]:
    """The changes or records to list.

    Args:
        text: a part of the name, or the beginning of the key, the match value or the ID at the destination.
        choice: a value of CHOICES; "" for all changes.
        cause: only changes with this `code` and `field`.
        by_values: also find the text in names and match values.
    """
    by_key = Q(key__startswith=text) | Q(remote_id__startswith=text)
    if choice in (LEFT, RETURNED, EARLIER):
        listed: QuerySet[Any] = _records(run, choice)
        return listed.filter(by_key) if text else listed
    listed = Change.objects.filter(run=run)
    if run.state in PLANNING or (choice in (CREATED, UPDATED, KEPT) and known_count(run, choice) == 0):
        # What planning has listed so far may be taken back, and is not counted yet. Of an ended run, the counts tell
        # that there are none: PostgreSQL would read all changes to find that out.
        listed = listed.none()
    elif not run.is_live and choice in ("", *Change.HELD, CREATED, UPDATED):
        # All are settled, so this is the order of their IDs, and there is an index for it.
        listed = listed.order_by("state", "pk")
    if choice:
        listed = listed.filter(**_FILTERS.get(choice, {"outcome": choice}), **(cause or {}))
    if not text:
        return listed
    return found_in_run.mentioning(run, listed, text) if by_values else listed.filter(by_key)


def known_count(run: Run, choice: str) -> int | None:
    """How many changes with this filter an ended run has counted; None if its counts don't tell.

    Retention may have deleted the changes since.
    """
    if run.is_live or is_plan(run):
        return None
    known = {CREATED: run.created, UPDATED: run.accepted - run.created, **run.counts()}
    return known[choice] if choice in (CREATED, UPDATED, KEPT, *_COUNTED) else None


def count_earlier(run: Run) -> int:
    """How many records wait for a retry, for reasons that an earlier run reported and this one doesn't list again.

    That is known of the latest run alone: the baseline says what waits now, not what waited once.
    """
    if run.is_live or run.dry_run or run.is_partial or run.generation_id is None:
        return 0
    if not (run.waiting or run.invalid or run.skipped) or _is_followed(run):
        return 0
    return _records(run, EARLIER)[:MOST_LISTED].count()


def count_listed(run: Run) -> dict[str, int]:
    """How many invalid and skipped records the run lists, by outcome. It counts more if earlier runs listed some."""
    outcomes = (Change.Outcome.INVALID, Change.Outcome.SKIPPED)
    listed = Change.objects.filter(run=run, outcome__in=outcomes).order_by().values_list("outcome")
    return {**dict.fromkeys(map(str, outcomes), 0), **dict(listed.annotate(number=Count("pk")))}


def _is_followed(run: Run) -> bool:
    later = Run.objects.filter(activation=run.activation_id, pk__gt=run.pk, dry_run=False)
    return later.exclude(compared_at=None).exists()


def has_failures(run: Run) -> bool:
    """Whether this run lists records that a retry may send: rejected, invalid or unknown ones."""
    failed = (Change.Outcome.REJECTED, Change.Outcome.INVALID, Change.Outcome.UNKNOWN)
    return Change.objects.filter(run=run, outcome__in=failed).exists()


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
    if choice == EARLIER and not _counts_earlier(run):
        return records.none()
    if choice == EARLIER:
        # Not "in": PostgreSQL would compare each record with every change of a large run.
        here = Change.objects.filter(run=run, key_digest=OuterRef("key_digest"))
        return records.filter(left_at=None).exclude(tried=Record.Tried.NOTHING).exclude(Exists(here))
    return records.filter(**{f"{choice}_at": run.started_at}) if run.started_at else records.none()


def _counts_earlier(run: Run) -> bool:
    """Whether the run counts records that it doesn't list, because an earlier run did."""
    return run.waiting > 0 or any(getattr(run, outcome) > listed for outcome, listed in count_listed(run).items())


def _as_reported(run: Run, records: list[Record]) -> list[Change]:
    """Each record with the last reason that was reported for it, unless retention has deleted that."""
    changes = Change.objects.filter(
        run__generation=run.generation_id, key_digest__in=[record.key_digest for record in records]
    )
    reported = changes.exclude(Q(outcome__in=Change.HELD) | Q(run__dry_run=True))
    newest = reported.values("key_digest").annotate(newest=Max("pk")).order_by()
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
    change.message = f"{change.run.title}: {change.message}"
    return change
