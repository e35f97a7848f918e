"""Held runs in the browser's pages, the API, the command, the workspace file and the schedules."""

from __future__ import annotations

import io
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from activations.execute import execute
from activations.models import Activation, Run, Schedule, SkippedSlot
from activations.runs import requests
from activations.scheduling.settle import settle
from tests.activations.conftest import run, writes

if TYPE_CHECKING:
    from django.test import Client

    from destinations.sandbox.base import Sandbox
    from tests.activations.conftest import Shop

pytestmark = pytest.mark.django_db(transaction=True)
ROWS = 30


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)


@pytest.fixture
def held(shop: Shop, attio: Sandbox, to_attio: Activation) -> Run:
    shop.fill(ROWS)
    run(to_attio)
    writes(attio)
    shop.run("update companies set name = 'New ' || id")
    waiting = run(to_attio)
    assert waiting.state == "held"
    return waiting


def command(*words: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("activate", "To Attio", *words, stdout=out, stderr=io.StringIO())
    except SystemExit as exit:
        code = int(exit.code or 0)
    return code, out.getvalue()


def test_slots_of_schedules_are_recorded_while_a_run_is_held(held: Run, attio: Sandbox) -> None:
    now = timezone.now()
    schedule = Schedule.objects.create(
        activation=held.activation, every=15, anchored_at=now - timedelta(hours=1), settled_until=now
    )
    settle(schedule.pk, now + timedelta(minutes=40))
    (skipped,) = SkippedSlot.objects.filter(reason=SkippedSlot.Reason.HELD)
    assert skipped.number >= 1
    assert Run.objects.filter(activation=held.activation).count() == 2
    assert writes(attio) == []


def test_every_command_exits_with_3_while_a_run_is_held(held: Run) -> None:
    assert command()[0] == 3
    code, text = command("--wait", "--json")
    result = json.loads(text)
    assert (code, result["state"], result["label"]) == (3, "held", "Waiting for approval")
    assert result["hold"][0]["facts"] == {"changed": ROWS, "synchronized": ROWS, "percent": 100.0, "limit": 50}
    assert result["activation_state"]["state"] == "held"


def test_a_command_approves(held: Run, attio: Sandbox) -> None:
    code, text = command("--approve", "--wait")
    assert code == 0, text
    assert len(writes(attio)) == ROWS
    held.refresh_from_db()
    assert held.decided_by.endswith("(command)")
    with pytest.raises(CommandError, match="No run of 'To Attio' waits for approval"):
        command("--approve")


def test_a_command_discards_without_a_worker(held: Run, attio: Sandbox) -> None:
    assert command("--discard")[0] == 0
    held.refresh_from_db()
    assert (held.state, writes(attio)) == ("cancelled", [])


def test_a_decision_starts_no_other_run(held: Run) -> None:
    with pytest.raises(CommandError, match="They start no other run"):
        command("--discard", "--full")
    held.refresh_from_db()
    assert held.state == "held"


def test_the_api_shows_and_decides(held: Run, attio: Sandbox, staff: Client) -> None:
    activation = held.activation_id
    assert staff.get(f"/api/activations/{activation}/").json()["state"] == "held"
    shown = staff.get(f"/api/runs/{held.pk}/").json()
    assert (shown["state"], shown["live"], shown["hold"][0]["kind"]) == ("held", False, "changes")
    refused = staff.post(f"/api/activations/{activation}/runs/", {}, content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (400, "run_held")
    approved = staff.post(f"/api/runs/{held.pk}/approve/", {}, content_type="application/json")
    assert (approved.status_code, approved.json()["decision"]["by"]) == (202, "ops")
    again = staff.post(f"/api/runs/{held.pk}/discard/", {}, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (400, "run_not_held")
    while execute(held.pk):
        pass
    assert len(writes(attio)) == ROWS


def test_pages_say_what_waits_and_offer_no_other_run(held: Run, staff: Client) -> None:
    page = staff.get(f"/admin/activations/run/{held.pk}/change/").content.decode()
    for words in ("Waiting for approval. Would send 30 companies", "30 of 30 records would change (100%)", "Approve"):
        assert words in page
    assert "Run again" not in page
    activation = staff.get(f"/admin/activations/activation/{held.activation_id}/change/").content.decode()
    assert "Approve or discard" in activation
    assert "Run now" not in activation
    assert "Waiting for approval" in staff.get("/admin/").content.decode()
    listed = staff.get("/admin/activations/activation/?show=held").content.decode()
    assert "To Attio" in listed
    assert "To Attio · run 2" in staff.get("/admin/activations/run/?show=held").content.decode()
    issues = staff.get("/api/issues/").json()["issues"]
    assert [issue["label"] for issue in issues if issue["kind"] == "run"] == ["Waiting for approval"]


def test_a_button_of_an_old_page_decides_nothing_twice(held: Run, staff: Client) -> None:
    staff.post(f"/admin/activations/run/{held.pk}/do/discard/")
    staff.post(f"/admin/activations/run/{held.pk}/do/approve/")
    held.refresh_from_db()
    assert held.decision == "discarded"


def test_bulk_actions_leave_a_held_run_alone(held: Run, staff: Client) -> None:
    data: dict[str, Any] = {"action": "run_selected", "_selected_action": [held.activation_id]}
    page = staff.post("/admin/activations/activation/", data).content.decode()
    assert "waiting for approval, so no run starts" in page
    assert requests.held_run(held.activation) == held


def test_somebody_who_may_only_look_decides_nothing(held: Run, django_user_model: Any, client: Client) -> None:
    client.force_login(django_user_model.objects.create_user("guest", is_staff=True))
    assert client.post(f"/api/runs/{held.pk}/approve/", {}, content_type="application/json").status_code == 403
    assert client.post(f"/admin/activations/run/{held.pk}/do/approve/").status_code in (302, 403)
    held.refresh_from_db()
    assert held.state == "held"
