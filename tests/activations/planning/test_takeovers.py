"""What a worker's or the database's death leaves behind, and what the next worker makes of it."""

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
    """Stands for a kill: nothing of ours handles it."""


def die(*args: Any) -> None:
    raise Died


def start_and_die(activation: Activation, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run whose worker dies with an answer in hand; its lease is over."""
    asked = requests.request(activation, "schedule", enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", die)
        with pytest.raises(Died):
            execution.execute(asked.pk)
    Run.objects.filter(pk=asked.pk).update(lease_until=Now() - timedelta(seconds=1))
    return asked


def name_of(attio: Sandbox) -> str:
    (record,) = attio.state()["records"]
    return str(record["values"]["name"])


def test_what_a_dead_worker_may_have_sent_is_due_again_where_its_successor_could_not_send_it(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(1)
    run(to_attio)
    shop.set(1, "name", "Other")
    asked = start_and_die(to_attio, monkeypatch)
    assert name_of(attio) == "Other"
    attio.switches["revoked"] = True
    execution.execute(asked.pk)
    assert Run.objects.get(pk=asked.pk).state == "failed"
    assert Change.objects.get(run=asked).outcome == "unknown"
    attio.switches["revoked"] = False
    shop.set(1, "name", "Company 1")
    assert run(to_attio).accepted == 1
    assert name_of(attio) == "Company 1"


@pytest.mark.parametrize("service", ["attio", "intercom"])
def test_what_a_dead_worker_created_in_insert_mode_is_ours_and_what_was_there_is_not(
    service: str, shop: Shop, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor, activation = request.getfixturevalue(service), request.getfixturevalue(f"to_{service}")
    shop.fill(1)
    assert run(activation).accepted == 1
    Record.objects.all().delete()
    Activation.objects.filter(pk=activation.pk).update(mode="insert")
    time.sleep(1.1)  # Intercom tells whole seconds.
    shop.add((2, "Company 2", "company2.com", "No. 2", "pro", 2))
    asked = requests.request(Activation.objects.get(pk=activation.pk), "schedule", enqueue=False)
    record = Recorder.record

    def die_after_a_create(self: Recorder, answers: Any, now: Any) -> Any:
        if any(answer.job.step == "create" for answer in answers):
            raise Died
        return record(self, answers, now)

    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", die_after_a_create)
        with pytest.raises(Died):
            execution.execute(asked.pk)
    # The first one is put in doubt too, as if that worker had died before it recorded the look-up.
    Change.objects.filter(run=asked, key="1").update(state="sending", outcome="")
    Run.objects.filter(pk=asked.pk).update(lease_until=Now() - timedelta(seconds=1))
    while execution.execute(asked.pk):
        pass
    outcomes = dict(Change.objects.filter(run=asked).values_list("key", "outcome"))
    assert outcomes == {"1": "skipped", "2": "accepted"}
    assert Change.objects.get(run=asked, key="2").created
    assert len(vendor.state()["records" if service == "attio" else "companies"]) == 2


def test_a_database_that_dies_ends_no_run(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(3)

    def gone(*args: Any) -> None:
        raise OperationalError("the server closed the connection")

    asked = requests.request(to_attio, "schedule", enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(Recorder, "record", gone)
        assert execution.execute(asked.pk) is False
    asked.refresh_from_db()
    assert (asked.state, asked.error_code) == ("delivering", "")
    Run.objects.filter(pk=asked.pk).update(lease_until=Now() - timedelta(seconds=1))
    while execution.execute(asked.pk):
        pass
    asked.refresh_from_db()
    assert (asked.state, asked.accepted) == ("succeeded", 3)
    assert len(attio.state()["records"]) == 3


def test_a_lease_is_renewed_again_once_the_database_is_back(
    to_attio: Activation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.RUN_LEASE_SECONDS = 0.4
    asked = requests.request(to_attio, "schedule", enqueue=False)
    held = lease.claim(asked.pk)
    assert held
    failures = [OperationalError("gone"), OperationalError("gone")]
    renew = lease.Lease.renew

    def flaky(self: lease.Lease) -> None:
        if failures:
            raise failures.pop()
        renew(self)

    monkeypatch.setattr(lease.Lease, "renew", flaky)
    with lease.Keeper(held):
        time.sleep(0.7)
        assert failures == []
        assert lease.claim(asked.pk) is None


def test_a_run_is_cancelled_while_its_source_has_not_answered(
    companies: DataModel, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.planning.plan.LOOK_SECONDS", 0.1)
    endless = "with recursive n(x) as (select 1 union all select x + 1 from n) select count(*) from n"
    wanted = "1 as id, 'a' as name, 'a.com' as domain, '' as description, '' as plan, 1 as seats"
    DataModel.objects.filter(pk=companies.pk).update(table="", sql=f"select {wanted} where ({endless}) > 0")
    assert set(companies.column_types()) == {"id", "name", "domain", "description", "plan", "seats"}
    asked = requests.request(to_attio, "schedule", enqueue=False)
    threading.Timer(0.5, lambda: Run.objects.filter(pk=asked.pk).update(cancel_requested=True)).start()
    begun = time.monotonic()
    assert execution.execute(asked.pk) is False
    asked.refresh_from_db()
    assert (asked.state, asked.changes.count()) == ("cancelled", 0)
    assert time.monotonic() - begun < 5


def test_a_source_that_breaks_in_mid_stream_decides_nothing(
    to_attio: Activation, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.fill(5)
    shop.add((6, "No domain", None, "", "", 1))

    def breaking(*args: Any, **kwargs: Any) -> Any:
        yield from prefetch(*args, **kwargs)
        raise Unavailable("source_gone", "The source went away.")

    with monkeypatch.context() as patched:
        patched.setattr("segments.reading.read.prefetch", breaking)
        broken = run(to_attio)
    assert (broken.state, broken.error_code, broken.changes.count()) == ("failed", "unavailable", 0)
    assert run(to_attio).changes.filter(outcome="invalid").count() == 1


def test_a_plan_that_is_made_again_counts_and_shows_every_row_once(
    shop: Shop, attio: Sandbox, companies: DataModel, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.run("drop table companies")
    shop.run("create table companies (id integer, name text, domain text, description text, plan text, seats integer)")
    shop.fill(3)
    shop.add((4, "No domain", None, "", "", 1), (5, "One", "five.com", "", "", 1), (5, "Other", "5.com", "", "", 1))
    shop.add((None, "No key", "six.com", "", "", 1))
    asked = requests.request(to_attio, "schedule", enqueue=False)
    with monkeypatch.context() as patched:
        patched.setattr(finalize, "_take_over", die)
        with pytest.raises(Died):
            execution.execute(asked.pk)
    Run.objects.filter(pk=asked.pk).update(lease_until=Now() - timedelta(seconds=1))
    while execution.execute(asked.pk):
        pass
    asked.refresh_from_db()
    assert (asked.rows, asked.accepted, asked.invalid) == (7, 3, 4)
    shown = Change.objects.filter(run=asked, outcome="invalid").values_list("code", flat=True)
    assert sorted(shown) == ["duplicate_key", "key_empty", "match_empty"]
