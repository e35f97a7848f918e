"""What arrives: each channel's message by real sockets, whatever is in a name."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import TYPE_CHECKING

import pytest

from activations import warning_kinds as kinds
from activations.alerts.record import open_warning
from activations.models import Activation
from tests.activations.alerts.conftest import NOON, activations, channel, deliver, workspace_recipients

if TYPE_CHECKING:
    from segments.models import DataModel
    from tests.activations.alerts.receivers import HookServer, MailServer

pytestmark = pytest.mark.django_db(transaction=True)
HOSTILE = "<b>A</b> & <!channel> <@U123> @channel [x](http://evil) \u202e\nBcc: x@y.z شركات"
SHOWN = HOSTILE.replace("\u202e", "\\u202e").replace("\n", "\\n")


@pytest.fixture
def failing(to_attio: Activation) -> Activation:
    Activation.objects.filter(pk=to_attio.pk).update(name=HOSTILE)
    to_attio.refresh_from_db()
    open_warning(to_attio, kinds.RUN_FAILED, "The source can't be reached.", {}, NOON)
    return to_attio


def test_email_has_the_name_as_text_in_both_parts_and_no_header_of_its_own(
    failing: Activation, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    deliver(NOON)
    (message,) = mail.messages
    plain, page = (str(message.get_body((kind,)).get_content()) for kind in ("plain", "html"))  # type: ignore[union-attr]
    assert message["Subject"].strip() == f"[DinMo] Run failed: {SHOWN}"
    assert (message["Bcc"], message["Auto-Submitted"]) == (None, "auto-generated")
    assert SHOWN in plain
    assert "<b>A</b>" not in page
    assert "&lt;b&gt;A&lt;/b&gt;" in page
    assert f"/admin/activations/activation/{failing.pk}/change/" in plain


def test_webhook_is_signed_and_names_the_activation(failing: Activation, hook: HookServer) -> None:
    secret = "sixteen-or-more-characters"
    channel("webhook", secrets={"url": hook.url, "secret": secret})
    deliver(NOON)
    (posted,) = hook.posted
    signed = posted.headers["X-DinMo-Timestamp"].encode() + b"." + posted.body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    assert posted.headers["X-DinMo-Signature"] == f"v1={expected}"
    (alert,) = json.loads(posted.body)["alerts"]
    assert (alert["event"], alert["state"], alert["activation"]["name"]) == ("run_failed", "open", SHOWN)


def test_slack_gets_names_where_it_interprets_nothing(failing: Activation, hook: HookServer) -> None:
    channel("slack", secrets={"url": hook.url})
    deliver(NOON)
    body = json.loads(hook.posted[0].body)
    assert not {"<!channel>", "<@U123>", "@channel"} & set(body["text"].split())
    assert {block["type"] for block in body["blocks"]} == {"header", "rich_text"}
    assert "mrkdwn" not in json.dumps(body)


def test_teams_gets_a_card_without_markdown(failing: Activation, hook: HookServer) -> None:
    channel("teams", secrets={"url": hook.url})
    deliver(NOON)
    card = json.loads(hook.posted[0].body)["attachments"][0]["content"]
    assert {part["type"] for part in card["body"]} == {"RichTextBlock"}
    texts = [run["text"] for part in card["body"] for run in part["inlines"]]
    assert f"{SHOWN} · " in texts


def test_page_that_helps_several_activations_is_linked_once(
    to_attio: Activation, companies: DataModel, mail: MailServer, hook: HookServer
) -> None:
    type(companies.source).objects.update(health="failed")
    workspace_recipients("ops@example.com")
    for kind in ("slack", "teams"):
        channel(kind, secrets={"url": hook.url})
    for activation in activations(companies, 3):
        open_warning(activation, kinds.RUN_FAILED, "The source can't be reached.", {}, NOON)
    deliver(NOON)
    (message,) = mail.messages
    parts = [str(message.get_body((kind,)).get_content()) for kind in ("plain", "html")]  # type: ignore[union-attr]
    address = f"/admin/segments/source/{companies.source_id}/change/"
    assert [part.count(address) for part in parts] == [1, 1]
    assert all(f"Sync {number}" in part for part in parts for number in (1, 2, 3))
    bodies = [posted.body.decode() for posted in hook.posted]
    assert [body.count(address) for body in bodies] == [1, 1]
    assert all(f"Sync {number}" in body for body in bodies for number in (1, 2, 3))


def test_redirect_is_not_followed(failing: Activation, hook: HookServer) -> None:
    saved = channel("slack", secrets={"url": hook.url})
    hook.answer.status, hook.answer.headers = 302, {"Location": hook.url}
    deliver(NOON)
    saved.refresh_from_db()
    assert len(hook.posted) == 1
    assert "redirects to a different address" in saved.health_message
