"""Alerts: one message for each change of state, to whoever should know, whatever fails on the way."""

from __future__ import annotations

from datetime import time, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from activations import warning_kinds as kinds
from activations.alerts import outbox, sending
from activations.alerts.record import close_warnings, open_warning
from activations.models import Activation, Alert, AlertChannel, Run, Warning
from destinations.sandbox.wire import Fault
from tests.activations.alerts.conftest import NOON, activations, channel, deliver, workspace_recipients
from tests.activations.conftest import Shop, run

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from segments.models import DataModel
    from tests.activations.alerts.receivers import HookServer, MailServer

pytestmark = pytest.mark.django_db(transaction=True)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def fail(activation: Activation, now: Any = NOON, code: str = "unavailable") -> Warning:
    return open_warning(activation, kinds.RUN_FAILED, "The source can't be reached.", {"code": code}, now)


def recover(activation: Activation, now: Any) -> None:
    close_warnings(activation, [kinds.RUN_FAILED], now)


def test_failing_run_reaches_the_workspace_once_and_one_recovery_follows(
    shop: Shop, attio: Sandbox, to_attio: Activation, mail: MailServer, settings: Any
) -> None:
    settings.ALERT_GROUP_SECONDS = 0
    workspace_recipients("ops@example.com")
    shop.fill(3)
    attio.faults.append(Fault("reply", "GET", "", status=503, times=10_000))
    for _ in range(4):
        assert run(to_attio).state == "failed"
        deliver_now()
    assert mail.subjects == ["[DinMo] Run failed: To Attio"]
    attio.faults.clear()
    for _ in range(2):
        assert run(to_attio).state == "succeeded"
        deliver_now()
    assert mail.subjects[1:] == ["[DinMo] Resolved: Run failed: To Attio"]
    assert mail.envelopes == [["ops@example.com"]] * 2


def test_activation_that_the_system_pauses_is_reported_once_and_its_failed_run_is_not(
    shop: Shop, attio: Sandbox, to_attio: Activation, mail: MailServer, settings: Any
) -> None:
    settings.ALERT_GROUP_SECONDS = 0
    workspace_recipients("ops@example.com")
    shop.fill(3)
    attio.switches.update(revoked=True)
    for _ in range(2):
        assert run(to_attio).state == "failed"
        deliver_now()
    assert mail.subjects == ["[DinMo] Paused by the system: To Attio"]
    attio.switches.update(revoked=False)
    assert run(to_attio).state == "succeeded"
    deliver_now()
    assert mail.subjects[1] == "[DinMo] Resolved: Paused by the system: To Attio"


def deliver_now() -> None:
    from django.utils import timezone  # noqa: PLC0415

    outbox.collect(timezone.now())
    sending.send(timezone.now() + timedelta(seconds=1))


def test_source_that_fails_for_forty_activations_makes_one_message(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    type(companies.source).objects.update(health="failed")
    failing = activations(companies, 40)
    for number, activation in enumerate(failing):
        # Each at a time of its own, as their schedules start them.
        now = NOON + number * 3 * MINUTE
        fail(activation, now)
        deliver(now)
    assert mail.subjects == ["[DinMo] Run failed: Sync 1"]
    assert "41 activations use this source." in text_of(mail.messages[0])
    back = NOON + 4 * HOUR
    for number, activation in enumerate(failing):
        recover(activation, back + number * MINUTE)
        deliver(back + number * MINUTE)
    assert mail.subjects[1:] == ["[DinMo] Resolved: Run failed: 40 activations"]


def test_activations_that_fail_together_are_listed_in_one_message(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    for activation in activations(companies, 40):
        fail(activation)
    deliver(NOON)
    (message,) = mail.messages
    assert message["Subject"] == "[DinMo] Run failed: 40 activations"
    assert "and 30 more activations" in text_of(message)


def test_message_waits_for_runs_that_are_about_to_read_the_same_source(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    type(companies.source).objects.update(health="failed")
    first, second = activations(companies, 2)
    live = Run.objects.create(activation=second, number=1, state="planning", trigger="schedule")
    fail(first)
    assert deliver(NOON) == 0
    Run.objects.filter(pk=live.pk).update(state="failed")
    fail(second, NOON + MINUTE)
    assert deliver(NOON + MINUTE) == 1
    assert mail.subjects == ["[DinMo] Run failed: 2 activations"]


def test_failure_for_a_new_reason_is_reported_and_one_seen_before_is_not(
    to_attio: Activation, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    for number, code in enumerate(["unavailable", "unavailable", "match_field", "unavailable", "match_field"]):
        fail(to_attio, NOON + number * HOUR, code)
        deliver(NOON + number * HOUR)
    assert len(mail.messages) == 2


def test_per_activation_recipients_get_their_activation_and_nobody_gets_two(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    mine, other = activations(companies, 2)
    Activation.objects.filter(pk=mine.pk).update(recipients=["owner@example.com", "OPS@example.com"])
    mine.refresh_from_db()
    fail(mine)
    fail(other)
    deliver(NOON)
    assert sorted(map(tuple, mail.envelopes)) == [("ops@example.com",), ("owner@example.com",)]
    owners = next(message for message in mail.messages if message["To"] == "owner@example.com")
    assert "Sync 2" not in text_of(owners)


def test_warning_is_sent_only_if_the_activation_asks_for_warnings_and_a_failure_always(
    to_attio: Activation, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    Activation.objects.update(warnings_enabled=False)
    to_attio.refresh_from_db()
    open_warning(to_attio, kinds.MISSING_ATTRIBUTE, "The attribute “plan” is gone.", {}, NOON, subject="plan")
    deliver(NOON)
    assert mail.messages == []
    fail(to_attio)
    deliver(NOON)
    assert mail.subjects == ["[DinMo] Run failed: To Attio"]


def test_channel_receives_only_the_events_that_it_lists(to_attio: Activation, hook: HookServer) -> None:
    channel("slack", secrets={"url": hook.url}, events=["held"])
    fail(to_attio)
    open_warning(to_attio, kinds.HELD, "The run would change 900 of 1,000 records.", {}, NOON)
    deliver(NOON)
    (posted,) = hook.posted
    assert b"Waiting for approval" in posted.body
    assert b"Run failed" not in posted.body


def test_channel_that_is_added_later_reports_what_is_still_open(to_attio: Activation, mail: MailServer) -> None:
    fail(to_attio)
    deliver(NOON)
    workspace_recipients("ops@example.com")
    deliver(NOON + 24 * HOUR)
    assert mail.subjects == ["[DinMo] Run failed: To Attio"]


def test_channel_that_refuses_is_retried_and_visible_until_it_accepts(to_attio: Activation, hook: HookServer) -> None:
    slack = channel("slack", secrets={"url": hook.url})
    hook.answer.status, hook.answer.body = 404, b"no_service " + hook.url.encode()
    fail(to_attio)
    outbox.collect(NOON)
    for minutes in range(1, 61):
        sending.send(NOON + minutes * MINUTE)
    slack.refresh_from_db()
    assert slack.health == "failed"
    assert "127.0.0.1 refused the message (HTTP 404). It answered: no_service" in slack.health_message
    assert "hush-hush-token" not in slack.health_message + Alert.objects.get().error
    assert 5 <= len(hook.posted) <= 7  # After 1, 2, 4, 8, 16 and 32 minutes.
    hook.answer.status = 200
    sending.send(NOON + 2 * HOUR)
    slack.refresh_from_db()
    assert (slack.health, Alert.objects.get().state) == ("ok", "sent")
    accepted = len(hook.posted)
    sending.send(NOON + 5 * HOUR)
    assert len(hook.posted) == accepted


def test_alert_that_nobody_accepts_for_a_day_is_given_up(to_attio: Activation, hook: HookServer) -> None:
    channel("slack", secrets={"url": hook.url})
    hook.answer.status = 500
    fail(to_attio)
    outbox.collect(NOON)
    for hours in range(1, 30):
        sending.send(NOON + hours * HOUR)
    alert = Alert.objects.get()
    assert (alert.state, alert.error) == ("failed", "127.0.0.1 did not accept the message (HTTP 500). It answered: ok")
    assert len(hook.posted) == 24


def test_one_channel_that_fails_never_stops_the_others(
    to_attio: Activation, hook: HookServer, mail: MailServer
) -> None:
    channel("webhook", secrets={"url": "http://127.0.0.1:9/"}, name="A")
    channel("slack", secrets={"url": hook.url}, name="B")
    workspace_recipients("ops@example.com")
    fail(to_attio)
    deliver(NOON)
    assert (len(hook.posted), len(mail.messages)) == (1, 1)
    assert AlertChannel.objects.get(name="A").health_message == "127.0.0.1 can't be reached."


def test_daily_digest_collects_messages_and_sends_them_at_its_time(to_attio: Activation, mail: MailServer) -> None:
    workspace_recipients("ops@example.com", digest_at=time(8))
    fail(to_attio)
    deliver(NOON)
    recover(to_attio, NOON + HOUR)
    open_warning(to_attio, kinds.EMPTY_SEGMENT, "The source returned no rows.", {}, NOON + HOUR)
    deliver(NOON + HOUR)
    assert mail.messages == []
    sending.send(NOON + 20 * HOUR)
    assert mail.subjects == ["[DinMo] Daily digest: 1 new, 1 resolved"]


def test_address_that_the_mail_server_refuses_is_named_and_the_others_get_their_email_once(
    to_attio: Activation, mail: MailServer
) -> None:
    workspace_recipients("gone@example.com", "ops@example.com")
    mail.refused.add("gone@example.com")
    fail(to_attio)
    deliver(NOON)
    deliver(NOON + HOUR)
    assert mail.envelopes == [["ops@example.com"]]
    assert "refused gone@example.com" in AlertChannel.objects.get().health_message


def test_alert_waits_while_email_is_not_set_up_and_is_sent_once_it_is(
    to_attio: Activation, mail: MailServer, settings: Any
) -> None:
    backend, settings.EMAIL_BACKEND = settings.EMAIL_BACKEND, "dinmo.mail.LogBackend"
    workspace_recipients("ops@example.com")
    fail(to_attio)
    deliver(NOON)
    assert "Set EMAIL_URL" in AlertChannel.objects.get().health_message
    settings.EMAIL_BACKEND = backend
    sending.send(NOON + HOUR)
    assert mail.subjects == ["[DinMo] Run failed: To Attio"]


def test_staleness_is_no_message_of_its_own_while_runs_fail(to_attio: Activation, mail: MailServer) -> None:
    workspace_recipients("ops@example.com")
    fail(to_attio)
    open_warning(to_attio, kinds.STALE, "No run has completed since yesterday.", {}, NOON)
    deliver(NOON)
    assert mail.subjects == ["[DinMo] Run failed: To Attio"]


def test_alert_that_a_killed_process_had_claimed_is_sent_by_the_next(
    to_attio: Activation, mail: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace_recipients("ops@example.com")
    fail(to_attio)
    outbox.collect(NOON)

    class Killed(BaseException):
        pass

    def kill(point: str) -> None:
        if point == "alert_claimed":
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(sending, "reach", kill)
        with pytest.raises(Killed):
            sending.send(NOON + MINUTE)
    assert sending.send(NOON + 2 * MINUTE) == 0
    assert sending.send(NOON + 7 * MINUTE) == 1
    assert len(mail.messages) == 1


def text_of(message: Any) -> str:
    return str(message.get_body(("plain",)).get_content())


def test_title_of_different_alerts_names_their_kinds(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    first, second, third = activations(companies, 3)
    for held in (first, second):
        open_warning(held, kinds.HELD, "The data has no rows now.", {}, NOON)
    open_warning(third, kinds.PAUSED, "The table is gone.", {}, NOON)
    deliver(NOON)
    assert mail.subjects == ["[DinMo] Waiting for approval (2), Paused by the system"]
    close_warnings(first, [kinds.HELD], NOON + HOUR)
    fail(to_attio, NOON + HOUR)
    deliver(NOON + HOUR)
    assert mail.subjects[1:] == ["[DinMo] Run failed; Resolved: Waiting for approval"]


def test_title_of_alerts_of_one_kind_counts_activations_once(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    for number, activation in enumerate(activations(companies, 2)):
        open_warning(activation, kinds.PAUSED, f"The table {number} is gone.", {}, NOON)
    deliver(NOON)
    assert mail.subjects == ["[DinMo] Paused by the system: 2 activations"]
    for attribute in ("tier", "plan"):
        message = f"The destination has no attribute “{attribute}”."
        open_warning(to_attio, kinds.MISSING_ATTRIBUTE, message, {}, NOON + HOUR, subject=attribute)
    deliver(NOON + HOUR)
    assert mail.subjects[1:] == ["[DinMo] Attribute missing or archived: To Attio"]


def test_alert_about_a_changed_source_links_to_its_model(
    to_attio: Activation, companies: DataModel, mail: MailServer
) -> None:
    workspace_recipients("ops@example.com")
    facts = {"cause": "configuration", "code": outbox.SOURCE_CHANGED}
    open_warning(to_attio, kinds.PAUSED, "The column “name” is gone.", facts, NOON)
    deliver(NOON)
    (message,) = mail.messages
    assert f"/admin/segments/datamodel/{companies.pk}/change/" in text_of(message)
