"""Metrics: who may read them, what they say about runs, and that the dashboard uses only those that exist."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask
from prometheus_client.parser import text_string_to_metric_families

from activations.models import Activation, Alert, Run, VendorTimes, Warning
from activations.scheduling import standby
from dinmo.monitoring.collector import ended_runs
from tests.activations.scheduling.test_periodic_tasks import activation  # noqa: F401

if TYPE_CHECKING:
    from pytest_django import DjangoAssertNumQueries, Settings

DASHBOARD = Path(__file__).resolve().parents[3] / "docs" / "grafana" / "dinmo.json"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
NAME = re.compile(r"\bdinmo_\w+")


def scraped(**headers: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Every sample by name and labels."""
    response = Client().get("/metrics", headers={"host": "10.0.0.1:8000", **headers})
    assert response.status_code == 200
    families = text_string_to_metric_families(response.content.decode())
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in families
        for sample in family.samples
    }


def run(of: Activation, number: int, **columns: Any) -> Run:
    return Run.objects.create(activation=of, number=number, trigger="manual", **columns)


@pytest.fixture
def busy(activation: Activation) -> Activation:  # noqa: F811
    """An installation with a run that ended, one that is queued, a warning, an alert, and a beat."""
    now = timezone.now()
    ended = run(activation, 1, state="succeeded", accepted=7, rejected=2, write_requests=9, takeovers=1)
    times = {"created_at": now - timedelta(seconds=100), "started_at": now - timedelta(seconds=98)}
    Run.objects.filter(pk=ended.pk).update(**times, finished_at=now - timedelta(seconds=8), due_at=times["created_at"])
    answers = {"2xx": {"0.1": 6, "1.0": 2, "sum": 2.5}, "none": {"+Inf": 1, "sum": 20.5}}
    VendorTimes.objects.create(run=ended, waited_seconds=3.5, answers=answers)
    old = run(activation, 2, state="failed", accepted=1000)
    Run.objects.filter(pk=old.pk).update(finished_at=now - timedelta(hours=2))
    run(activation, 3)
    Warning.objects.create(activation=activation, kind="rejected", message="x", opened_at=now)
    Warning.objects.create(activation=activation, kind="invalid", message="x", opened_at=now, closed_at=now)
    Alert.objects.create(event="warning", created_at=now, due_at=now - timedelta(seconds=50))
    every, _ = IntervalSchedule.objects.get_or_create(every=15, period="seconds")
    PeriodicTask.objects.update_or_create(name="sweep", defaults={"interval": every, "task": "s", "last_run_at": now})
    standby.take("beat 1")
    return activation


@pytest.mark.django_db
def test_metrics_are_what_the_database_knows(busy: Activation) -> None:
    found = scraped()
    assert found["dinmo_runs_open", (("state", "queued"),)] == 1
    assert found["dinmo_runs_open", (("state", "delivering"),)] == 0
    assert found["dinmo_runs_ended", (("state", "succeeded"),)] == 1
    assert ("dinmo_runs_ended", (("state", "failed"),)) not in found
    assert found["dinmo_changes", (("outcome", "accepted"),)] == 7
    assert found["dinmo_changes", (("outcome", "rejected"),)] == 2
    assert found["dinmo_vendor_requests", (("purpose", "write"),)] == 9
    assert found["dinmo_lease_takeovers", ()] == 1
    assert found["dinmo_warnings_open", (("kind", "rejected"),)] == 1
    assert ("dinmo_warnings_open", (("kind", "invalid"),)) not in found
    assert found["dinmo_outbox_waiting", ()] == 1
    assert 50 <= found["dinmo_outbox_overdue_seconds", ()] < 60
    assert found["dinmo_beat_active", ()] == 1
    assert found["dinmo_beat_silent_seconds", ()] < 10


@pytest.mark.django_db
def test_times_of_requests_to_vendors_are_added_up_by_service(busy: Activation) -> None:
    second = run(busy, 4, state="succeeded", finished_at=timezone.now())
    VendorTimes.objects.create(run=second, waited_seconds=1.0, answers={"2xx": {"0.1": 1, "sum": 0.1}})
    service = ("service", busy.destination.service)
    found = scraped()
    name = "dinmo_vendor_request_seconds"
    answered = {
        bound: found[f"{name}_bucket", (("le", bound), service, ("status", "2xx"))] for bound in ("0.05", "0.5", "+Inf")
    }
    assert answered == {"0.05": 0, "0.5": 7, "+Inf": 9}
    assert found[f"{name}_gsum", (service, ("status", "2xx"))] == pytest.approx(2.6)
    assert found[f"{name}_bucket", (("le", "20.0"), service, ("status", "none"))] == 0
    assert found[f"{name}_gcount", (service, ("status", "none"))] == 1
    assert found["dinmo_vendor_rate_limit_wait_seconds", (service,)] == pytest.approx(4.5)


def test_delays_and_durations_are_distributed_over_buckets() -> None:
    one = dict.fromkeys(("takeovers", "throttled", "discovery_requests", "lookup_requests", "write_requests"), 0)
    outcomes = dict.fromkeys(("accepted", "matched", "rejected", "invalid", "skipped", "unknown", "not_sent"), 0)
    started, ended = NOON + timedelta(seconds=2), NOON + timedelta(seconds=92)
    times = {"created_at": NOON, "started_at": started, "finished_at": ended, "due_at": NOON - timedelta(seconds=40)}
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in ended_runs([{**one, **outcomes, **times, "state": "failed"}])
        for sample in family.samples
    }
    assert samples["dinmo_queue_delay_seconds_bucket", "1.0"] == 0
    assert samples["dinmo_queue_delay_seconds_bucket", "2.5"] == 1
    assert samples["dinmo_run_duration_seconds_bucket", "60.0", "failed"] == 0
    assert samples["dinmo_run_duration_seconds_bucket", "300.0", "failed"] == 1
    assert samples["dinmo_run_duration_seconds_gsum", "failed"] == 90
    assert samples["dinmo_schedule_lag_seconds_bucket", "30.0"] == 0
    assert samples["dinmo_schedule_lag_seconds_bucket", "60.0"] == 1


@pytest.mark.django_db
def test_reading_takes_few_queries(busy: Activation, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_max_num_queries(7):
        scraped()


@pytest.mark.django_db
def test_pages_are_counted_by_name_and_not_by_address() -> None:
    Client().get("/admin/login/?next=/secret/")
    Client().get("/no/such/page-with-a-key/")
    names = [dict(labels) for name, labels in scraped() if name == "dinmo_web_request_seconds_count"]
    assert {"method": "GET", "view": "dinmo.accounts.entrance.sign_in.SignIn", "status": "2xx"} in names
    assert "page-with-a-key" not in str(names)


@pytest.mark.django_db
def test_dashboard_uses_only_metrics_that_exist(busy: Activation) -> None:
    Client().get("/admin/login/")
    exist = {name for name, _ in scraped()}
    used = {
        name
        for panel in json.loads(DASHBOARD.read_text())["panels"]
        for target in panel["targets"]
        for name in NAME.findall(target["expr"])
    }
    assert used
    assert used - exist == set()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("token", "address", "headers", "status"),
    [
        ("", "127.0.0.1", {}, 200),
        ("", "::1", {}, 200),
        ("", "10.0.0.9", {}, 403),
        ("", "", {}, 403),
        ("", "127.0.0.1", {"X-Forwarded-For": "10.0.0.9"}, 403),
        ("", "127.0.0.1", {"Authorization": "Bearer "}, 200),
        ("let-me-in", "127.0.0.1", {}, 403),
        ("let-me-in", "10.0.0.9", {"Authorization": "Bearer let-me-in"}, 200),
        ("let-me-in", "127.0.0.1", {"Authorization": "Bearer let-me"}, 403),
        ("let-me-in", "127.0.0.1", {"Authorization": "Bearer ü"}, 403),
    ],
)
def test_metrics_are_for_this_machine_or_those_who_know_the_token(
    settings: Settings, token: str, address: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_TOKEN = token
    response = Client(REMOTE_ADDR=address).get("/metrics", headers=headers)
    assert response.status_code == status
    assert (b"dinmo_runs_open" in response.content) == (status == 200)
