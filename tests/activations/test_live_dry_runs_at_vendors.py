"""Live dry runs against the simulators: what they find, who may see it, and that they change nothing."""

from __future__ import annotations

import csv
import io
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from activations.execute import execute
from activations.models import Activation, Change, HeldValues, Record, Run
from activations.runs import requests, retention
from activations.storage.match_owners import ForeseenOwners
from destinations.registry import services
from destinations.sandbox.wire import Fault
from tests.activations.conftest import run, writes
from tests.activations.test_compare_first import Comparing, adopting, arrange, fill, there
from tests.activations.vendor import Killed, Movable

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop
    from tests.activations.memory_story import Story

__all__ = ["adopting"]
pytestmark = pytest.mark.django_db(transaction=True)
THEIRS = "=HYPERLINK Zanzibar 4711"


@pytest.fixture
def compared(shop: Shop, attio: Sandbox, adopting: Activation) -> Run:
    """A live dry run of 12 companies: 4 are there with equal values, 5 with another name, 3 are not there."""
    fill(shop, *range(1, 13))
    arrange(attio, {"records": {"companies": [
        *(there(n) for n in range(1, 5)), *(there(n, name=THEIRS) for n in range(5, 10)),
    ]}})  # fmt: skip
    return run(adopting, dry_run=True, live=True)


def dump(sandbox: Sandbox) -> str:
    return json.dumps(sandbox.state(), sort_keys=True, default=str)


def fields_by_key(run: Run, *outcomes: str) -> dict[str, frozenset[str]]:
    return {change.key: frozenset(change.sent) for change in run.changes.filter(outcome__in=outcomes)}


def test_dry_run_agrees_with_the_run_and_leaves_attio_as_it_was(
    attio: Sandbox, adopting: Activation, compared: Run
) -> None:
    assert (compared.state, compared.creates, compared.updates, compared.matched) == ("planned", 3, 5, 4)
    assert (compared.write_requests, compared.lookup_requests) == (0, 1)
    assert not Record.objects.exists()
    before = dump(attio)
    writes(attio)
    again = run(adopting, dry_run=True, live=True)
    assert (dump(attio), writes(attio)) == (before, [])
    real = run(adopting)
    assert (real.created, real.accepted - real.created, real.matched) == (again.creates, again.updates, again.matched)
    assert fields_by_key(again, "creates", "updates") == fields_by_key(real, "accepted")
    assert fields_by_key(again, "updates")["5"] == {"name"}


@pytest.mark.slow
def test_ten_thousand_changes_take_no_more_reads_than_said_and_come_out_as_said(
    shop: Shop, attio: Sandbox, adopting: Activation
) -> None:
    """9,400 are there with equal values, 400 with another name, and 200 are not there."""
    fill(shop, *range(1, 10_001))
    arrange(attio, {"records": {"companies": [
        *(there(n) for n in range(1, 9_401)), *(there(n, name=THEIRS) for n in range(9_401, 9_801)),
    ]}})  # fmt: skip
    before = dump(attio)
    said = run(adopting, dry_run=True, live=True)
    assert (said.creates, said.updates, said.matched) == (200, 400, 9_400)
    assert said.lookup_requests <= services["attio.companies"].limits.lookups(10_000) == 21
    assert (said.write_requests, dump(attio)) == (0, before)
    done = run(adopting)
    assert (done.created, done.accepted - done.created, done.matched) == (200, 400, 9_400)
    assert fields_by_key(said, "creates", "updates") == fields_by_key(done, "accepted")


def test_values_of_the_destination_are_shown_and_stored_encrypted(compared: Run) -> None:
    held = HeldValues.objects.filter(run=compared)
    assert [row.fields for row in held] == [{"name": {"held": THEIRS}}] * 5
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f'SELECT * FROM "{table}"')
            assert "Zanzibar" not in repr(cursor.fetchall()), table


def test_values_of_the_destination_are_deleted_after_days(compared: Run, settings: Any) -> None:
    retention.prune(timezone.now() + timedelta(days=settings.HELD_VALUE_DAYS - 1))
    assert HeldValues.objects.count() == 5
    retention.prune(timezone.now() + timedelta(days=settings.HELD_VALUE_DAYS, minutes=1))
    assert (HeldValues.objects.count(), Change.objects.filter(run=compared).count()) == (0, 12)


def test_page_says_what_would_happen_with_values_before_and_after(staff: Client, compared: Run) -> None:
    page = staff.get(f"/admin/activations/run/{compared.pk}/change/?outcome=updates")
    text = page.content.decode()
    assert "Would create 3 companies, update 5, leave 4 as they are; nothing was sent." in text
    assert "1 of at most 1 request, less than a minute" in text
    assert [(field.before, field.after) for field in page.context["rows"][0].fields] == [(THEIRS, "Company 5")]
    record = staff.get(f"/admin/activations/change/{page.context['rows'][0].change.pk}/change/")
    assert "Zanzibar 4711" in record.content.decode()
    review = staff.get(f"/admin/activations/activation/{compared.activation_id}/review/?run={compared.pk}")
    assert "Sending 8 companies takes less than a minute" in review.content.decode()


def test_file_of_the_comparison_has_every_field_and_runs_no_formula(staff: Client, compared: Run) -> None:
    answer = staff.get(f"/admin/activations/run/{compared.pk}/comparison/")
    text = b"".join(answer.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    updates = [row for row in rows if row["outcome"] == "Would be updated"]
    assert [(row["field"], row["at the destination"]) for row in updates] == [("name", f"'{THEIRS}")] * 5
    assert {row["key"] for row in rows} == {str(n) for n in range(1, 13)}


def test_people_who_may_not_see_records_do_not_see_what_they_hold(transactional_db: None, compared: Run) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=("view_run", "view_activation")))
    browser = Client()
    browser.force_login(viewer)
    page = browser.get(f"/admin/activations/run/{compared.pk}/change/")
    assert page.status_code == 200
    assert b"Zanzibar" not in page.content
    assert browser.get(f"/admin/activations/run/{compared.pk}/comparison/").status_code == 403
    assert browser.get(f"/api/runs/{compared.pk}/comparison/").status_code == 403
    assert b"Zanzibar" not in browser.get(f"/api/runs/{compared.pk}/").content


def test_api_starts_a_live_dry_run_and_returns_its_records(staff: Client, compared: Run) -> None:
    path = f"/api/activations/{compared.activation_id}/runs/"
    started = staff.post(path, {"dry_run": True, "live": True}, content_type="application/json").json()
    assert (started["dry_run"], started["compared"]) == (True, True)
    found = staff.get(f"/api/runs/{compared.pk}/comparison/").json()
    assert found["would"] == {
        "create": 3, "update": 5, "leave": 4, "keep": 0, "skip": 0, "refuse": 0, "invalid": 0, "not_compared": 0,
    }  # fmt: skip
    assert found["records"][4]["fields"] == [{"field": "name", "held": THEIRS, "value": "Company 5"}]
    assert (len(found["records"]), found["next"]) == (12, None)


def test_command_prints_counts_requests_seconds_and_records(compared: Run) -> None:
    output = io.StringIO()
    with suppress(SystemExit):
        call_command("activate", "To Attio", "--dry-run", "--live", "--json", stdout=output)
    result = json.loads(output.getvalue())
    assert (result["counts"]["creates"], result["counts"]["updates"], result["counts"]["matched"]) == (3, 5, 4)
    assert (result["requests"]["lookup"], result["lookup_requests_at_most"]) == (1, 1)
    assert result["seconds"] == {"compare": 0.0, "send": 0.3}
    assert len(result["records"]) == 12


def test_button_compares_unless_its_option_is_cleared(staff: Client, adopting: Activation) -> None:
    path = f"/admin/activations/activation/{adopting.pk}/do/dry_run/"
    assert b"Compare with the destination" in staff.get(f"/admin/activations/activation/{adopting.pk}/change/").content
    staff.post(path, {"option": "1"})
    staff.post(path)
    assert list(Run.objects.order_by("pk").values_list("dry_run", "live")) == [(True, True), (True, False)]


def test_dry_run_at_intercom_takes_a_lookup_for_each_company(
    shop: Shop, intercom: Sandbox, to_intercom: Activation
) -> None:
    shop.fill(4)
    run(to_intercom)
    shop.set(1, "plan", "free")
    shop.add((9, "New", "new.com", "", "pro", 1))
    before = dump(intercom)
    writes(intercom)
    dry = run(to_intercom, dry_run=True, live=True)
    assert (dry.creates, dry.updates, dry.lookup_requests) == (1, 1, 2)
    assert (dump(intercom), writes(intercom)) == (before, [])
    held = HeldValues.objects.get(run=dry)
    assert held.fields == {"plan": {"held": "pro"}}
    real = run(to_intercom)
    assert fields_by_key(dry, "updates") == {"1": frozenset({"plan"})}
    assert (real.created, real.accepted) == (1, 2)


def test_company_of_a_different_row_is_refused(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    fill(shop, 1, 2)
    arrange(attio, {"records": {"companies": [there(1, domains=["company1.com", "company2.com"])]}})
    dry = run(adopting, dry_run=True, live=True)
    assert (dry.matched, dry.rejected) == (1, 1)
    real = run(adopting)
    assert (real.matched, real.rejected) == (1, 1)
    assert (run(adopting, dry_run=True, live=True, full=True).rejected, dry.changes.get(outcome="rejected").code) == (
        1, "match_held",
    )  # fmt: skip


def test_owner_that_an_earlier_slice_found_counts(compared: Run) -> None:
    found = compared.changes.filter(outcome="updates")[0]
    assert compared.generation_id
    owners = ForeseenOwners(compared.generation_id, compared.pk, resumes=True)
    refusal = owners.refusal(Change(key="other", key_digest=7), found.remote_id, ["other.com"], "domains")
    assert refusal
    assert refusal.code == "match_held"
    assert owners.refusal(found, found.remote_id, ["company5.com"], "domains") is None


def test_outage_ends_a_dry_run_with_its_reason_and_opens_no_warning(
    shop: Shop, attio: Sandbox, adopting: Activation
) -> None:
    fill(shop, 1, 2)
    body = {"status_code": 401, "type": "auth_error", "code": "unauthorized", "message": "No."}
    attio.faults.append(Fault("reply", "POST", "/query", times=99, status=401, body=body))
    dry = run(adopting, dry_run=True, live=True)
    assert dry.state == "failed"
    assert (dry.not_sent, adopting.warnings.count()) == (2, 0)


def test_cancelled_dry_run_says_how_many_were_compared(shop: Shop, attio: Sandbox, adopting: Activation) -> None:
    fill(shop, 1, 2)
    requested = requests.request(adopting, "manual", dry_run=True, live=True, enqueue=False)
    Run.objects.update(cancel_requested=True)
    execute(requested.pk)
    ended = Run.objects.get()
    assert (ended.state, ended.error_message) == ("cancelled", "Cancelled by a person. Nothing was sent.")


@pytest.mark.parametrize("before", [True, False], ids=["before the commit", "after the commit"])
@pytest.mark.parametrize("step", range(1, 12, 2))
def test_worker_killed_while_it_looks_is_continued(
    begin: Callable[[type[Movable]], Story], step: int, before: bool
) -> None:
    story = begin(Comparing)
    Activation.objects.update(compare_first=True)
    story.rows(*((str(n), f"m{n}", "A", "B") for n in range(1, 8)))
    for n in (1, 2):
        story.vendor.add(f"m{n}", {"a": "A", "b": "B"})
    for n in (3, 4):
        story.vendor.add(f"m{n}", {"a": "A", "b": "theirs"})
    requested = requests.request(story.activation, "manual", dry_run=True, live=True, enqueue=False)
    story.environment.kill.arm(step, before)
    with suppress(Killed):
        story.resume(requested.pk)
    story.environment.kill.arm(None, before)
    Run.objects.update(lease_until=datetime.now(UTC) - timedelta(minutes=1))
    done = story.resume(requested.pk)
    assert (done.state, done.creates, done.updates, done.matched) == ("planned", 3, 2, 2)
    assert (story.vendor.requests, Record.objects.count()) == ([], 0)
    assert done.changes.exclude(outcome="").count() == 7
