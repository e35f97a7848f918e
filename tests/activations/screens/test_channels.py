"""The pages of alert channels: secrets stay secret, a test message is sent, and failures are visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.utils import timezone

from activations.alerts.state import issues
from activations.models import AlertChannel
from tests.activations.alerts.conftest import channel, hook  # noqa: F401

if TYPE_CHECKING:
    from django.test import Client

    from tests.activations.alerts.receivers import HookServer

pytestmark = pytest.mark.django_db(transaction=True)
ADD = "/admin/activations/alertchannel/add/"


def test_channel_is_added_tested_and_never_shows_its_address_again(staff: Client, hook: HookServer) -> None:  # noqa: F811
    assert "Microsoft Teams" in staff.get(ADD).content.decode()
    values = {"name": "On call", "setting_url": hook.url, "events": ["run_failed", "held"], "enabled": "on"}
    assert staff.post(f"{ADD}?kind=slack", {**values, "_save": "Save"}).status_code == 302
    saved = AlertChannel.objects.get()
    page = f"/admin/activations/alertchannel/{saved.pk}/"
    shown = staff.post(f"{page}do/test/", follow=True).content.decode()
    assert "The test message was accepted" in shown
    assert "hush-hush" not in shown
    assert "Messages go to 127.0.0.1" in shown
    assert b"This is a test" in hook.posted[0].body
    staff.post(f"{page}change/", {**values, "setting_url": "", "name": "Night watch", "_save": "Save"})
    kept = AlertChannel.objects.get()
    assert (kept.name, kept.secrets) == ("Night watch", {"url": hook.url})


def test_test_message_that_is_refused_says_why_on_the_page_and_the_overview(staff: Client, hook: HookServer) -> None:  # noqa: F811
    hook.answer.status, hook.answer.body = 404, b"no_team"
    saved = channel("slack", secrets={"url": hook.url})
    shown = staff.post(f"/admin/activations/alertchannel/{saved.pk}/do/test/", follow=True).content.decode()
    assert "127.0.0.1 refused the message (HTTP 404). It answered: no_team" in shown
    (issue,) = [issue for issue in issues(timezone.now()) if issue.about == saved]
    assert (issue.label, issue.tone) == ("Not working", "bad")


@pytest.mark.parametrize(
    ("kind", "settings", "words"),
    [
        ("slack", {"setting_url": "hooks.slack.com/x"}, "must start with https://"),
        ("slack", {"setting_url": "file:///etc/passwd"}, "must start with https://"),
        ("webhook", {"setting_url": "https://example.com", "setting_secret": "short"}, "at least 16 characters"),
        ("email", {"setting_recipients": "ops@example.com, nobody"}, "nobody is not a valid email address"),
    ],
)
def test_setting_that_can_not_be_right_is_refused_at_its_field(
    staff: Client, kind: str, settings: dict[str, str], words: str
) -> None:
    page = staff.post(f"{ADD}?kind={kind}", {"name": "A", "events": ["held"], **settings, "_save": "Save"})
    assert words in page.content.decode()
    assert not AlertChannel.objects.exists()


def test_email_that_is_not_set_up_is_an_issue_and_shown_on_the_channel(staff: Client, settings: object) -> None:
    settings.EMAIL_BACKEND = "dinmo.mail.LogBackend"  # type: ignore[attr-defined]
    saved = channel("email", {"recipients": "ops@example.com"})
    page = staff.get(f"/admin/activations/alertchannel/{saved.pk}/change/").content.decode()
    assert "can&#x27;t send email yet. Set EMAIL_URL" in page
    assert [issue.label for issue in issues(timezone.now()) if issue.about == saved] == ["Not set up"]
