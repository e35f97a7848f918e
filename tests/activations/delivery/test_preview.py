"""The preview of one record's request: the same bytes as the run then sends, or the reason why nothing is sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from activations.delivery.preview import Preview, request_for
from activations.models import Activation, Change, Exchange, Generation, Record, Run
from activations.runs import lease, requests, retention
from core.errors import Misconfigured
from destinations.sandbox.wire import Fault
from tests.activations.conftest import map_fields, run, writes

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def assert_is_sent(previewed: Preview, done: Run, sandbox: Sandbox) -> None:
    """The run's only write is the previewed request, byte for byte."""
    exchange = Exchange.objects.get(run=done)
    assert previewed.is_sent
    assert (previewed.method, previewed.url, previewed.body) == (exchange.method, exchange.url, exchange.request)
    (sent,) = writes(sandbox)
    assert json.loads(previewed.body) == sent["body"]


def test_new_record_is_sent_as_previewed_to_attio(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    previewed = request_for(to_attio, "1")
    assert (previewed.step, previewed.method, set(previewed.changed)) == ("upsert", "PUT", {"name", "description"})
    assert writes(attio) == []
    assert_is_sent(previewed, run(to_attio, "manual", only_key="1"), attio)


def test_changed_record_is_sent_as_previewed_to_attio(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(2, "description", 'New, with "quotes" and é')
    writes(attio)
    previewed = request_for(to_attio, "2")
    assert (previewed.step, previewed.changed) == ("update", ("description",))
    assert_is_sent(previewed, run(to_attio, "manual", only_key="2"), attio)


def test_new_and_known_records_are_sent_as_previewed_to_intercom(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(1)
    assert_is_sent(request_for(to_intercom, "1"), run(to_intercom, "manual", only_key="1"), intercom)
    shop.set(1, "plan", "enterprise")
    writes(intercom)
    previewed = request_for(to_intercom, "1")
    assert (previewed.method, previewed.changed) == ("PUT", ("plan",))
    assert_is_sent(previewed, run(to_intercom, "manual", only_key="1"), intercom)


@pytest.mark.parametrize("mode", ["update", "insert"])
def test_lookups_are_sent_and_counted(shop: Shop, attio: Sandbox, to_attio: Activation, mode: str) -> None:
    shop.fill(1)
    run(to_attio)
    Generation.objects.all().delete()
    Activation.objects.update(mode=mode)
    activation = Activation.objects.get()
    writes(attio)
    previewed = request_for(activation, "1")
    assert previewed.reads > 0
    if mode == "insert":
        assert (previewed.outcome, previewed.code) == ("skipped", "already_there")
        assert "insert mode never changes" in previewed.reason
    else:
        assert_is_sent(previewed, run(activation, "manual", only_key="1"), attio)


def test_nothing_is_stored_by_a_preview(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(1, "name", "Other")
    before = (list(Record.objects.values()), list(Run.objects.values()), Change.objects.count())
    attio.log.clear()
    assert request_for(to_attio, "1").is_sent
    assert (list(Record.objects.values()), list(Run.objects.values()), Change.objects.count()) == before
    assert writes(attio) == []
    assert run(to_attio).number == 2


def test_reason_is_given_if_nothing_would_be_sent(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    run(to_attio)
    assert request_for(to_attio, "1").outcome == "unchanged"
    absent = request_for(to_attio, "99")
    assert (absent.outcome, absent.body) == ("absent", "")
    map_fields(to_attio, ("plan", "employee_range"))
    invalid = request_for(to_attio, "1")
    assert (invalid.outcome, invalid.field) == ("invalid", "employee_range")
    assert invalid.reason


def test_problem_of_the_source_or_the_vendor_is_the_reason(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    attio.faults.append(Fault("reply", "GET", times=99, status=401, body={"code": "unauthorized", "message": "No."}))
    refused = request_for(to_attio, "1")
    assert (refused.outcome, refused.is_sent) == ("failed", False)
    assert "access token" in refused.reason
    attio.faults.clear()
    shop.run("drop table companies")
    assert request_for(to_attio, "1").outcome == "failed"
    assert not Run.objects.exists()


def test_secret_is_not_in_a_preview(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    shop.set(1, "name", "Named sandbox-token")
    assert "Named [secret]" in request_for(to_attio, "1").body


def test_slow_source_ends_the_preview(
    shop: Shop, attio: Sandbox, to_attio: Activation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_PREVIEW_SECONDS = 0.0
    monkeypatch.setattr("activations.planning.plan.CANCEL_CHECK_SECONDS", -1.0)
    shop.fill(5)
    assert request_for(to_attio, "1").code == "source_timeout"


def test_preview_whose_process_died_is_never_continued_or_shown_and_soon_deleted(
    to_attio: Activation, staff: Client
) -> None:
    long_ago = timezone.now() - timedelta(minutes=9)
    dead = Run.objects.create(
        activation=to_attio,
        number=retention.FIRST_PREVIEW + 1,
        trigger="manual",
        dry_run=True,
        state="planning",
        owner="a killed process",
        lease_until=long_ago,
    )
    Run.objects.update(created_at=long_ago)
    assert lease.abandoned() == []
    assert f"/run/{dead.pk}/change/" not in staff.get("/admin/activations/run/").content.decode()
    assert staff.get(f"/admin/activations/run/{dead.pk}/change/").status_code == 302
    retention.delete_previews(timezone.now())
    assert Run.objects.exists()
    retention.delete_previews(timezone.now() + timedelta(minutes=2))
    assert not Run.objects.exists()


@pytest.mark.parametrize("key", ["1" * 1_001, "1\0", "\ud800"])
def test_key_that_no_record_can_have_starts_nothing(to_attio: Activation, key: str) -> None:
    with pytest.raises(Misconfigured, match="1,000 characters"):
        request_for(to_attio, key)
    with pytest.raises(Misconfigured, match="1,000 characters"):
        requests.request(to_attio, Run.Trigger.MANUAL, only_key=key)
    assert not Run.objects.exists()
