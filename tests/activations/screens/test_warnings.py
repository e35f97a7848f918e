"""The list of warnings: by cause, with links to the records that each is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from activations.alerts.state import issues
from activations.models import Activation, Run, Warning
from activations.screens.alerts.warning_admin import open_kinds

if TYPE_CHECKING:
    from django.test import Client

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
