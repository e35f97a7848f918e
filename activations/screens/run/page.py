"""What the page of a run shows, and the part of it that is refreshed while the run is live."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.core.cache import caches
from django.core.paginator import Paginator
from django.urls import reverse

from activations.alerts.rules import closed_by, warnings_of
from activations.models import Change, Run
from activations.screens import presentation
from activations.screens.attached.notes import attaches
from activations.screens.fixes import Link, fixes
from activations.screens.hidden_values import mask_cause
from activations.screens.review import comparison
from activations.screens.run import counts, fields, pace, record_list
from activations.screens.run.causes import causes, causes_among
from activations.screens.run.rows import rows, title
from activations.screens.run.sentence import Facts, losses, meaning_of_new, sentence
from activations.screens.timeline import found_in_run
from activations.screens.timeline.found_in_run import MOST_OF_EACH
from activations.setup.policy_words import kept_because
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from activations.screens.run.causes import Cause

CHANGES_PER_PAGE = 25
MOST_READS = 3
LATEST_SETTLED = 1_500
"""As many records as the fastest vendor takes in about the minute whose pace is measured."""
LONGEST_SEARCH = 200
MANY_EXCEPTIONS, KEPT_SECONDS = 5_000, 20
"""If more records were not accepted, their causes are grouped again only after as many seconds."""
MOST_EARLIER = 1_000
"""Records whose reasons from earlier runs are grouped on one page. All of them are listed."""
_OWN_FIELDS = [field.attname for field in Run._meta.concrete_fields if not field.is_relation]
"""Without relations, which stay loaded when a run is read again."""


@dataclass(frozen=True)
class Example:
    """A record that is named as an example. `pk`: of its change; 0 if it has no page."""

    pk: int
    title: str


@dataclass(frozen=True)
class ShownCause:
    """A cause with the label of its attribute, and where something can be done about it."""

    cause: Cause
    label: str
    links: list[Link]

    @property
    def examples(self) -> list[Example]:
        """A record with this cause, and those that share its match value if that is the cause."""
        first = Example(self.cause.example, self.cause.name or self.cause.key)
        return [first, *(Example(change.pk, title(change)) for change in self.cause.others)]


@dataclass(frozen=True)
class Filters:
    """Which records of a run are listed, from the query string."""

    text: str = ""
    outcome: str = ""
    code: str = ""
    field: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        """The filters in a query string. A cause is a code and a field, and applies to one outcome."""
        outcome = query.get("outcome", "")
        known = outcome if outcome in dict(record_list.CHOICES) else ""
        cause = (query.get("code", ""), query.get("field", "")) if known else ("", "")
        return cls(query.get("q", "").strip()[:LONGEST_SEARCH], known, *cause)

    @property
    def cause(self) -> dict[str, str]:
        return {"code": self.code, "field": self.field} if self.code else {}


def facts(run: Run) -> Facts:
    """The run in words and numbers, for its sentence."""
    service = services[run.activation.destination.service]
    one, many = service.record_nouns
    error = run.error_message if run.state == Run.State.FAILED or _is_discarded(run) else ""
    return Facts(
        run.state, run.counts(), one=one, many=many, vendor=service.platform.label, error=error,
        is_test=bool(run.only_key), is_dry=run.dry_run, is_compared=run.live, compares=run.activation.compares(service),
        kept=kept_because(run.policies.values()),
        waits_for=service.waits_for,
        is_check=run.kind == Run.Kind.DRIFT,
    )  # fmt: skip


def _is_discarded(run: Run) -> bool:
    """Whether the plan of a held run was not sent, because a person or a change of its settings prevented it."""
    return run.state == Run.State.CANCELLED and bool(run.decision) and not run.write_requests


def records(query: Mapping[str, str], run: Run, *, sees: bool) -> dict[str, Any]:
    """One page of the run's records, searched and filtered, at one moment with the run's counts.

    A worker changes both in one commit. If it does so between two queries, they are repeated; `run` is read again.
    """
    for _ in range(MOST_READS):
        before = run.counts()
        context = _records(query, run, sees=sees)
        run.refresh_from_db(fields=_OWN_FIELDS)
        if run.counts() == before:
            break
    return context


def _records(query: Mapping[str, str], run: Run, *, sees: bool) -> dict[str, Any]:
    filters = Filters.of(query)
    listed = record_list.search(run, filters.text, filters.outcome, filters.cause, by_values=sees)
    page = Paginator(listed[: record_list.MOST_LISTED], CHANGES_PER_PAGE).get_page(query.get("page"))
    packed = record_list.count_packed(run, filters.text, filters.outcome)
    by_beginning = found_in_run.is_by_beginning(run)
    most = MOST_OF_EACH if by_beginning and filters.text else record_list.MOST_LISTED
    is_cut = page.paginator.count >= most
    known = None if filters.text or filters.code or not is_cut else record_list.known_count(run, filters.outcome)
    return {
        "page": page,
        "rows": rows(run, record_list.as_changes(run, filters.outcome, page.object_list), sees=sees),
        "filters": filters,
        "choices": record_list.choices(run),
        "packed": packed,
        "total": max(page.paginator.count, known or 0) + packed,
        "is_more": is_cut and known is None,
        "most": page.paginator.count if is_cut else 0,
        "by_beginning": by_beginning,
        "by_values": sees,
        "earlier_choice": record_list.EARLIER,
    }


def progress(run: Run, now: datetime, *, sees: bool) -> dict[str, Any]:
    """The sentence, the counts, the stages and the causes of a run.

    Args:
        sees: whether the causes are shown with the values of their examples.
    """
    shown, zeros = counts.counts(run)
    earlier = record_list.count_earlier(run)
    names = fields.labels(run.activation)
    service = services[run.activation.destination.service]
    return {
        "run": run,
        "platform": service.platform.label,
        "sentence": sentence(facts(run)),
        "new_note": meaning_of_new(run.activation.mode, service.record_nouns[0], service.platform.label)
        if run.dry_run and run.new and not run.live
        else "",
        "takes": _takes(run),
        "state_pill": presentation.run_pill(run),
        "bar": counts.bar(run, record_list.count_listed(run), links_earlier=bool(earlier)),
        "earlier": earlier,
        "is_more_earlier": earlier == record_list.MOST_LISTED,
        "stages": counts.stages(run),
        "percent": counts.percent(run),
        "done": counts.done(run),
        "time_left": _time_left(run, now),
        "counts": shown,
        "zero_counts": zeros,
        "causes": [_shown(run, cause, names) for cause in _seen(_causes(run), sees)],
        "earlier_causes": [_shown(run, cause, names) for cause in _seen(_earlier_causes(run), sees)] if earlier else [],
        "fixes": list(fixes(run)),
        "hidden_note": presentation.hidden_note(service, run.hidden, attaches=bool(attaches(run.activation))),
        "losses": losses(run.lossy, names),
        "duration": presentation.duration(run, now),
        "run_warnings": [warning for warning in warnings_of(run) if warning.kind != "run_failed"],
        "closed_warnings": [] if run.is_live else closed_by(run),
    }


def _takes(run: Run) -> str:
    """What a live dry run takes in requests: announced while it compares, counted once it has ended."""
    if not run.live or not run.planned:
        return ""
    service = services[run.activation.destination.service]
    announced = comparison.requests_of(service, run.planned)
    return f"at most {announced}" if run.is_live else f"{run.lookup_requests:,} of at most {announced}"


def _time_left(run: Run, now: datetime) -> str:
    if run.state != Run.State.DELIVERING:
        return ""
    latest = Change.objects.filter(run=run, state=Change.State.SETTLED).order_by("-pk")
    settled = latest.values_list("outcome", "settled_at")[:LATEST_SETTLED]
    times = [time for outcome, time in settled if time and outcome != Change.Outcome.INVALID]
    return pace.time_left(run.planned - counts.done(run), pace.per_second(times, now))


def _causes(run: Run) -> list[Cause]:
    planning = run.state == Run.State.PLANNING
    exceptions = run.rejected + run.invalid + run.skipped + run.unknown + run.not_sent + run.incomplete
    if exceptions > MANY_EXCEPTIONS:
        # Grouping hundreds of thousands of changes takes seconds, and a live page asks every second.
        return caches["pages"].get_or_set(f"causes:{run.pk}:{run.state}", lambda: causes(run), KEPT_SECONDS) or []
    return causes(run) if planning or exceptions else []


def _earlier_causes(run: Run) -> list[Cause]:
    """The causes that earlier runs reported, of the first records that are still not accepted because of them."""
    records = record_list.search(run, "", record_list.EARLIER)[:MOST_EARLIER]
    return causes_among(record_list.as_changes(run, record_list.EARLIER, records))


def _seen(found: list[Cause], sees: bool) -> list[Cause]:
    return found if sees else [mask_cause(cause) for cause in found]


def _shown(run: Run, cause: Cause, names: Mapping[str, str]) -> ShownCause:
    return ShownCause(cause, names.get(cause.field, cause.field), list(_links(run, cause)))


def _links(run: Run, cause: Cause) -> Iterator[Link]:
    """Where something can be done about a cause."""
    activation = reverse("admin:activations_activation_change", args=[run.activation_id])
    if cause.outcome in (Change.Outcome.UNKNOWN, Change.Outcome.NOT_SENT):
        return
    if cause.field:
        yield Link("Open the mapping", f"{activation}?{urlencode({'field': cause.field})}#step-mapping")
    elif cause.outcome == Change.Outcome.SKIPPED:
        yield Link("Open the activation", activation)
    elif cause.outcome == Change.Outcome.INVALID:
        model = run.activation.data_model
        yield Link("Open the model", reverse("admin:segments_datamodel_change", args=[model.pk]))
    if cause.outcome == Change.Outcome.REJECTED:
        attributes = reverse("admin:destinations_destination_fields", args=[run.activation.destination_id])
        yield Link("Check the attributes", attributes)
