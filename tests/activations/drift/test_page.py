"""The page and the command with which people find drift, restore their values or leave those of others."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.test import Client

from activations.models import Drift, LeftValue, Run, Schedule, SkippedSlot
from activations.runs import dispatch, drift_checks, requests
from activations.scheduling import definition, settle
from core.errors import Misconfigured
from destinations.registry import services
from tests.activations.conftest import writes
from tests.activations.drift.test_check import carry_out, check, edit, synchronized  # noqa: F401

if TYPE_CHECKING:
    from activations.models import Activation
    from destinations.sandbox.base import Sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)


def page(activation: Activation) -> str:
    return f"/admin/activations/activation/{activation.pk}/drift/"


def test_page_checks_restores_and_leaves(staff: Client, attio: Sandbox, synchronized: Activation) -> None:  # noqa: F811
    assert "None yet." in staff.get(page(synchronized)).content.decode()
    edit(attio, "Company 2", description="Theirs")
    edit(attio, "Company 3", description="Theirs", name="Theirs")
    started = staff.post(page(synchronized), {"action": "check"})
    checked = Run.objects.get(kind="drift")
    assert started.url == f"/admin/activations/run/{checked.pk}/change/"  # type: ignore[attr-defined]
    carry_out(checked)
    assert "2 edited in Attio" in staff.get(started.url).content.decode()  # type: ignore[attr-defined]
    shown = staff.get(page(synchronized)).content.decode()
    assert shown.count("A person") == 3
    assert "No. 2" in shown
    assert "Compared 5 companies with 1 request: 2 edited." in shown
    record = Drift.objects.get(change__key="2").change_id
    staff.post(page(synchronized), {"action": "leave", "field": "description", "record": record})
    assert LeftValue.objects.count() == 1
    staff.post(page(synchronized), {"action": "restore", "field": "description"})
    carry_out(Run.objects.get(only_fields__isnull=False))
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"description": "No. 3"}]
    assert "1 restored" in staff.get(page(synchronized)).content.decode()


def test_viewer_sees_numbers_and_decides_nothing(attio: Sandbox, synchronized: Activation) -> None:  # noqa: F811
    edit(attio, "Company 2", description="Theirs")
    check(synchronized)
    browser, viewer = Client(), User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_activation"))
    browser.force_login(viewer)
    shown = browser.get(page(synchronized)).content.decode()
    assert "description" in shown
    assert "Theirs" not in shown
    assert "Restore ours" not in shown
    assert browser.post(page(synchronized), {"action": "restore"}).status_code == 403
    assert not Run.objects.filter(only_fields__isnull=False).exists()


def drift(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("drift", "To Attio", *arguments, stdout=out, stderr=StringIO())
    return int(str(ended.value.code)), out.getvalue()


def test_command_reports_restores_and_leaves(attio: Sandbox, synchronized: Activation) -> None:  # noqa: F811
    assert drift()[0] == 0
    edit(attio, "Company 2", description="Theirs")
    edit(attio, "Company 3", name="Theirs")
    code, text = drift()
    assert code == 1
    assert "2: sent No. 2, held Theirs. Changed by: A person." in text
    found = json.loads(drift("--json", "--last")[1])
    assert (found["compared"], found["records"]) == (5, 2)
    assert {(field["field"], field["open"]) for field in found["fields"]} == {("description", 1), ("name", 1)}
    assert found["fields"][0]["examples"][0]["writer"] == "person"
    assert drift("--leave", "name", "--restore", "all")[0] == 0
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"description": "No. 2"}]
    assert drift()[0] == 0


def test_api_checks_restores_and_leaves(staff: Client, attio: Sandbox, synchronized: Activation) -> None:  # noqa: F811
    address = f"/api/activations/{synchronized.pk}/drift/"

    def post(**body: Any) -> Any:
        return staff.post(address, body, content_type="application/json")

    assert (staff.get(address).json(), post(action="leave").status_code) == ({"check": None}, 400)
    edit(attio, "Company 2", description="Theirs", name="Theirs")
    edit(attio, "Company 3", description="Theirs")
    carry_out(Run.objects.get(pk=post(action="check").json()["id"]))
    assert staff.get(address).json()["check"]["records"] == 2
    assert post(action="leave", field="name").json() == {"left": 1}
    carry_out(Run.objects.get(pk=post(action="restore", key="3").json()["id"]))
    assert [entry["body"]["data"]["values"] for entry in writes(attio)] == [{"description": "No. 3"}]
    assert post(action="restart").status_code == 400


def test_command_refuses_what_does_not_exist(synchronized: Activation) -> None:  # noqa: F811
    with pytest.raises(CommandError, match="no activation"):
        call_command("drift", "Nothing")
    with pytest.raises(CommandError, match="never checked"):
        call_command("drift", "To Attio", "--last")


def test_schedule_starts_checks_whatever_runs(attio: Sandbox, synchronized: Activation) -> None:  # noqa: F811
    now = datetime.now(UTC)
    schedule = Schedule.objects.create(
        activation=synchronized, purpose="drift", every=1, unit="hours", anchored_at=now, settled_until=now
    )
    assert definition.words(schedule) == "Check for drift: every hour"
    assert definition.of_runs(synchronized) == []
    requests.request(synchronized, "manual", enqueue=False)
    settle.settle_all(now + timedelta(hours=1))
    checked = Run.objects.get(schedule=schedule)
    assert (checked.kind, checked.dry_run, checked.live, checked.trigger) == ("drift", True, True, "schedule")
    settle.settle_all(now + timedelta(hours=2))
    assert (Run.objects.filter(kind="drift").count(), SkippedSlot.objects.get().reason) == (1, "running")
    carry_out(checked)
    settle.settle_all(now + timedelta(hours=3))
    assert Run.objects.filter(kind="drift").count() == 2


def test_check_when_the_data_changed_is_refused(synchronized: Activation) -> None:  # noqa: F811
    with pytest.raises(Misconfigured, match="fixed times"):
        definition.check(Schedule(activation=synchronized, purpose="drift", kind="data_changed", every=5))


def test_destination_that_returns_no_values_can_not_be_checked(
    synchronized: Activation,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(type(services["attio.companies"]), "compares", False)
    with pytest.raises(Misconfigured, match="can't be found"):
        drift_checks.check(synchronized, "manual")
