"""The preview of one record's request: the same bytes as the run then sends, or the reason why nothing is sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from activations import digests
from activations.delivery import preview
from activations.delivery.preview import Preview, request_for
from activations.models import Activation, Change, Exchange, Generation, Record, Run
from activations.planning import begin
from activations.runs import lease, requests, retention
from activations.screens.timeline import found_records, loading
from core.errors import Misconfigured
from destinations.sandbox.wire import Fault
from segments.engines.sqlite.engine import SQLite
from tests.activations.conftest import map_fields, run, writes

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def person(transactional_db: None) -> User:
    return User.objects.create_user("mapper")


def assert_is_sent(previewed: Preview, done: Run, sandbox: Sandbox) -> None:
    """The run's only write is the previewed request, byte for byte."""
    exchange = Exchange.objects.get(run=done)
    assert previewed.is_sent
    assert (previewed.method, previewed.url, previewed.body) == (exchange.method, exchange.url, exchange.request)
    (sent,) = writes(sandbox)
    assert json.loads(previewed.body) == sent["body"]


def test_new_record_is_sent_as_previewed_to_attio(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    previewed = request_for(to_attio, "1", person)
    assert (previewed.step, previewed.method, set(previewed.changed)) == ("upsert", "PUT", {"name", "description"})
    assert writes(attio) == []
    assert_is_sent(previewed, run(to_attio, "manual", only_key="1"), attio)


def test_web_process_does_not_open_the_source_itself(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Misconfigured("opened_here", "The source was opened in this process.")

    shop.fill(1)
    monkeypatch.setattr(SQLite, "open", refuse)
    assert request_for(to_attio, "1", person).is_sent
    # Runs do, because they stream.
    assert run(to_attio, "manual").error_code == "opened_here"


def test_preview_follows_write_policies(person: User, shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    to_attio.mappings.filter(target="description").update(policy="if_empty")
    shop.fill(1)
    with attio.lock:
        attio._switch({"records": {"companies": [{"domains": ["company1.com"], "description": "By hand"}]}})
    previewed = request_for(to_attio, "1", person)
    assert (previewed.step, json.loads(previewed.body)["data"]["values"]) == ("update", {"name": "Company 1"})
    done = run(to_attio, "manual", only_key="1")
    assert_is_sent(previewed, done, attio)
    assert done.kept == 1
    for policy in ("if_empty", "on_create"):
        to_attio.mappings.filter(target="description").update(policy=policy)
        shop.set(1, "description", f"Changed for {policy}")
        kept = request_for(to_attio, "1", person)
        assert (kept.outcome, kept.code, kept.is_sent) == ("matched", "kept", False)
        done = run(to_attio, "manual", only_key="1")
        assert (done.matched, done.kept, done.write_requests) == (1, 1, 0)


def test_changed_record_is_sent_as_previewed_to_attio(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(2, "description", 'New, with "quotes" and é')
    writes(attio)
    previewed = request_for(to_attio, "2", person)
    assert (previewed.step, previewed.changed) == ("update", ("description",))
    assert_is_sent(previewed, run(to_attio, "manual", only_key="2"), attio)


def test_new_and_known_records_are_sent_as_previewed_to_intercom(
    person: User, shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(1)
    assert_is_sent(request_for(to_intercom, "1", person), run(to_intercom, "manual", only_key="1"), intercom)
    shop.set(1, "plan", "enterprise")
    writes(intercom)
    previewed = request_for(to_intercom, "1", person)
    assert (previewed.method, previewed.changed) == ("PUT", ("plan",))
    assert_is_sent(previewed, run(to_intercom, "manual", only_key="1"), intercom)


@pytest.mark.parametrize("mode", ["update", "insert"])
def test_lookups_are_sent_and_counted(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation, mode: str
) -> None:
    shop.fill(1)
    run(to_attio)
    Generation.objects.all().delete()
    shop.set(1, "name", "Renamed")
    Activation.objects.update(mode=mode)
    activation = Activation.objects.get()
    writes(attio)
    previewed = request_for(activation, "1", person)
    assert previewed.reads > 0
    if mode == "insert":
        assert (previewed.outcome, previewed.code) == ("skipped", "already_there")
        assert "insert mode never changes" in previewed.reason
    else:
        assert_is_sent(previewed, run(activation, "manual", only_key="1"), attio)


def test_nothing_is_stored_by_a_preview(person: User, shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(1, "name", "Other")
    before = (list(Record.objects.values()), list(Run.with_previews.values()), Change.objects.count())
    attio.log.clear()
    assert request_for(to_attio, "1", person).is_sent
    assert (list(Record.objects.values()), list(Run.with_previews.values()), Change.objects.count()) == before
    assert writes(attio) == []
    assert run(to_attio).number == 2


def test_reason_is_given_if_nothing_would_be_sent(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    run(to_attio)
    assert request_for(to_attio, "1", person).outcome == "unchanged"
    absent = request_for(to_attio, "99", person)
    assert (absent.outcome, absent.body) == ("absent", "")
    map_fields(to_attio, ("plan", "employee_range"))
    invalid = request_for(to_attio, "1", person)
    assert (invalid.outcome, invalid.field) == ("invalid", "employee_range")
    assert invalid.reason


def test_problem_of_the_source_or_the_vendor_is_the_reason(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    attio.faults.append(Fault("reply", "GET", times=99, status=401, body={"code": "unauthorized", "message": "No."}))
    refused = request_for(to_attio, "1", person)
    assert (refused.outcome, refused.is_sent) == ("failed", False)
    assert "access token" in refused.reason
    attio.faults.clear()
    shop.run("drop table companies")
    assert request_for(to_attio, "1", person).outcome == "failed"
    assert not Run.with_previews.exists()


def test_secret_is_not_in_a_preview(person: User, shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    shop.set(1, "name", "Named sandbox-token")
    assert "Named [secret]" in request_for(to_attio, "1", person).body


def test_slow_source_ends_the_preview(
    person: User, shop: Shop, attio: Sandbox, to_attio: Activation, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SOURCE_PREVIEW_SECONDS = 0.0
    monkeypatch.setattr("activations.planning.plan.CANCEL_CHECK_SECONDS", -1.0)
    shop.fill(5)
    assert request_for(to_attio, "1", person).code == "source_timeout"


@pytest.fixture
def half_done(to_attio: Activation, person: User) -> Run:
    """A preview of one planned record, as it is stored until its process has answered."""
    run = Run.with_previews.create(
        activation=to_attio,
        number=0,
        trigger="manual",
        dry_run=True,
        only_key="1",
        previewed_by=person,
        state="planning",
    )
    Change.objects.create(run=run, epoch=1, key="1", key_digest=digests.of_text("1"), name="Acme", is_new=True)
    assert lease.claim(run.pk)
    return run


def test_preview_is_on_no_page(half_done: Run, to_attio: Activation, staff: Client) -> None:
    change = Change.objects.get()
    for page in ("", "activations/run/", f"activations/activation/{to_attio.pk}/change/"):
        assert f"/run/{half_done.pk}/" not in staff.get(f"/admin/{page}", follow=True).content.decode()
    assert staff.get(f"/admin/activations/run/{half_done.pk}/change/").status_code == 302
    assert staff.get(f"/admin/activations/change/{change.pk}/change/").status_code == 302
    assert f"/change/{change.pk}/" not in staff.get("/admin/activations/change/").content.decode()
    assert found_records.records("Acme", 5, sees=True) == []
    assert loading.load(to_attio.data_model, "1", timezone.now()).changes == []
    assert list(to_attio.runs.all()) == []


def test_preview_whose_process_died_is_never_continued_and_soon_deleted(half_done: Run) -> None:
    retention.delete_dead_previews()
    assert Run.with_previews.exists()
    Run.with_previews.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert lease.abandoned() == []
    retention.delete_dead_previews()
    assert not Run.with_previews.exists()
    assert not Change.objects.exists()


def test_preview_whose_process_died_before_its_claim_is_deleted(half_done: Run) -> None:
    Run.with_previews.update(owner="", lease_until=None)
    retention.delete_dead_previews()
    assert Run.with_previews.exists()
    Run.with_previews.update(created_at=timezone.now() - timedelta(minutes=2))
    retention.delete_dead_previews()
    assert not Run.with_previews.exists()


def test_newer_preview_of_a_person_ends_the_older(
    shop: Shop, attio: Sandbox, to_attio: Activation, person: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.planning.plan.CANCEL_CHECK_SECONDS", -1.0)
    shop.fill(2)
    newer: list[Preview] = []

    def plan_meanwhile(context: Any, lease: Any) -> None:
        monkeypatch.setattr(preview, "plan", begin.plan)
        newer.append(request_for(to_attio, "2", person))
        begin.plan(context, lease)

    monkeypatch.setattr(preview, "plan", plan_meanwhile)
    assert request_for(to_attio, "1", person).code == "superseded"
    assert [one.is_sent for one in newer] == [True]
    assert not Run.with_previews.exists()


def test_previews_of_two_people_go_on_side_by_side(
    shop: Shop, half_done: Run, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    assert request_for(to_attio, "1", User.objects.create_user("other")).is_sent
    assert not Run.with_previews.get().cancel_requested


@pytest.mark.parametrize("key", ["1" * 1_001, "1\0", "\ud800"])
def test_key_that_no_record_can_have_starts_nothing(person: User, to_attio: Activation, key: str) -> None:
    with pytest.raises(Misconfigured, match="1,000 characters"):
        request_for(to_attio, key, person)
    with pytest.raises(Misconfigured, match="1,000 characters"):
        requests.request(to_attio, Run.Trigger.MANUAL, only_key=key)
    assert not Run.with_previews.exists()
