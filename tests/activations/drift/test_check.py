"""A value that somebody edits at the destination is found by a check for drift, and by nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from activations.execute import execute
from activations.models import Activation, Change, Drift, FieldMapping, HeldValues, LeftValue, Record, Run, Warning
from activations.runs import drift_checks, requests, restores
from activations.scheduling import settle
from core.errors import Misconfigured
from tests.activations.conftest import run, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from destinations.sandbox.wire import Editor
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)


def check(activation: Activation, trigger: str = "manual") -> Run:
    """A check for drift, carried out here, with whatever it starts."""
    checked = drift_checks.check(activation, trigger, enqueue=False)
    carry_out(checked)
    return Run.objects.get(pk=checked.pk)


def carry_out(run: Run) -> Run:
    while execute(run.pk):
        pass
    return Run.objects.get(pk=run.pk)


def edit(sandbox: Sandbox, company: str, by: Editor = "person", /, **values: Any) -> None:
    """Edits the record with this name."""
    kind, collection = next(iter(sandbox.collections().items()))
    known = next(pk for pk, each in collection.records.items() if collection.values_of(each).get("name") == company)
    with sandbox.lock:
        sandbox.edit(kind, known, values, by)


def names(sandbox: Sandbox) -> list[str]:
    collection = next(iter(sandbox.collections().values()))
    return sorted(collection.values_of(each)["name"] for each in collection.records.values())


@pytest.fixture
def synchronized(shop: Shop, attio: Sandbox, to_attio: Activation) -> Activation:
    """Five companies that were sent."""
    shop.fill(5)
    run(to_attio)
    writes(attio)
    return to_attio


def test_edit_by_a_person_is_found_with_its_editor(attio: Sandbox, synchronized: Activation) -> None:
    edit(attio, "Company 2", description="Edited by hand")
    assert (run(synchronized).planned, writes(attio)) == (0, [])
    before = attio.state()
    checked = check(synchronized)
    assert (checked.state, checked.planned, checked.matched, checked.updates) == ("succeeded", 5, 4, 1)
    assert (checked.lookup_requests, checked.write_requests, attio.state()) == (1, 0, before)
    (drift,) = Drift.objects.all()
    member = attio.workspace.members["admin@sandbox.com"]  # type: ignore[attr-defined]
    assert (drift.field, drift.writer, drift.writer_id) == ("description", "person", member)
    assert drift.written_at is not None
    assert drift.change.values["description"] == "No. 2"
    assert HeldValues.objects.get().fields == {"description": {"held": "Edited by hand"}}
    assert Change.objects.filter(run=checked).count() == 1


@pytest.mark.parametrize(("by", "writer"), [("vendor", "vendor"), ("integration", "integration")])
def test_enrichment_and_other_integrations_are_told_apart(
    attio: Sandbox, synchronized: Activation, by: Editor, writer: str
) -> None:
    edit(attio, "Company 2", by, description="Theirs")
    check(synchronized)
    assert Drift.objects.get().writer == writer


def test_value_that_another_activation_sends_is_said_to_be_ours(attio: Sandbox, synchronized: Activation) -> None:
    workspace: Any = attio.workspace  # type: ignore[attr-defined]
    store = workspace.stores["companies"]
    record = next(iter(store.records.values()))
    workspace.update(store, record, {"name": [{"value": "Other"}]}, {}, datetime.now(UTC))
    check(synchronized)
    assert Drift.objects.get().writer == "ours"


def test_changed_rows_and_gone_records_are_counted_apart(shop: Shop, attio: Sandbox, synchronized: Activation) -> None:
    shop.set(1, "name", "Renamed")
    edit(attio, "Company 1", description="Theirs")
    gone = next(pk for pk, each in attio.workspace.stores["companies"].records.items()  # type: ignore[attr-defined]
                if each.data("name") == [{"value": "Company 3"}])  # fmt: skip
    attio.workspace.stores["companies"].remove(attio.workspace.stores["companies"].records[gone])  # type: ignore[attr-defined]
    checked = check(synchronized)
    assert (checked.rows, checked.planned, checked.matched, checked.skipped, checked.updates) == (5, 4, 3, 1, 0)
    (change,) = Change.objects.filter(run=checked)
    assert (change.key, change.code) == ("3", "gone_at_destination")
    assert Record.objects.filter(tried="skipped").count() == 0


def test_restoring_sends_exactly_that_field(attio: Sandbox, synchronized: Activation) -> None:
    edit(attio, "Company 2", description="Edited", name="Edited")
    edit(attio, "Company 4", description="Edited")
    checked = check(synchronized)
    assert checked.updates == 2
    baseline = list(Record.objects.order_by("pk").values("row_digest", "field_digests", "match_digest"))
    restored = carry_out(restores.restore(restores.selected(checked, "description"), checked, "manual", enqueue=False))
    assert (restored.state, restored.accepted, restored.matched, restored.lookup_requests) == ("succeeded", 2, 0, 1)
    sent = sorted(entry["body"]["data"]["values"]["description"] for entry in writes(attio))
    assert sent == ["No. 2", "No. 4"]
    assert names(attio) == ["Company 1", "Company 3", "Company 4", "Company 5", "Edited"]
    assert list(Record.objects.order_by("pk").values("row_digest", "field_digests", "match_digest")) == baseline
    assert [drift.field for drift in Drift.objects.open()] == ["name"]
    assert (run(synchronized).planned, check(synchronized).updates) == (0, 1)


def test_one_record_is_restored(attio: Sandbox, synchronized: Activation) -> None:
    edit(attio, "Company 2", description="Edited")
    edit(attio, "Company 4", description="Edited")
    checked = check(synchronized)
    record = Change.objects.get(run=checked, key="4").pk
    carry_out(restores.restore(restores.selected(checked, change_id=record), checked, "manual", enqueue=False))
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"description": "No. 4"}]


def test_what_was_left_is_not_reported_until_it_changes_again(attio: Sandbox, synchronized: Activation) -> None:
    edit(attio, "Company 2", description="Theirs")
    edit(attio, "Company 3", description="Theirs", name="Theirs")
    checked = check(synchronized)
    assert restores.leave(restores.selected(checked, "description"), checked) == 2
    again = check(synchronized)
    assert (again.updates, again.matched) == (1, 4)
    assert [drift.field for drift in restores.selected(again)] == ["name"]
    carry_out(restores.restore(restores.selected(again), again, "manual", enqueue=False))
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"name": "Company 3"}]
    edit(attio, "Company 2", description="Theirs, again")
    assert [drift.field for drift in restores.selected(check(synchronized))] == ["description"]
    edit(attio, "Company 2", description="No. 2")
    check(synchronized)
    assert LeftValue.objects.count() == 1
    edit(attio, "Company 2", description="Theirs")
    assert check(synchronized).updates == 1


def test_policies_decide_what_is_drift(attio: Sandbox, synchronized: Activation) -> None:
    synchronized.mappings.filter(target="description").update(policy=FieldMapping.Policy.IF_EMPTY)
    edit(attio, "Company 2", description="Theirs")
    edit(attio, "Company 3", name="Theirs")
    assert [drift.field for drift in restores.selected(check(synchronized))] == ["name"]


def test_fields_with_the_policy_restore_are_restored_after_the_check(attio: Sandbox, synchronized: Activation) -> None:
    synchronized.mappings.filter(target="description").update(policy=FieldMapping.Policy.RESTORE)
    edit(attio, "Company 2", description="Theirs", name="Theirs")
    check(synchronized)
    started = Run.objects.get(only_fields__isnull=False)
    done = carry_out(started)
    assert (done.state, done.only_fields, done.accepted) == ("succeeded", ["description"], 1)
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"description": "No. 2"}]
    assert [drift.field for drift in Drift.objects.open()] == ["name"]


def test_restore_waits_for_a_run_in_progress(attio: Sandbox, synchronized: Activation) -> None:
    synchronized.mappings.filter(target="description").update(policy=FieldMapping.Policy.RESTORE)
    edit(attio, "Company 2", description="Theirs")
    busy = requests.request(synchronized, "manual", enqueue=False)
    checked = check(synchronized)
    assert checked.follow_up
    assert Run.objects.filter(only_fields__isnull=False).count() == 0
    with pytest.raises(Misconfigured, match="in progress"):
        restores.restore(restores.selected(checked), checked, "manual")
    carry_out(busy)
    settle.start_follow_ups(datetime.now(UTC))
    assert carry_out(Run.objects.get(only_fields__isnull=False)).accepted == 1


def test_only_a_scheduled_check_opens_a_warning(attio: Sandbox, synchronized: Activation) -> None:
    edit(attio, "Company 2", description="Theirs")
    assert check(synchronized).state == "succeeded"
    assert not Warning.objects.exists()
    checked = check(synchronized, "schedule")
    assert checked.state == "completed_with_warnings"
    warning = Warning.objects.get()
    assert (warning.kind, warning.closed_at) == ("drift", None)
    assert "“description” of 1 record" in warning.message
    run(synchronized)
    assert Warning.objects.get().closed_at is None
    restores.leave(restores.selected(checked), checked)
    check(synchronized)
    assert Warning.objects.get().closed_at is not None


def test_records_that_a_run_sends_meanwhile_are_no_drift(shop: Shop, attio: Sandbox, synchronized: Activation) -> None:
    checked = drift_checks.check(synchronized, "manual", enqueue=False)
    Record.objects.update(accepted_at=datetime.now(UTC))
    edit(attio, "Company 2", description="Theirs")
    Run.objects.filter(pk=checked.pk).update(started_at="2020-01-01T00:00:00Z")
    carry_out(checked)
    assert Run.objects.get(pk=checked.pk).updates == 0


def test_intercom_has_drift_without_an_author(shop: Shop, intercom: Sandbox, to_intercom: Activation) -> None:
    shop.fill(3)
    intercom._switch({"companies": [{"company_id": str(n), "name": f"Company {n}"} for n in (1, 2, 3)]})
    run(to_intercom)
    writes(intercom)
    edit(intercom, "Company 2", plan="Theirs")
    checked = check(to_intercom)
    assert (checked.planned, checked.matched, checked.updates) == (3, 2, 1)
    drift = Drift.objects.get()
    assert (drift.field, drift.writer) == ("plan", "unknown")
    carry_out(restores.restore(restores.selected(checked), checked, "manual", enqueue=False))
    assert [entry["body"] for entry in writes(intercom)] == [{"plan": "pro"}]


def test_a_thousand_records_take_few_requests(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1_200)
    there = [
        {"name": f"Company {n}", "domains": [f"company{n}.com"], "description": f"No. {n}"} for n in range(1, 1_201)
    ]
    attio._switch({"records": {"companies": there}})
    assert run(to_attio).matched == 1_200
    edit(attio, "Company 700", description="Theirs")
    checked = check(to_attio)
    assert (checked.matched, checked.updates, checked.lookup_requests) == (1_199, 1, 3)
    assert Change.objects.filter(run=checked).count() == 1
