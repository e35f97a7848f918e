"""Metrics of what the database knows, computed when they are read: right with any number of processes and machines.

Each query is bounded, by an index and a limit or by a table that stays small. What would have to be counted from the
beginning is of the last hour instead.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from django.db.models import Count, Min
from django_celery_beat.models import PeriodicTask
from prometheus_client.core import GaugeHistogramMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from activations.models import Alert, BeatLease, Run, Warning
from destinations.answer_times import BUCKETS, SUM, added

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from prometheus_client.core import Metric

WINDOW = timedelta(hours=1)
MOST_RUNS = 10_000
"""How many of the runs that ended in the last hour are looked at, newest first."""
DELAY_BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
DURATION_BUCKETS = (1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0)
OUTCOMES = ("accepted", "matched", "rejected", "invalid", "skipped", "unknown", "not_sent")
REQUESTS = ("discovery_requests", "lookup_requests", "write_requests")
SERVICE, WAITED, ANSWERS = "activation__destination__service", "vendor_times__waited_seconds", "vendor_times__answers"
COLUMNS = (
    "state", "created_at", "started_at", "finished_at", "due_at", "takeovers", "throttled", *OUTCOMES, *REQUESTS,
    SERVICE, WAITED, ANSWERS,
)  # fmt: skip


class DatabaseCollector(Collector):
    """What the database knows at a moment."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def collect(self) -> Iterator[Metric]:
        """Every metric, with the few queries that they take together."""
        ended = list(
            Run.objects.filter(finished_at__gte=self.now - WINDOW, dry_run=False)
            .order_by("-finished_at")
            .values(*COLUMNS)[:MOST_RUNS]
        )
        yield from ended_runs(ended)
        yield from vendor_times(ended)
        yield from self._live_runs()
        yield from self._beat()
        yield from self._attention()

    def _live_runs(self) -> Iterator[Metric]:
        states = Run.OPEN
        found = (
            Run.objects.filter(state__in=states).values("state").annotate(number=Count("pk"), since=Min("created_at"))
        )
        by_state = {row["state"]: row for row in found.order_by()}
        numbers = {state: by_state[state]["number"] if state in by_state else 0 for state in states}
        yield labeled("dinmo_runs_open", "Runs that have not ended, by state.", "state", numbers)
        queued = by_state.get(Run.State.QUEUED)
        age = (self.now - queued["since"]).total_seconds() if queued else 0.0
        yield gauge("dinmo_oldest_queued_run_seconds", "How long the run that waits longest has been queued.", age)

    def _beat(self) -> Iterator[Metric]:
        last = PeriodicTask.objects.filter(name="sweep").values_list("last_run_at", flat=True).first()
        if last:
            silent = (self.now - last).total_seconds()
            yield gauge(
                "dinmo_beat_silent_seconds", "How long ago beat started a task that is due all the time.", silent
            )
        active = BeatLease.objects.filter(lease_until__gt=self.now).exclude(owner="").count()
        yield gauge("dinmo_beat_active", "1 if a beat process is active.", active)

    def _attention(self) -> Iterator[Metric]:
        kinds = Warning.objects.filter(closed_at=None).values_list("kind").annotate(number=Count("pk")).order_by()
        yield labeled("dinmo_warnings_open", "Warnings that are open, by kind.", "kind", dict(kinds))
        waiting = Alert.objects.filter(state=Alert.State.PENDING).aggregate(number=Count("pk"), due=Min("due_at"))
        overdue = max(0.0, (self.now - waiting["due"]).total_seconds()) if waiting["due"] else 0.0
        yield gauge("dinmo_outbox_waiting", "Alerts that are still to be sent.", waiting["number"])
        yield gauge("dinmo_outbox_overdue_seconds", "How long the alert that waits longest has been due.", overdue)


def ended_runs(runs: Sequence[dict[str, Any]]) -> Iterator[Metric]:
    """PURE. What can be said about runs that have ended.

    Args:
        runs: the columns of each.
    """
    delays = [seconds(run["created_at"], run["started_at"]) for run in runs if run["started_at"]]
    yield histogram("dinmo_queue_delay_seconds", "From the request of a run to its start.", {(): delays}, DELAY_BUCKETS)
    durations: dict[tuple[str, ...], list[float]] = {}
    for run in runs:
        if run["started_at"]:
            durations.setdefault((run["state"],), []).append(seconds(run["started_at"], run["finished_at"]))
    text = "From the start of a run to its end, by state."
    yield histogram("dinmo_run_duration_seconds", text, durations, DURATION_BUCKETS, ["state"])
    states = Counter(run["state"] for run in runs)
    yield labeled("dinmo_runs_ended", "Runs that ended in the last hour, by state.", "state", states)
    text = "Changes of the runs that ended in the last hour, by outcome."
    yield labeled("dinmo_changes", text, "outcome", {name: total(runs, name) for name in OUTCOMES})
    text = "Requests of the runs that ended in the last hour, by purpose."
    by_purpose = {name.removesuffix("_requests"): total(runs, name) for name in REQUESTS}
    yield labeled("dinmo_vendor_requests", text, "purpose", by_purpose)
    text = "Answers by which a vendor enforced its rate limit, of the runs that ended in the last hour."
    yield gauge("dinmo_vendor_throttled", text, total(runs, "throttled"))
    text = "Runs that a worker took from one that had died, of those that ended in the last hour."
    yield gauge("dinmo_lease_takeovers", text, total(runs, "takeovers"))
    lags = [seconds(run["due_at"], run["created_at"]) for run in runs if run["due_at"]]
    yield histogram("dinmo_schedule_lag_seconds", "From a slot of a schedule to its run.", {(): lags}, DELAY_BUCKETS)


def vendor_times(runs: Iterable[dict[str, Any]]) -> Iterator[Metric]:
    """PURE. How long vendors took to answer, and how long requests waited for rate limits, by service.

    Args:
        runs: the columns of each. Of a run that sent no request, those of its times are None.
    """
    answers: dict[str, dict[str, dict[str, float]]] = {}
    waits: Counter[str] = Counter()
    for run in runs:
        if run[ANSWERS] is not None:
            waits[run[SERVICE]] += run[WAITED]
            answers[run[SERVICE]] = added(answers.get(run[SERVICE], {}), run[ANSWERS])
    text = "How long vendors took to answer, by service and status class, of the runs that ended in the last hour."
    family = GaugeHistogramMetricFamily("dinmo_vendor_request_seconds", text, labels=["service", "status"])
    for service, by_status in answers.items():
        for status, counts in by_status.items():
            cumulative = accumulate(counts.get(name, 0) for name in BUCKETS)
            family.add_metric([service, status], list(zip(BUCKETS, cumulative, strict=True)), counts[SUM])
    yield family
    text = "How long requests waited for the rate limit, added up, of the runs that ended in the last hour."
    yield labeled("dinmo_vendor_rate_limit_wait_seconds", text, "service", waits)


def seconds(begin: datetime, end: datetime) -> float:
    """PURE. The time between two moments; 0 if a clock was set back between them."""
    return max(0.0, (end - begin).total_seconds())


def total(runs: Iterable[dict[str, Any]], column: str) -> int:
    """PURE. The sum of a column."""
    return sum(run[column] for run in runs)


def gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    """PURE. A metric with one value."""
    return GaugeMetricFamily(name, text, value=value)


def labeled(name: str, text: str, label: str, values: Mapping[Any, float]) -> GaugeMetricFamily:
    """PURE. A metric with a value for each label."""
    family = GaugeMetricFamily(name, text, labels=[label])
    for key, value in values.items():
        family.add_metric([str(key)], value)
    return family


def histogram(
    name: str,
    text: str,
    values: dict[tuple[str, ...], list[float]],
    bounds: Sequence[float],
    labels: Sequence[str] = (),
) -> GaugeHistogramMetricFamily:
    """PURE. How the values of the last hour are distributed, by label."""
    family = GaugeHistogramMetricFamily(name, text, labels=list(labels))
    for key, each in values.items():
        buckets = [(str(bound), sum(value <= bound for value in each)) for bound in bounds]
        family.add_metric(list(map(str, key)), [*buckets, ("+Inf", len(each))], sum(each))
    return family
