"""Names with line breaks are refused wherever they are given, and hurt nothing where they are stored already."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils import timezone

from activations.alerts import outbox, sending
from activations.alerts.record import open_warning
from activations.models import Activation, Alert, Run, Warning
from core.text.names import MESSAGE
from destinations.models import Connection, Destination
from dinmo.workspace.block import Block
from dinmo.workspace.problems import Problems
from dinmo.workspace.yaml_document import Node
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db
FORGED = "Shop\n2026-11-29 12:00:00 INFO forged"


@pytest.mark.parametrize("model", [Source, DataModel, Segment, Connection, Destination, Activation])
def test_every_model_refuses_a_name_with_a_line_break(one_of_each: Activation, model: Any) -> None:
    row = model.objects.get()
    row.name = FORGED
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    assert caught.value.message_dict["name"] == [MESSAGE]


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("segments/source/1/change/", {"timezone": "UTC", "setting_path": "x"}),
        ("segments/datamodel/1/change/", {"kind": "custom", "shape": "table", "table": "companies"}),
        ("segments/segment/1/change/", {"where": "{}", "limit": "{}"}),
        ("segments/computedfield/add/?model=1", {"definition": "{}"}),
        ("destinations/connection/1/change/", {}),
        ("destinations/destination/1/change/", {"connection": 1}),
        ("activations/activation/1/change/", {"records": "model:1", "destination": 1}),
    ],
)
def test_every_form_refuses_a_name_with_a_line_break(
    staff: Client, one_of_each: Activation, path: str, values: dict[str, Any]
) -> None:
    counts = {f"{prefix}-{name}_FORMS": 0 for prefix in ("columns", "relations", "mappings", "schedules")
              for name in ("TOTAL", "INITIAL")}  # fmt: skip
    page = staff.post(f"/admin/{path}", {"name": FORGED, **values, **counts})
    assert page.status_code == 200
    assert MESSAGE.replace("'", "&#x27;") in page.content.decode()


def test_workspace_file_refuses_a_name_with_a_line_break() -> None:
    problems = Problems()
    Block(Node(1, {"name": Node(1, FORGED)}), "A source", problems).name()
    assert "must not contain line breaks" in problems.items[0].sentence


@pytest.fixture
def failed(one_of_each: Activation) -> Run:
    """A failed run of an activation whose name was stored before names were checked."""
    Activation.objects.update(name=FORGED, recipients=["ops@example.com"])
    return Run.objects.select_related("activation").get()


def alert_about(run: Run) -> None:
    now = timezone.now()
    Warning.objects.all().delete()
    open_warning(run.activation, "run_failed", "The source can't be reached.", {}, now, run=run)
    outbox.collect(now)
    sending.send(now, at_once=True)


def test_alert_of_an_activation_with_a_line_break_in_its_name_is_sent(failed: Run, mailoutbox: list[Any]) -> None:
    alert_about(failed)
    assert mailoutbox[0].subject == "[DinMo] Run failed: Shop\\n2026-11-29 12:00:00 INFO forged"


@pytest.mark.parametrize(
    ("recipient", "sender"), [("a\nb@example.com", "dinmo@localhost"), ("ops@example.com", "a\nBcc: x@y.z")]
)
def test_alert_that_no_email_can_hold_is_kept_with_the_reason(
    failed: Run, settings: Any, recipient: str, sender: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEFAULT_FROM_EMAIL = sender
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    Activation.objects.update(recipients=[recipient])
    failed.activation.refresh_from_db()
    with caplog.at_level(logging.WARNING):
        alert_about(failed)
    alert = Alert.objects.get()
    assert (alert.state, alert.attempts) == ("pending", 1)
    assert "Check" in alert.error
    assert "could not be" in caplog.text


@pytest.mark.parametrize(
    "password", ["staff0staff0", "198406211984", "aaaaaaaaaaaa", "abcabcabcabcab", "short-one", "jane.doe.1984"]
)
def test_weak_password_is_refused(password: str) -> None:
    with pytest.raises(ValidationError):
        validate_password(password, User(username="jane.doe.1984", email="jane@example.com"))


@pytest.mark.parametrize("password", ["correct horse battery", "kX9#mQ2$vL7p", "vier-Walzer-im-Regen"])
def test_strong_password_is_accepted(password: str) -> None:
    validate_password(password, User(username="jane.doe"))
