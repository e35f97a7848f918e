"""The key `alerts` of the workspace file: recipients, channels, their secrets and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from activations.models import AlertChannel
from dinmo.workspace import apply as applying
from dinmo.workspace import export, from_database
from dinmo.workspace.problems import Refused

pytestmark = pytest.mark.django_db
FILE = """
alerts:
  recipients: [ops@example.com, ada@example.com]
  channels:
    - {name: On call, kind: slack, url: "${SLACK_URL}", events: [held, run_failed], digest_at: "08:00"}
    - {name: Night, kind: email, recipients: [night@example.com], enabled: false}
"""
SLACK = "https://hooks.slack.com/services/T0/B0/hush-hush"


def apply(text: str, **environment: str) -> list[str]:
    def columns(*args: Any) -> Any:
        raise AssertionError

    return list(applying.apply(text, environment, columns).lines())


def test_file_creates_channels_and_applying_it_or_its_export_again_changes_nothing() -> None:
    apply(FILE, SLACK_URL=SLACK)
    found = {channel.name: channel for channel in AlertChannel.objects.all()}
    assert found["Workspace recipients"].config == {"recipients": "ops@example.com, ada@example.com"}
    assert found["Workspace recipients"].events == ["run_failed", "paused", "held", "stale", "warning"]
    assert (found["On call"].secrets, found["On call"].events) == ({"url": SLACK}, ["run_failed", "held"])
    assert (f"{found['On call'].digest_at:%H:%M}", found["Night"].enabled) == ("08:00", False)
    assert apply(FILE, SLACK_URL=SLACK)[-1] == "Nothing changed."
    exported = export.text(from_database.read())
    assert "hush-hush" not in exported
    assert '- "ada@example.com"' in exported
    assert apply(exported)[-1] == "Nothing changed."


def test_recipients_keep_what_else_a_person_set_in_the_browser() -> None:
    apply(FILE, SLACK_URL=SLACK)
    AlertChannel.objects.filter(name="Workspace recipients").update(events=["run_failed"])
    apply("alerts: {recipients: [new@example.com]}")
    channel = AlertChannel.objects.get(name="Workspace recipients")
    assert (channel.config, channel.events) == ({"recipients": "new@example.com"}, ["run_failed"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("alerts: {recipients: [ops]}", "email addresses"),
        ("alerts: {channels: [{name: A, kind: pager}]}", "no channel “pager”"),
        ("alerts: {channels: [{name: A, kind: slack}]}", "Webhook address is required"),
        ("alerts: {channels: [{name: A, kind: slack, url: hooks}]}", "must start with https://"),
        ("alerts: {channels: [{name: A, kind: slack, url: 'https://a.b', events: [oops]}]}", "no event “oops”"),
        ("alerts: {channels: [{name: A, kind: slack, url: 'https://a.b', digest_at: '8'}]}", "time of day"),
        ("alerts: {recipient: [ops@example.com]}", "recipient"),
    ],
)
def test_mistake_is_refused_in_words(text: str, words: str) -> None:
    with pytest.raises(Refused) as refused:
        apply(text)
    assert words in str(refused.value.problems[0].sentence)
    assert not AlertChannel.objects.exists()
