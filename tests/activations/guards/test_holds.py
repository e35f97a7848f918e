"""Held runs: nothing is sent before a person approves, and then exactly the plan that was held."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.utils import timezone

from activations import tasks
from activations.execute import execute
from activations.guards import decide
from activations.models import Activation, Bundle, Change, HeldPlan, Record, Run, Warning
from activations.runs import lease, outages, requests
from activations.runs.retention import delete_activation
from core.errors import Misconfigured
from tests.activations.conftest import map_fields, run, segment, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 40


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)


@pytest.fixture
def synced(shop: Shop, attio: Sandbox, to_attio: Activation) -> Activation:
    shop.fill(ROWS)
    assert run(to_attio).accepted == ROWS
    writes(attio)
    return to_attio


def finished(held: Run) -> Run:
    while execute(held.pk):
        pass
    held.refresh_from_db()
    return held


def approved(held: Run) -> Run:
    decide.approve(held, "ops")
    return finished(held)


def discarded(held: Run) -> Run:
    decide.discard(held, "ops")
    return finished(held)


def change_names(shop: Shop, last: int, text: str = "New") -> None:
    shop.run(f"update companies set name = '{text} ' || id where id <= {last}")


def test_an_emptied_source_is_held_and_nothing_is_sent(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    shop.run("delete from companies")
    held = run(synced)
    assert (held.state, held.finished_at, held.owner, held.lease_until) == ("held", None, "", None)
    assert [hold["kind"] for hold in held.hold] == ["empty"]
    assert held.hold[0]["message"] == "The data has no rows now. The last run that completed read 40."
    assert writes(attio) == []
    (warning,) = Warning.objects.filter(closed_at=None)
    assert (warning.kind, warning.message, warning.run) == ("held", held.hold[0]["message"], held)
    assert lease.claim(held.pk) is None
    assert lease.abandoned() == []


def test_no_other_run_starts_while_one_is_held(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    shop.run("delete from companies")
    held = run(synced)
    for trigger in Run.Trigger:
        with pytest.raises(requests.Held, match="Run 2 waits for approval") as refused:
            requests.request(synced, trigger)
        assert refused.value.run == held
    with pytest.raises(requests.Held):
        requests.request(synced, Run.Trigger.MANUAL, only_key="1")
    assert outages.continue_later(timezone.now()) == []
    assert requests.live_run(synced) is None
    assert requests.held_run(synced) == held
    assert run(synced, dry_run=True).state == "planned"
    assert Run.objects.filter(activation=synced, dry_run=False).count() == 2


def test_discarding_an_emptied_source_recovers_without_a_write(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    shop.run("delete from companies")
    ended = discarded(run(synced))
    assert (ended.state, ended.error_message) == ("cancelled", "Discarded by ops. Nothing was sent.")
    assert (ended.decision, ended.decided_by) == ("discarded", "ops")
    (warning,) = Warning.objects.filter(kind="held")
    assert warning.closed_at is not None
    assert warning.facts["resolution"] == "Discarded by ops. Nothing was sent."
    assert run(synced).state == "held"
    discarded(requests.held_run(synced) or ended)
    shop.fill(ROWS)
    back = run(synced)
    assert (back.state, back.unchanged, back.returned) == ("succeeded", ROWS, ROWS)
    assert writes(attio) == []


def test_an_approved_empty_run_completes_and_the_next_is_not_held(
    shop: Shop, attio: Sandbox, synced: Activation
) -> None:
    shop.run("delete from companies")
    assert approved(run(synced)).state == "completed_with_warnings"
    assert run(synced).state != "held"
    shop.fill(ROWS)
    assert run(synced).returned == ROWS
    assert writes(attio) == []


def test_approval_sends_exactly_the_plan_that_was_held(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    change_names(shop, 24)
    held = run(synced)
    assert [hold["message"] for hold in held.hold] == ["24 of 40 records would change (60%). The limit is 50%."]
    assert (held.planned, writes(attio)) == (24, [])
    assert list(held.changes.values_list("state", flat=True)) == ["pending"] * 24
    change_names(shop, ROWS, "Later")
    ended = approved(held)
    assert (ended.state, ended.accepted, ended.decision, ended.decided_by) == ("succeeded", 24, "approved", "ops")
    assert ended.decided_at is not None
    sent = writes(attio)
    assert len(sent) == 24
    assert "Later" not in str(sent)
    assert not HeldPlan.objects.exists()
    # What has changed since is planned by the next run, which the guard looks at again.
    assert run(synced).hold[0]["facts"]["changed"] == ROWS


def test_a_discarded_plan_leaves_the_baseline_as_it_was(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    before = list(Record.objects.order_by("pk").values())
    change_names(shop, 24)
    ended = discarded(run(synced))
    assert (ended.state, ended.not_sent, ended.accepted) == ("cancelled", 24, 0)
    assert set(ended.changes.values_list("outcome", flat=True)) == {"not_sent"}
    assert list(Record.objects.order_by("pk").values()) == before
    assert not HeldPlan.objects.exists()
    assert run(synced).state == "held"


def test_the_first_run_with_creates_asks_once(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    to_attio.hold_first_creates = True
    to_attio.save()
    shop.fill(3)
    held = run(to_attio)
    assert held.hold[0]["message"] == (
        "This is the first run that may create records, and needs your approval once. 3 records were never sent "
        "before. Those that are missing at the destination are created."
    )
    discarded(held)
    assert run(to_attio).state == "held"
    assert approved(requests.held_run(to_attio) or held).created == 3
    shop.add((9, "Nine", "nine.com", "", "", 1))
    assert run(to_attio).created == 1


@pytest.mark.parametrize(("trigger", "state"), [("manual", "succeeded"), ("cli", "succeeded"), ("api", "held")])
def test_a_first_run_that_a_person_started_is_not_held(
    shop: Shop, attio: Sandbox, to_attio: Activation, trigger: str, state: str
) -> None:
    to_attio.hold_first_creates = True
    to_attio.save()
    shop.fill(3)
    assert run(to_attio, trigger).state == state


def test_a_test_with_one_record_is_neither_held_nor_an_agreement(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    Activation.objects.update(hold_first_creates=True, hold_creates=0)
    shop.fill(3)
    assert run(to_attio, "manual", only_key="1").created == 1
    Activation.objects.update(hold_creates=None)
    assert run(to_attio).state == "held"


def test_update_mode_creates_nothing_and_is_not_held(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    Activation.objects.filter(pk=to_attio.pk).update(hold_first_creates=True, hold_creates=0, mode="update")
    to_attio.refresh_from_db()
    shop.fill(3)
    assert run(to_attio).skipped == 3


def test_a_full_sync_is_not_held_for_its_changes(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    assert run(synced, "manual", full=True).matched == ROWS


def test_a_mapping_that_a_person_added_does_not_count_as_changed_data(
    shop: Shop, attio: Sandbox, synced: Activation
) -> None:
    map_fields(synced, ("plan", "primary_location.locality"))
    change_names(shop, 20)
    sent = run(synced)
    assert (sent.state, sent.known) == ("succeeded", ROWS)
    change_names(shop, 21, "Again")
    assert run(synced).state == "held"


def test_changed_data_counts_even_if_a_mapping_was_added(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    map_fields(synced, ("plan", "primary_location.locality"))
    change_names(shop, 21)
    assert run(synced).hold[0]["facts"]["changed"] == 21


def test_few_rows_may_change_by_any_percentage(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(19)
    run(to_attio)
    change_names(shop, 19)
    assert run(to_attio).accepted == 19


def test_a_dry_run_says_which_guards_would_hold(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    change_names(shop, 24)
    dry = run(synced, dry_run=True)
    assert (dry.state, [hold["kind"] for hold in dry.hold]) == ("planned", ["changes"])
    assert requests.held_run(synced) is None


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda one: one.mappings.filter(target="name").update(column="plan"), "field mappings have"),
        (lambda one: map_fields(one, ("plan", "primary_location.locality")), "field mappings have"),
        (lambda one: one.mappings.filter(target="name").update(multi="add"), "field mappings have"),
        (lambda one: Activation.objects.filter(pk=one.pk).update(mode="insert"), "mode has"),
        (lambda one: Activation.objects.filter(pk=one.pk).update(match_column="name"), "match has"),
        (lambda one: Activation.objects.filter(pk=one.pk).update(start_afresh=True), "sync history has"),
        (lambda one: one.model.__class__.objects.update(table="", sql="select * from companies"), "model has"),
    ],
)
def test_a_plan_whose_settings_changed_is_refused(
    shop: Shop, attio: Sandbox, synced: Activation, change: Any, part: str
) -> None:
    change_names(shop, 24)
    held = run(synced)
    change(synced)
    with pytest.raises(Misconfigured, match=f"The {part} changed since this run was planned"):
        decide.approve(Run.objects.get(pk=held.pk), "ops")
    assert Run.objects.get(pk=held.pk).state == "held"
    assert discarded(held).state == "cancelled"
    assert writes(attio) == []


def test_a_plan_whose_segment_changed_is_refused(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    assert synced.model
    chosen = segment(synced.model, {"all": [{"field": "seats", "is": "at_most", "value": 100}]})
    Activation.objects.filter(pk=synced.pk).update(segment=chosen, model=None)
    synced = Activation.objects.get(pk=synced.pk)
    change_names(shop, 24)
    held = run(synced)
    chosen.where = {"all": [{"field": "seats", "is": "at_most", "value": 5}]}
    chosen.save()
    with pytest.raises(Misconfigured, match="The segment has changed"):
        decide.approve(Run.objects.get(pk=held.pk), "ops")


def test_a_plan_whose_settings_change_right_after_the_approval_is_not_sent(
    shop: Shop, attio: Sandbox, synced: Activation
) -> None:
    change_names(shop, 24)
    held = run(synced)
    decide.approve(held, "ops")
    synced.mappings.filter(target="name").update(column="plan")
    ended = finished(held)
    assert (ended.state, ended.not_sent) == ("cancelled", 24)
    assert ended.error_message.startswith("Not sent. The field mappings have changed since this run was planned")
    assert writes(attio) == []


def test_only_the_first_decision_counts(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    change_names(shop, 24)
    held = run(synced)
    decide.approve(held, "ann")
    for late in (decide.approve, decide.discard):
        with pytest.raises(Misconfigured, match="Run 2 does not wait for approval"):
            late(held, "bob")
    assert finished(held).decided_by == "ann"
    with pytest.raises(Misconfigured):
        decide.discard(held, "bob")


def test_an_approved_run_can_be_cancelled_before_it_starts(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    change_names(shop, 24)
    held = run(synced)
    decide.approve(held, "ops")
    requests.cancel(held)
    ended = finished(held)
    assert (ended.state, ended.error_message[:21]) == ("cancelled", "Cancelled by a person")
    assert writes(attio) == []


def test_records_that_other_rows_take_over_are_voided_by_the_approval_alone(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    to_attio.hold_creates = 0
    to_attio.save()
    shop.add((1, "One", "one.com", "", "", 1), (2, "Two", "two.com", "", "", 1))
    approved(run(to_attio))
    accepted = Record.objects.get(key="1").remote_id
    shop.set(1, "domain", "three.com")
    shop.add((3, "Three", "one.com", "", "", 1))
    held = run(to_attio)
    assert held.state == "held"
    assert Record.objects.get(key="1").remote_id == accepted
    shop.run("delete from companies where id = 3")
    shop.set(1, "domain", "one.com")
    discarded(held)
    writes(attio)
    assert (run(to_attio).unchanged, writes(attio)) == (2, [])
    shop.set(1, "domain", "three.com")
    shop.add((3, "Three", "one.com", "", "", 1))
    ended = approved(run(to_attio))
    assert ended.accepted == 2
    assert Record.objects.get(key="3").remote_id == accepted
    assert Record.objects.get(key="1").remote_id not in ("", accepted)


def test_packed_changes_stay_packed_and_are_all_sent(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.storage.bundles.SIZE", 10)
    monkeypatch.setattr("activations.storage.bundles.LISTED", 10)
    to_attio.hold_creates = 1
    to_attio.save()
    shop.fill(35)
    held = run(to_attio)
    assert (Change.objects.filter(run=held).count(), Bundle.objects.filter(run=held).count()) == (10, 3)
    assert approved(held).created == 35


def test_packed_changes_of_a_new_mapping_are_told_from_changed_data(
    shop: Shop, attio: Sandbox, synced: Activation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("activations.storage.bundles.SIZE", 10)
    map_fields(synced, ("plan", "primary_location.locality"))
    change_names(shop, 21)
    assert run(synced).hold[0]["facts"]["changed"] == 21


def test_a_plan_that_nobody_decides_about_is_discarded_in_the_end(
    shop: Shop, attio: Sandbox, synced: Activation, settings: Any
) -> None:
    change_names(shop, 24)
    held = run(synced)
    tasks.prune()
    assert requests.held_run(synced) == held
    Run.objects.filter(pk=held.pk).update(compared_at=timezone.now() - timedelta(days=settings.RETENTION_DAYS + 1))
    tasks.prune()
    assert finished(held).error_message == "Discarded by DinMo. Nothing was sent."


def test_a_held_run_is_deleted_with_its_activation(shop: Shop, attio: Sandbox, synced: Activation) -> None:
    change_names(shop, 24)
    run(synced)
    delete_activation(synced)
    assert not Run.objects.exists()
    assert not HeldPlan.objects.exists()
    assert not Bundle.objects.exists()
