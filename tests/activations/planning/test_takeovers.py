"""What a killed worker or a failed database leaves behind, and how the next worker continues."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from activations import execute as execution
from activations.delivery.recorder import Recorder
from activations.models import Activation, Change, Record, Run
from activations.planning import finalize
from activations.runs import lease, requests
from core.errors import Unavailable
from segments.models import DataModel
from segments.reading.prefetch import prefetch
from tests.activations.conftest import Shop, run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


class Died(BaseException):
    """Represents a kill: no code of ours handles it."""


def die(*args: Any) -> None:
    raise Died


def start_and_die(activation: Activation, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose worker died before it recorded an answer, and whose lease has expired."""
    requested_run = requests.request(activation, "schedule", enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", die)
        with pytest.raises(Died):
            execution.execute(requested_run.pk)
    Run.objects.filter(pk=requested_run.pk).update(lease_until=Now() - timedelta(seconds=1))
    return requested_run


def name_of(attio: Sandbox) -> str:
    (record,) = attio.state()["records"]
    return str(record["values"]["name"])


def test_values_in_doubt_are_sent_again_even_if_the_next_worker_could_not_send_them(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(1)
    run(to_attio)
    shop.set(1, "name", "Other")
    requested_run = start_and_die(to_attio, monkeypatch)
    assert name_of(attio) == "Other"
    attio.switches["revoked"] = True
    execution.execute(requested_run.pk)
    assert Run.objects.get(pk=requested_run.pk).state == "failed"
    assert Change.objects.get(run=requested_run).outcome == "unknown"
    attio.switches["revoked"] = False
    shop.set(1, "name", "Company 1")
    assert run(to_attio).accepted == 1
    assert name_of(attio) == "Company 1"


@pytest.mark.parametrize("service", ["attio", "intercom"])
def test_insert_mode_distinguishes_records_of_a_killed_worker_from_existing_ones(
    service: str, shop: Shop, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, activation = request.getfixturevalue(service), request.getfixturevalue(f"to_{service}")
    shop.fill(1)
    assert run(activation).accepted == 1
    Record.objects.all().delete()
    Activation.objects.filter(pk=activation.pk).update(mode="insert")
    time.sleep(1.1)  # Intercom reports times in whole seconds.
    shop.add((2, "Company 2", "company2.com", "No. 2", "pro", 2))
    requested_run = requests.request(Activation.objects.get(pk=activation.pk), "schedule", enqueue=False)
    record = Recorder.record

    def die_after_a_create(self: Recorder, answers: Any, now: Any) -> Any:
        if any(answer.job.step == "create" for answer in answers):
            raise Died
        return record(self, answers, now)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", die_after_a_create)
        with pytest.raises(Died):
            execution.execute(requested_run.pk)
    # The first change is in doubt too, as if that worker had died before it recorded the lookup.
    Change.objects.filter(run=requested_run, key="1").update(state="sending", outcome="")
    Run.objects.filter(pk=requested_run.pk).update(lease_until=Now() - timedelta(seconds=1))
    while execution.execute(requested_run.pk):
        pass
    outcomes = dict(Change.objects.filter(run=requested_run).values_list("key", "outcome"))
    assert outcomes == {"1": "skipped", "2": "accepted"}
    assert Change.objects.get(run=requested_run, key="2").created
    assert len(vendor.state()["records" if service == "attio" else "companies"]) == 2


def test_database_failure_ends_no_run(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(3)

    def fail(*args: Any) -> None:
        raise OperationalError("the server closed the connection")

    requested_run = requests.request(to_attio, "schedule", enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", fail)
        assert execution.execute(requested_run.pk) is False
    requested_run.refresh_from_db()
    assert (requested_run.state, requested_run.error_code) == ("delivering", "")
    Run.objects.filter(pk=requested_run.pk).update(lease_until=Now() - timedelta(seconds=1))
    while execution.execute(requested_run.pk):
        pass
    requested_run.refresh_from_db()
    assert (requested_run.state, requested_run.accepted) == ("succeeded", 3)
    assert len(attio.state()["records"]) == 3


def test_lease_renewal_resumes_once_the_database_is_back(
    to_attio: Activation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUN_LEASE_SECONDS = 0.4
    requested_run = requests.request(to_attio, "schedule", enqueue=False)
    claimed = lease.claim(requested_run.pk)
    assert claimed
    failures = [OperationalError("gone"), OperationalError("gone")]
    renew = lease.Lease.renew

    def flaky(self: lease.Lease) -> None:
        if failures:
            raise failures.pop()
        renew(self)

    monkeypatch.setattr(lease.Lease, "renew", flaky)
    with lease.Keeper(claimed):
        time.sleep(0.7)
        assert failures == []
        assert lease.claim(requested_run.pk) is None


def test_run_is_cancelled_while_its_source_has_not_answered(
    companies: DataModel, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.planning.plan.CANCEL_CHECK_SECONDS", 0.1)
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
    columns = "1 as id, 'a' as name, 'a.com' as domain, '' as description, '' as plan, 1 as seats"
    DataModel.objects.filter(pk=companies.pk).update(table="", sql=f"select {columns} where ({endless}) > 0")
    assert set(companies.column_types()) == {"id", "name", "domain", "description", "plan", "seats"}
    requested_run = requests.request(to_attio, "schedule", enqueue=False)
    threading.Timer(0.5, lambda: Run.objects.filter(pk=requested_run.pk).update(cancel_requested=True)).start()
    started = time.monotonic()
    assert execution.execute(requested_run.pk) is False
    requested_run.refresh_from_db()
    assert (requested_run.state, requested_run.changes.count()) == ("cancelled", 0)
    assert time.monotonic() - started < 5


def test_source_that_fails_midway_decides_nothing(
    to_attio: Activation, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(5)
    shop.add((6, "No domain", None, "", "", 1))

    def break_off(*args: Any, **kwargs: Any) -> Any:
        yield from prefetch(*args, **kwargs)
        raise Unavailable("source_gone", "The source went away.")

    with monkeypatch.context() as patched:
        patched.setattr("segments.reading.read.prefetch", break_off)
        failed = run(to_attio)
    assert (failed.state, failed.error_code, failed.changes.count()) == ("failed", "unavailable", 0)
    assert run(to_attio).changes.filter(outcome="invalid").count() == 1


def test_repeated_planning_counts_and_lists_every_row_once(
    shop: Shop, attio: Sandbox, companies: DataModel, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run("drop table companies")
    shop.run("create table companies (id integer, name text, domain text, description text, plan text, seats integer)")
    shop.fill(3)
    shop.add((4, "No domain", None, "", "", 1), (5, "One", "five.com", "", "", 1), (5, "Other", "5.com", "", "", 1))
    shop.add((None, "No key", "six.com", "", "", 1))
    requested_run = requests.request(to_attio, "schedule", enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(finalize, "_resolve_takeovers", die)
        with pytest.raises(Died):
            execution.execute(requested_run.pk)
    Run.objects.filter(pk=requested_run.pk).update(lease_until=Now() - timedelta(seconds=1))
    while execution.execute(requested_run.pk):
        pass
    requested_run.refresh_from_db()
    assert (requested_run.rows, requested_run.accepted, requested_run.invalid) == (7, 3, 4)
    codes = Change.objects.filter(run=requested_run, outcome="invalid").values_list("code", flat=True)
    assert sorted(codes) == ["duplicate_key", "key_empty", "match_empty"]
