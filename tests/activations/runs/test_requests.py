"""Requests of runs: a retry of what could not be sent, and tests of one record beside runs of all records."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.utils import timezone

from activations.models import Activation, Run
from activations.runs import outages, requests
from destinations.sandbox.wire import Fault
from tests.activations.conftest import run, writes

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)


def reject(attio: Sandbox, text: str, times: int) -> None:
    body = {"code": "validation_type", "message": "No."}
    attio.faults.append(Fault("reply", "PUT", body_contains=text, times=times, status=400, body=body))


def test_refused_records_are_retried_at_once_and_counted(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    reject(attio, "Company 2", 2)
    run(to_attio)
    refused = run(to_attio)
    assert refused.rejected == 1
    assert run(to_attio).waiting == 1
    assert requests.make_due(refused) == 1
    writes(attio)
    again = run(to_attio)
    assert (again.accepted, again.waiting, len(writes(attio))) == (1, 0, 1)
    assert requests.retry_now(refused) == requests.Retried(0, None)


def test_a_dry_run_takes_no_number_and_brings_no_retry_forward(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    dry = run(to_attio, dry_run=True)
    assert (dry.title, str(dry)) == ("Dry run", "To Attio · dry run")
    shop.fill(3)
    reject(attio, "Company 2", 9)
    assert [run(to_attio).title for _ in range(2)] == ["Run 1", "Run 2"]
    # After its second refusal, the record waits for two runs.
    assert [run(to_attio, dry_run=True).waiting for _ in range(3)] == [1, 1, 1]
    assert run(to_attio).waiting == 1
    assert run(to_attio).rejected == 1
    assert Run.objects.latest("pk").title == "Run 4"


def test_retry_starts_a_run_for_an_invalid_record(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    to_attio.mappings.filter(target="description").update(target="employee_range")
    first = run(to_attio)
    assert first.invalid == 1
    retried = requests.retry_now(first)
    assert retried.records == 1
    assert retried.run is not None
    assert (retried.run.state, retried.run.trigger) == ("queued", "manual")


def test_records_with_an_unknown_outcome_count_until_they_are_accepted(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.delivery.retry.ATTEMPTS", 1)
    shop.fill(2)
    attio.faults.append(Fault("cut_after", "PUT"))
    cut = run(to_attio)
    assert (cut.accepted, cut.unknown) == (1, 1)
    assert requests.make_due(cut) == 1
    assert run(to_attio).matched == 1
    assert requests.make_due(cut) == 0


def test_run_of_all_records_follows_a_test_that_it_met(to_attio: Activation) -> None:
    test = requests.request(to_attio, Run.Trigger.MANUAL, only_key="1")
    met = requests.request(to_attio, Run.Trigger.MANUAL, full=True)
    assert (met.pk, met.only_key, met.kind) == (test.pk, "1", "delta")
    assert outages.continue_later(timezone.now()) == []
    Run.objects.filter(pk=test.pk).update(state=Run.State.SUCCEEDED, finished_at=timezone.now())
    (following,) = outages.continue_later(timezone.now())
    assert (following.only_key, following.trigger) == ("", "catch_up")
    assert outages.continue_later(timezone.now()) == []


def test_failed_test_starts_nothing_later_and_warns_nobody(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("activations.delivery.retry.BREAKER_FAILURES", 2)
    shop.fill(1)
    attio.faults.append(Fault("reply", "PUT", times=100, status=503, body="<html>down</html>"))
    failed = run(to_attio, "manual", only_key="1")
    assert (failed.state, failed.error_code) == ("failed", "unavailable")
    assert not to_attio.warnings.exists()
    assert failed.finished_at is not None
    assert outages.continue_later(failed.finished_at + outages.CONTINUE_AT_MOST) == []


def test_retry_endpoint_says_how_many_records_are_due(
    staff: Client, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    reject(attio, "Company 1", 1)
    refused = run(to_attio)
    answer: Any = staff.post(f"/api/runs/{refused.pk}/retry/")
    assert (answer.status_code, answer.json()["records"], answer.json()["run"]["state"]) == (202, 1, "queued")
    assert run(to_attio).accepted == 1
    answer = staff.post(f"/api/runs/{refused.pk}/retry/")
    assert (answer.status_code, answer.json()) == (200, {"records": 0, "run": None})


def test_endpoint_starts_a_test_of_one_record(staff: Client, to_attio: Activation) -> None:
    address = f"/api/activations/{to_attio.pk}/runs/"
    answer: Any = staff.post(address, {"only_key": "2"}, content_type="application/json")
    assert (answer.status_code, answer.json()["only_key"]) == (202, "2")
    assert Run.objects.get().only_key == "2"


def test_command_retries_and_says_how_many(
    shop: Shop, attio: Sandbox, to_attio: Activation, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.fill(2)
    reject(attio, "Company 1", 1)
    run(to_attio)
    with pytest.raises(SystemExit) as ended:
        call_command("activate", "To Attio", "--retry", "--wait", "--json")
    printed = capsys.readouterr()
    assert ended.value.code == 0
    assert "1 records that could not be sent are due now." in printed.err
    assert json.loads(printed.out)["counts"]["accepted"] == 1
