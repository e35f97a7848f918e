"""Whole runs, from a real source to the simulators of the vendors over real sockets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from activations.alerts import sending
from activations.models import Activation, Change, Record, Run, Warning
from activations.runs import outages, requests
from activations.setup import mapping_diff
from destinations.sandbox.wire import Fault, Request
from tests.activations.conftest import TOKEN, Shop, map_fields, run, segment, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


def test_first_run_sends_one_write_for_each_company(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(40)
    done = run(to_attio)
    assert (done.state, done.kind, done.reason) == ("succeeded", "full", "First run")
    assert (done.rows, done.new, done.accepted, done.created, done.write_requests) == (40, 40, 40, 40, 40)
    assert len(writes(attio)) == 40
    assert {record["values"]["name"] for record in attio.state()["records"]} == {f"Company {n}" for n in range(1, 41)}


def test_second_run_sends_nothing(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(5)
    run(to_attio)
    attio.log.clear()
    done = run(to_attio)
    assert (done.state, done.unchanged, done.planned, done.write_requests, done.lookup_requests) == (
        "succeeded",
        5,
        0,
        0,
        0,
    )
    assert writes(attio) == []


def test_changed_value_is_one_write_with_only_that_value(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(5)
    run(to_attio)
    writes(attio)
    shop.set(3, "description", "Changed")
    done = run(to_attio)
    assert (done.known, done.accepted, done.created, done.unchanged) == (1, 1, 0, 4)
    (sent,) = writes(attio)
    assert sent["method"] == "PUT"
    assert list(sent["body"]["data"]["values"]) == ["description"]


def test_change_in_an_unmapped_column_sends_nothing(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    run(to_attio)
    writes(attio)
    shop.set(1, "seats", 77)
    assert run(to_attio).unchanged == 2
    assert writes(attio) == []


def test_rejected_company_does_not_affect_others_and_is_retried(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(6)
    rejection = {
        "status_code": 400,
        "type": "invalid_request_error",
        "code": "validation_type",
        "message": "Body payload validation error.",
    }
    attio.faults.append(
        Fault(
            "reply",
            "PUT",
            body_contains="Company 3",
            times=2,
            status=400,
            body=rejection,
            headers={"x-attio-execution-id": "req-1"},
        )
    )
    done = run(to_attio)
    assert (done.state, done.accepted, done.rejected) == ("completed_with_warnings", 5, 1)
    change = Change.objects.get(run=done, outcome="rejected")
    assert (change.code, change.request_id, change.key) == ("validation_type", "req-1", "3")
    assert "Body payload validation error." in change.message
    assert Record.objects.get(key="3").accepted_at is None
    assert run(to_attio).rejected == 1
    assert len(writes(attio)) == 7
    waiting = run(to_attio)
    assert (waiting.waiting, waiting.state) == (1, "completed_with_warnings")
    assert writes(attio) == []
    assert run(to_attio, "manual").accepted == 1
    assert len(writes(attio)) == 1


def test_corrected_row_is_sent_by_the_next_run(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(2)
    attio.faults.append(
        Fault(
            "reply",
            "PUT",
            body_contains="Company 2",
            times=99,
            status=400,
            body={"code": "validation_type", "message": "No."},
        )
    )
    for _ in range(3):
        run(to_attio)
    shop.set(2, "name", "Corrected")
    assert run(to_attio).accepted == 1


def test_company_that_left_is_never_changed(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    run(to_attio)
    writes(attio)
    shop.run("delete from companies where id = 2")
    assert run(to_attio).left == 1
    assert run(to_attio).left == 0
    assert writes(attio) == []
    shop.add((2, "Company 2", "company2.com", "Back and changed", "pro", 2))
    assert run(to_attio).known == 1
    (sent,) = writes(attio)
    assert list(sent["body"]["data"]["values"]) == ["description"]


def test_null_clears_nothing_unless_the_mapping_is_set_to_clear(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(1)
    run(to_attio)
    writes(attio)
    shop.set(1, "description", None)
    assert run(to_attio).unchanged == 1
    to_attio.mappings.filter(target="description").update(when_empty="clear")
    assert run(to_attio).known == 1
    (sent,) = writes(attio)
    assert sent["body"]["data"]["values"] == {"description": []}
    assert run(to_attio).planned == 0


def test_rows_with_the_same_key_are_all_invalid_and_listed(
    shop: Shop, attio: Sandbox, companies: Any, to_attio: Activation
) -> None:
    shop.run("create table duplicates (id integer, name text, domain text, description text)")
    shop.run(
        "insert into duplicates values (?, ?, ?, ?)",
        (1, "A", "a.com", ""),
        (2, "B", "b.com", ""),
        (2, "C", "c.com", ""),
        (None, "D", "d.com", ""),
    )
    companies.table = "duplicates"
    companies.save()
    done = run(to_attio)
    assert (done.rows, done.accepted, done.invalid) == (4, 1, 3)
    assert set(done.changes.filter(outcome="invalid").values_list("code", flat=True)) == {"duplicate_key", "key_empty"}
    assert len(writes(attio)) == 1
    again = run(to_attio)
    assert (again.unchanged, again.invalid, again.changes.filter(code="duplicate_key").count()) == (1, 3, 0)


def test_two_rows_with_one_domain_are_invalid_until_one_is_corrected(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    shop.set(3, "domain", "https://www.Company2.com/about")
    done = run(to_attio)
    assert (done.accepted, done.invalid) == (1, 2)
    assert {change.key for change in done.changes.filter(code="match_twin")} == {"2", "3"}
    shop.set(3, "domain", "company3.com")
    assert run(to_attio).accepted == 2


def test_row_that_can_not_be_converted_is_invalid_and_reported_once(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    map_fields(to_attio, ("plan", "categories"))
    shop.fill(2)
    shop.set(2, "plan", "No such category")
    shop.set(1, "plan", None)
    first, second = run(to_attio), run(to_attio)
    assert (first.accepted, first.invalid, first.changes.filter(outcome="invalid").count()) == (1, 1, 1)
    assert (second.invalid, second.changes.count(), second.state) == (1, 0, "completed_with_warnings")
    assert "plan" in first.changes.get(outcome="invalid").message


def test_new_mapping_sends_only_its_field_for_all_records(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    run(to_attio)
    writes(attio)
    assert mapping_diff.mapping_change(to_attio) == ""
    map_fields(to_attio, ("plan", "linkedin"))
    assert (
        "“linkedin” is a new field: the next run sends only it for the 3 synchronized records"
        in mapping_diff.mapping_change(to_attio)
    )
    assert run(to_attio).known == 3
    assert mapping_diff.mapping_change(to_attio) == ""
    assert [list(sent["body"]["data"]["values"]) for sent in writes(attio)] == [["linkedin"]] * 3


def test_new_mapping_from_now_on_sends_nothing_for_synchronized_records(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    run(to_attio)
    writes(attio)
    Activation.objects.filter(pk=to_attio.pk).update(backfill="new")
    map_fields(to_attio, ("plan", "linkedin"))
    assert "nothing is sent for the 3 synchronized records" in mapping_diff.mapping_change(
        Activation.objects.get(pk=to_attio.pk)
    )
    assert run(Activation.objects.get(pk=to_attio.pk)).unchanged == 3
    shop.set(2, "plan", "free")
    assert run(Activation.objects.get(pk=to_attio.pk)).known == 1
    assert len(writes(attio)) == 1


def test_field_with_a_different_column_is_sent_only_if_its_value_differs(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(3)
    shop.set(2, "plan", "No. 2")
    run(to_attio)
    writes(attio)
    to_attio.mappings.filter(target="description").update(column="plan")
    assert "“description” has a different source now" in mapping_diff.mapping_change(to_attio)
    assert run(to_attio).known == 2
    assert [sent["body"]["data"]["values"] for sent in writes(attio)] == [{"description": "pro"}] * 2


def test_full_run_without_comparing_sends_everything_again(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    run(to_attio)
    writes(attio)
    Activation.objects.filter(pk=to_attio.pk).update(compare_first=False)
    done = run(Activation.objects.get(pk=to_attio.pk), full=True)
    assert (done.kind, done.known, done.accepted) == ("full", 3, 3)
    assert [set(sent["body"]["data"]["values"]) for sent in writes(attio)] == [{"name", "description"}] * 3


def test_dry_run_sends_nothing_and_keeps_the_baseline(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    done = run(to_attio, dry_run=True)
    assert (done.state, done.new, done.changes.count()) == ("planned", 3, 3)
    assert (writes(attio), Record.objects.count()) == ([], 0)
    assert run(to_attio).accepted == 3


def test_record_that_the_vendor_no_longer_has_is_sent_with_all_fields(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    deleted_id = Record.objects.get(key="2").remote_id
    attio.handle(request("DELETE", f"/v2/objects/companies/records/{deleted_id}"))
    writes(attio)
    shop.set(2, "description", "New")
    assert run(to_attio).accepted == 1
    update, create = writes(attio)
    assert update["status"] == 404
    assert set(create["body"]["data"]["values"]) == {"domains", "name", "description"}
    assert Record.objects.get(key="2").remote_id != deleted_id


def test_changed_match_value_adds_a_domain_to_the_same_company(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    shop.set(2, "domain", "renamed.com")
    assert run(to_attio).accepted == 1
    (record,) = (record for record in attio.state()["records"] if record["values"]["name"] == "Company 2")
    assert set(record["values"]["domains"]) == {"company2.com", "renamed.com"}


def test_update_mode_never_creates_and_looks_up_again_after_a_change(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(4)
    run(to_attio)
    Activation.objects.filter(pk=to_attio.pk).update(mode="update")
    activation = Activation.objects.get(pk=to_attio.pk)
    shop.add((9, "Unknown", "unknown.com", "", "pro", 1))
    shop.set(1, "name", "One")
    writes(attio)
    attio.log.clear()
    done = run(activation)
    assert (done.accepted, done.skipped, done.created) == (1, 1, 0)
    assert len(attio.state()["records"]) == 4
    again = run(activation)
    assert (again.skipped, again.lookup_requests, again.state) == (1, 0, "succeeded")
    shop.set(9, "name", "Still unknown")
    assert run(activation).lookup_requests == 1


def test_insert_mode_creates_new_records_and_changes_nothing_else(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    Activation.objects.filter(pk=to_attio.pk).update(mode="insert", start_afresh=True, match_column="domain")
    Record.objects.all().delete()
    shop.add((3, "Third", "third.com", None, "pro", 1))
    writes(attio)
    done = run(Activation.objects.get(pk=to_attio.pk))
    assert (done.accepted, done.created, done.skipped) == (1, 1, 2)
    assert [sent["method"] for sent in writes(attio)] == ["POST"]


def test_only_rows_of_the_segment_are_sent(shop: Shop, attio: Sandbox, companies: Any, to_attio: Activation) -> None:
    shop.fill(10)
    to_attio.segment, to_attio.model = (
        segment(companies, {"all": [{"field": "seats", "is": "greater_than", "value": 7}]}),
        None,
    )
    to_attio.save()
    assert run(to_attio).accepted == 3


def test_missing_attribute_is_reported_and_the_others_are_sent(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    map_fields(to_attio, ("plan", "customer_plan"))
    shop.fill(2)
    done = run(to_attio)
    assert (done.state, done.accepted) == ("completed_with_warnings", 2)
    warning = Warning.objects.get()
    assert (warning.kind, warning.subject) == ("missing_attribute", "customer_plan")
    assert "customer_plan" in warning.message
    assert all("customer_plan" not in str(sent["body"]) for sent in writes(attio))


def test_warning_opens_is_emailed_once_and_closes(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    Activation.objects.filter(pk=to_attio.pk).update(recipients=["ops@example.com"])
    activation = Activation.objects.get(pk=to_attio.pk)
    assert run(activation).state == "completed_with_warnings"
    sending.send(timezone.now(), at_once=True)
    assert run(activation).rows == 0
    sending.send(timezone.now(), at_once=True)
    assert [len(mail.outbox), Warning.objects.get().kind] == [1, "empty_segment"]
    shop.fill(3)
    assert run(activation).state == "succeeded"
    assert Warning.objects.get().closed_at is not None
    sending.send(timezone.now(), at_once=True)
    assert [message.subject for message in mail.outbox][1:] == ["[DinMo] Resolved: No rows: To Attio"]


def test_run_with_an_invalid_token_fails_and_says_what_to_do(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    connection = to_attio.destination.connection
    connection.secrets = {"token": "wrong"}
    connection.save()
    done = run(to_attio)
    assert done.state == "failed"
    assert "token" in done.error_message.lower()
    assert "wrong" not in done.error_message


def test_run_with_an_unreachable_source_fails_and_changes_nothing(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    run(to_attio)
    shop.path.unlink()
    done = run(to_attio)
    assert (done.state, done.left) == ("failed", 0)
    assert done.error_message
    assert not Record.objects.exclude(left_at=None).exists()


def test_token_of_a_different_workspace_fails_the_run(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    run(to_attio)
    to_attio.generations.update(identity={**to_attio.generations.get().identity, "workspace": "another"})
    assert run(to_attio).error_code == "workspace_changed"
    Activation.objects.filter(pk=to_attio.pk).update(start_afresh=True)
    done = run(Activation.objects.get(pk=to_attio.pk))
    assert (done.state, done.kind, done.new) == ("succeeded", "full", 1)


def test_intercom_in_update_mode_updates_only_existing_companies(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(3)
    Activation.objects.filter(pk=to_intercom.pk).update(mode="update")
    intercom.handle(request("POST", "/companies", {"company_id": "2", "name": "Old", "industry": "Theirs"}))
    intercom.log.clear()
    done = run(Activation.objects.get(pk=to_intercom.pk))
    assert (done.accepted, done.skipped, done.created) == (1, 2, 0)
    (company,) = intercom.state()["companies"]
    assert (company["name"], company["industry"]) == ("Company 2", "Theirs")
    assert [sent["method"] for sent in writes(intercom)] == ["PUT"]


def test_intercom_custom_attributes_are_created_once_with_the_type_of_the_column(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    map_fields(to_intercom, {"column": "seats", "target": "seats", "custom_attribute": True})
    shop.fill(2)
    assert run(to_intercom).state == "succeeded"
    assert run(to_intercom).planned == 0
    created = [sent for sent in writes(intercom) if sent["path"] == "/data_attributes"]
    assert [(sent["body"]["name"], sent["body"]["data_type"]) for sent in created] == [("seats", "integer")]
    assert {company["custom_attributes"]["seats"] for company in intercom.state()["companies"]} == {1, 2}


def test_dry_run_creates_no_attribute_and_plans_as_if_it_existed(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    map_fields(to_intercom, {"column": "description", "target": "description", "custom_attribute": True})
    shop.fill(2)
    shop.set(2, "description", "long " * 60)
    done = run(to_intercom, dry_run=True)
    assert (done.state, done.new, done.invalid, writes(intercom)) == ("planned", 1, 1, [])


def test_rate_limited_run_waits_and_sends_each_company_once(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    attio.faults.append(
        Fault("reply", "PUT", times=2, status=429, body={"code": "rate_limit_exceeded"}, headers={"Retry-After": "0.2"})
    )
    done = run(to_attio)
    assert (done.accepted, done.throttled, done.state) == (3, 2, "succeeded")
    assert len(attio.state()["records"]) == 3


def test_write_that_was_applied_without_an_answer_is_reverted_with_the_source(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: Any
) -> None:
    """A → B was applied, but got no answer. When the source returns to A, A must be sent."""
    monkeypatch.setattr("activations.delivery.retry.ATTEMPTS", 1)
    shop.fill(1)
    run(to_attio)
    shop.set(1, "description", "B")
    attio.faults.append(Fault("cut_after", "PUT"))
    done = run(to_attio)
    assert (done.unknown, done.state) == (1, "completed_with_warnings")
    assert attio.state()["records"][0]["values"]["description"] == "B"
    shop.set(1, "description", "No. 1")
    assert run(to_attio).accepted == 1
    assert attio.state()["records"][0]["values"]["description"] == "No. 1"


def test_request_with_a_cut_connection_is_retried_within_the_run(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    shop.fill(2)
    attio.faults.append(Fault("cut_after", "PUT"))
    done = run(to_attio)
    assert (done.accepted, done.write_requests) == (2, 3)
    assert len(attio.state()["records"]) == 2


def test_vendor_outage_ends_the_run_and_a_later_run_continues_automatically(
    shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: Any
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)
    shop.fill(30)
    attio.faults.append(Fault("reply", "PUT", times=10_000, status=503, body="<html>down</html>"))
    done = run(to_attio)
    assert (done.state, done.error_code, done.accepted) == ("failed", "unavailable", 0)
    assert done.unknown + done.not_sent == 30
    assert attio.log
    assert len(writes(attio)) < 60
    assert done.finished_at is not None
    assert outages.continue_later(done.finished_at) == []
    (started,) = outages.continue_later(done.finished_at + outages.CONTINUE_AFTER)
    assert started.trigger == "catch_up"


def test_cancelling_keeps_what_was_accepted(shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: Any) -> None:
    monkeypatch.setattr("activations.delivery.deliver.CANCEL_SECONDS", 0.0)
    shop.fill(50)
    requested = requests.request(to_attio, "manual", enqueue=False)
    attio.latency_seconds = 0.01
    original = attio.handle

    def cancel_on_tenth(sent: Any) -> Any:
        if len(attio.log) >= 20:
            Run.objects.filter(pk=requested.pk).update(cancel_requested=True)
        return original(sent)

    monkeypatch.setattr(attio, "handle", cancel_on_tenth)
    done = run(to_attio)
    assert done.state == "cancelled"
    assert 0 < done.accepted < 50
    assert done.accepted + done.not_sent == 50
    assert Record.objects.exclude(accepted_at=None).count() == done.accepted == len(attio.state()["records"])


def request(method: str, path: str, body: Any = None) -> Any:
    """A request directly to a simulator, as a different user of the vendor would send it."""
    headers = {
        "authorization": f"Bearer {TOKEN}",
        "content-type": "application/json",
        "accept": "application/json",
        "intercom-version": "2.16",
    }
    return Request(method, path, {}, headers, json.dumps(body).encode() if body is not None else b"")


def test_write_that_always_times_out_ends_after_its_attempts_in_short_slices_too(
    shop: Shop, attio: Sandbox, to_attio: Activation, settings: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    shop.fill(1)
    run(to_attio)
    shop.set(1, "name", "Hangs")
    settings.RUN_SLICE_SECONDS = 0.05
    attio.faults.append(Fault("cut_after", "PUT", times=10_000))
    done = run(to_attio)
    assert (done.unknown, done.state) == (1, "completed_with_warnings")
    assert done.changes.get().attempts == 5


def test_failed_lookup_is_retried(shop: Shop, attio: Sandbox, to_attio: Activation, monkeypatch: Any) -> None:
    monkeypatch.setattr("activations.delivery.retry.BACKOFF_SECONDS", 0.01)
    shop.fill(20)
    Activation.objects.filter(pk=to_attio.pk).update(mode="insert")
    attio.faults.append(Fault("reply", "POST", "/query", status=503, body="<html>"))
    done = run(Activation.objects.get(pk=to_attio.pk))
    assert (done.accepted, done.lookup_requests) == (20, 2)


def test_changed_mode_sends_what_the_previous_one_skipped(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(3)
    Activation.objects.filter(pk=to_intercom.pk).update(mode="update")
    assert run(Activation.objects.get(pk=to_intercom.pk)).skipped == 3
    Activation.objects.filter(pk=to_intercom.pk).update(mode="upsert")
    assert run(Activation.objects.get(pk=to_intercom.pk)).accepted == 3


def test_nothing_is_created_if_no_mapped_attribute_can_be_written(
    shop: Shop, attio: Sandbox, to_attio: Activation
) -> None:
    to_attio.mappings.all().delete()
    map_fields(to_attio, ("plan", "customer_plan"))
    shop.fill(2)
    done = run(to_attio)
    assert (done.state, done.error_code, writes(attio)) == ("failed", "nothing_to_send", [])
    assert "customer_plan" in done.error_message


def test_secret_in_a_message_of_the_vendor_is_not_stored(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(1)
    body = {"status_code": 400, "code": "validation_type", "message": f"token {TOKEN} is ours"}
    attio.faults.append(Fault("reply", "PUT", status=400, body=body))
    assert TOKEN not in run(to_attio).changes.get().message


def test_run_page_mentions_no_hidden_records_if_there_are_none(
    shop: Shop, attio: Sandbox, to_attio: Activation, admin_client: Any
) -> None:
    shop.fill(1)
    done = run(to_attio)
    assert done.hidden == 0
    assert (
        "not visible at the destination yet"
        not in admin_client.get(reverse("admin:activations_run_change", args=[done.pk])).content.decode()
    )
