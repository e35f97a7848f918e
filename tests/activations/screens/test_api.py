"""The JSON endpoints of activations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from activations.models import Activation, Run
from activations.runs import dispatch
from destinations.models import Connection, Destination

if TYPE_CHECKING:
    from segments.models import DataModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def activation(companies: DataModel, monkeypatch: pytest.MonkeyPatch) -> Activation:
    monkeypatch.setattr(dispatch, "enqueue", lambda run_id: None)
    connection = Connection.objects.create(name="Our Attio", platform="attio")
    destination = Destination.objects.create(name="Attio companies", connection=connection, service="attio.companies")
    return Activation.objects.create(
        name="Away", model=companies, destination=destination, match_column="domain", match_field="domains"
    )


def test_run_is_started_once_and_its_state_can_be_read(activation: Activation) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    first: Any = browser.post(
        f"/api/activations/{activation.pk}/runs/", {"dry_run": True}, content_type="application/json"
    )
    second, third = (browser.post(f"/api/activations/{activation.pk}/runs/") for _ in range(2))
    assert (first.status_code, first.json()["dry_run"], first.json()["trigger"]) == (202, True, "api")
    assert (second.json()["dry_run"], third.json()["id"]) == (False, second.json()["id"])
    state = browser.get(f"/api/runs/{second.json()['id']}/").json()
    assert (state["live"], state["counts"]["accepted"], state["error"]) == (True, 0, None)


def test_anonymous_users_and_users_without_permission_start_nothing(activation: Activation) -> None:
    assert Client().post(f"/api/activations/{activation.pk}/runs/").status_code == 403
    browser = Client()
    browser.force_login(User.objects.create_user("viewer", is_staff=True))
    assert browser.post(f"/api/activations/{activation.pk}/runs/").status_code == 403
    assert not Run.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "cron", "cron": "0 7 * * 7", "timezone": "Europe/Paris"}, "At 07:00 on Sunday (Europe/Paris)"),
        ({"kind": "interval", "every": "45", "unit": "minutes"}, "Every 45 minutes"),
        ({"kind": "weekly", "days": ["monday"], "at": "09:00"}, "At 09:00 on Monday (UTC)"),
    ],
)
def test_schedule_is_put_into_words_with_its_next_times(staff: Client, fields: dict[str, Any], words: str) -> None:
    answer = staff.post("/api/schedules/words/", fields, content_type="application/json").json()
    assert (answer["words"], len(answer["next"])) == (words, 5)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "cron", "cron": "0 7 * *"}, "It needs five fields"),
        ({"kind": "interval", "every": "many"}, "must be an integer"),
        ({"kind": "weekly", "days": ["monday"], "at": "9 o'clock"}, "invalid format"),
        ({"kind": "cron", "cron": "0 7 * * *", "timezone": "Nowhere"}, "There is no such time zone."),
        ({"kind": "interval", "every": 2147483647, "unit": "days"}, "at most one year"),
        ({"kind": "weekly", "days": 7, "at": "09:00"}, "Choose one or more days"),
    ],
)
def test_schedule_that_is_not_valid_is_refused_in_words(staff: Client, fields: dict[str, Any], message: str) -> None:
    answer = staff.post("/api/schedules/words/", fields, content_type="application/json")
    assert answer.status_code == 400
    assert message in answer.json()["message"]
