"""The list of warnings: by cause, with links to the records that each is about."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from activations.alerts.state import issues
from activations.models import Activation, Run, Warning
from activations.screens.alerts.warning_admin import open_kinds

pytestmark = pytest.mark.django_db(transaction=True)


def warn(activation: Activation, kind: str, subject: str = "", *, closed: bool = False) -> Warning:
    run = Run.objects.create(
        activation=activation, number=Run.objects.count() + 1, state="failed", trigger="manual", kind="full"
    )
    now = timezone.now()
    return Warning.objects.create(
        activation=activation, run=run, last_run=run, kind=kind, subject=subject, message="Look", opened_at=now,
        closed_at=now if closed else None,
    )  # fmt: skip


def test_open_warnings_are_counted_by_cause(to_attio: Activation) -> None:
    warn(to_attio, "rejected_share")
    warn(to_attio, "missing_attribute", "a")
    warn(to_attio, "missing_attribute", "b")
    warn(to_attio, "empty_segment", closed=True)
    assert open_kinds() == [
        ("missing_attribute", "Attribute missing or archived", 2),
        ("rejected_share", "Many records rejected", 1),
    ]


def test_list_links_to_a_cause_and_to_the_records(staff: Client, to_attio: Activation) -> None:
    warning = warn(to_attio, "rejected_share")
    page = staff.get("/admin/activations/warning/").content.decode()
    assert f"/admin/activations/run/{warning.last_run_id}/change/?outcome=rejected" in page
    assert "?state=open&amp;kind__exact=rejected_share" in page
    assert staff.get("/admin/activations/warning/?state=open&kind__exact=rejected_share").status_code == 200


def test_acknowledged_warning_leaves_the_overview_and_keeps_who_did_it(staff: Client, to_attio: Activation) -> None:
    warning = warn(to_attio, "empty_segment")
    answer = staff.post(
        "/admin/activations/warning/", {"action": "acknowledge", "_selected_action": [warning.pk]}, follow=True
    )
    assert "Acknowledged: 1" in answer.content.decode()
    warning.refresh_from_db()
    assert (warning.acknowledged_by, warning.closed_at) == ("ops", None)
    assert [issue for issue in issues(timezone.now()) if issue.label == "No rows"] == []


def test_api_lists_open_warnings_and_acknowledges_one(staff: Client, to_attio: Activation) -> None:
    first, second = warn(to_attio, "missing_attribute", "a"), warn(to_attio, "rejected_share")
    warn(to_attio, "empty_segment", closed=True)
    found = staff.get("/api/warnings/").json()
    assert (found["total"], [each["id"] for each in found["warnings"]]) == (2, [second.pk, first.pk])
    assert found["warnings"][1] | {"opened_at": ""} == {
        "id": first.pk, "kind": "missing_attribute", "label": "Attribute missing or archived", "subject": "a",
        "message": "Look", "activation": {"id": to_attio.pk, "name": "To Attio"}, "run": first.last_run_id,
        "opened_at": "", "acknowledged": None, "closed_at": None,
    }  # fmt: skip
    answer = staff.post(f"/api/warnings/{first.pk}/acknowledge/")
    assert (answer.status_code, answer.json()["acknowledged"]["by"]) == (200, "ops")
    again = staff.post(f"/api/warnings/{first.pk}/acknowledge/").json()
    assert again["acknowledged"] == answer.json()["acknowledged"]
    for query, pk in (("true", first.pk), ("false", second.pk)):
        assert [each["id"] for each in staff.get(f"/api/warnings/?acknowledged={query}").json()["warnings"]] == [pk]
    assert staff.get(f"/api/warnings/?activation={to_attio.pk}").json()["total"] == 2
    assert staff.get("/api/warnings/?activation=none").json()["total"] == 0


def test_closed_warning_can_not_be_acknowledged(staff: Client, to_attio: Activation) -> None:
    closed = warn(to_attio, "empty_segment", closed=True)
    assert staff.post(f"/api/warnings/{closed.pk}/acknowledge/").json()["acknowledged"] is None
    assert staff.post("/api/warnings/999999/acknowledge/").status_code == 404


def test_api_requires_the_permissions_of_the_list(to_attio: Activation) -> None:
    warning = warn(to_attio, "empty_segment")
    user = User.objects.create_user("viewer", is_staff=True)
    browser = Client()
    browser.force_login(user)
    assert browser.get("/api/warnings/").status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="view_warning"))
    assert browser.get("/api/warnings/").status_code == 200
    assert browser.post(f"/api/warnings/{warning.pk}/acknowledge/").status_code == 403
    warning.refresh_from_db()
    assert warning.acknowledged_at is None
