"""Actors in the audit log: users on screens and in the API, trigger tokens, commands and the system."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from threading import Thread
from time import sleep
from typing import TYPE_CHECKING, Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from activations.alerts import record
from activations.guards import decide
from activations.models import Activation, HeldPlan, Run, Warning
from activations.runs import requests, tokens
from core import audit
from core.audit import SYSTEM, Actor, Kind, Verb, acting_as, recording
from core.errors import Misconfigured
from dinmo.accounts.models import Invitation
from dinmo.audit.models import AuditEntry
from segments.models import Segment

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.django_db
Entries = Callable[[], list[AuditEntry]]
PASSWORD = "a-long-password"


def who(entry: AuditEntry) -> tuple[str, str, str]:
    return (entry.actor_kind, entry.actor_label, entry.verb)


def finish(activation: Activation) -> None:
    """Ends the runs of an activation, so that the next one can start."""
    Run.objects.filter(activation=activation).update(state="succeeded")


def test_a_form_is_one_entry_of_the_person_with_the_address(
    staff: Client, activation: Activation, since: Entries
) -> None:
    since()
    segment = Segment.objects.get()
    page = f"/admin/segments/segment/{segment.pk}/change/"
    values = {"name": "Français", "where": "{}", "limit": "{}", "description": "By country", "tags": "eu, fr"}
    assert staff.post(page, values, REMOTE_ADDR="203.0.113.9").status_code == 302
    (entry,) = since()
    assert who(entry) == ("person", "ops", "changed")
    assert (entry.address, entry.actor_id) == ("203.0.113.9", User.objects.get().pk)
    assert set(entry.changes) == {"Name", "Description", "Tags"}
    assert entry.object_name == "Français"


def test_a_request_has_the_id_of_its_answer(staff: Client, activation: Activation, since: Entries) -> None:
    since()
    answer = staff.post(f"/admin/activations/activation/{activation.pk}/do/pause/")
    assert [entry.request for entry in since()] == [answer["X-Request-ID"]]


def test_a_form_that_is_refused_leaves_no_entry(staff: Client, activation: Activation, since: Entries) -> None:
    since()
    page = f"/admin/segments/segment/{Segment.objects.get().pk}/change/"
    assert staff.post(page, {"name": "", "where": "{}", "limit": "{}"}).status_code == 200
    assert since() == []


def test_an_account_with_its_groups_is_one_entry(staff: Client, since: Entries) -> None:
    group = Group.objects.create(name="Operators")
    user = User.objects.create_user("ada", is_staff=True)
    since()
    values = {"username": "ada", "first_name": "Ada", "is_active": "on", "is_staff": "on", "groups": [group.pk]}
    assert staff.post(f"/admin/auth/user/{user.pk}/change/", values).status_code == 302
    (entry,) = since()
    assert (entry.object_name, entry.changes) == ("ada", {"First name": ["", "Ada"], "Groups": ["", "Operators"]})


def test_buttons_of_an_activation(staff: Client, activation: Activation, since: Entries) -> None:
    Run.objects.all().delete()
    page = f"/admin/activations/activation/{activation.pk}/do"
    since()
    staff.post(f"{page}/run/")
    run = Run.objects.get()
    staff.post(f"/admin/activations/run/{run.pk}/do/cancel/")
    staff.post(f"{page}/pause/")
    staff.post(f"{page}/resume/")
    staff.post(f"{page}/duplicate/")
    found = since()
    assert [who(entry) for entry in found] == [
        ("person", "ops", verb) for verb in ("ran", "cancelled", "paused", "resumed", "created")
    ]
    assert [entry.run for entry in found][:2] == [run.pk, run.pk]
    assert len({entry.request for entry in found}) == 5


def test_api_of_a_person(staff: Client, activation: Activation, since: Entries) -> None:
    Run.objects.all().delete()
    since()
    assert staff.post(f"/api/activations/{activation.pk}/runs/", {"full": True}, "application/json").status_code == 202
    warning = Warning.objects.create(
        activation=activation, kind="empty_segment", message="No rows", opened_at=timezone.now()
    )
    assert staff.post(f"/api/warnings/{warning.pk}/acknowledge/").status_code == 200
    found = since()
    assert [who(entry) for entry in found] == [("person", "ops", "ran"), ("person", "ops", "acknowledged")]
    assert found[0].changes["Kind"] == ["", "Full"]
    assert found[1].object_id == activation.pk


def test_a_trigger_token_starts_a_run(activation: Activation, since: Entries) -> None:
    Run.objects.all().delete()
    token, secret = tokens.create(activation, "dbt", "ada")
    since()
    answer = Client().post("/api/trigger/", HTTP_AUTHORIZATION=f"Bearer {secret}", content_type="application/json")
    assert answer.status_code == 202, answer.content
    (entry,) = since()
    assert who(entry) == ("token", "dbt", "ran")
    assert entry.actor_id == token.pk


def test_commands_act_as_the_user_of_the_operating_system(
    activation: Activation, since: Entries, tmp_path: Path
) -> None:
    since()
    call_command("pauses", resume=activation.name)
    activation.paused = True
    activation.save()
    since()
    call_command("pauses", resume=activation.name)
    call_command("tokens", "create", activation.name, "dbt")
    call_command("export", str(tmp_path / "workspace.yaml"))
    user = getpass.getuser()
    assert [who(entry) for entry in since()] == [
        ("command", f"{user} (manage.py pauses)", "resumed"),
        ("command", f"{user} (manage.py tokens)", "changed"),
        ("command", f"{user} (manage.py export)", "exported"),
    ]


def test_applying_a_workspace_file_is_an_entry_for_each_object(
    activation: Activation, since: Entries, tmp_path: Path
) -> None:
    file = tmp_path / "workspace.yaml"
    file.write_text(
        "segments:\n  - {name: Big, model: Companies, where: {}, description: The big ones}\n"
        "  - {name: French, model: Companies, where: {}, tags: [eu, fr]}\n"
    )
    since()
    call_command("apply", str(file), no_test=True)
    found = since()
    assert [(entry.actor_kind, entry.verb, entry.object_name) for entry in found] == [
        ("command", "created", "Big"),
        ("command", "changed", "French"),
    ]
    assert len({entry.request for entry in found}) == 1


def test_a_decision_about_a_held_run(activation: Activation, since: Entries, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run.objects.get()
    since()
    monkeypatch.setattr("activations.guards.held.check", lambda *_: None)
    HeldPlan.objects.create(run=run, displaced=b"", made_from={})
    for decision, verb in ((decide.approve, "approved"), (decide.discard, "discarded")):
        Run.objects.filter(pk=run.pk).update(state="held")
        with acting_as(Actor(Kind.PERSON, "ada", 7)):
            decision(run, "ada", enqueue=False)
        (entry,) = since()
        assert (who(entry), entry.run) == (("person", "ada", verb), run.pk)


def test_runs_of_schedules_are_listed_among_the_runs_alone(activation: Activation, since: Entries) -> None:
    Run.objects.all().delete()
    since()
    requests.request(activation, Run.Trigger.SCHEDULE, enqueue=False)
    assert since() == []


def test_the_system_is_the_actor_by_default(activation: Activation, since: Entries) -> None:
    since()
    activation.mode = "update"
    activation.save()
    (entry,) = since()
    assert who(entry) == ("system", "DinMo", "changed")


def test_signing_in_and_out(since: Entries) -> None:
    User.objects.create_superuser("ada", password=PASSWORD)
    since()
    browser = Client()
    browser.post("/admin/login/", {"username": "ada", "password": PASSWORD}, REMOTE_ADDR="203.0.113.9")
    browser.post("/admin/logout/")
    found = since()
    assert [who(entry) for entry in found] == [("person", "ada", "signed in"), ("person", "ada", "signed out")]
    assert found[0].address == "203.0.113.9"


def test_invitations_are_recorded_without_their_link(staff: Client, since: Entries) -> None:
    group = Group.objects.create(name="Guests")
    since()
    staff.post("/admin/accounts/invitation/add/", {"email": "eve@example.com", "role": group.pk})
    invitation = Invitation.objects.get()
    staff.post("/admin/accounts/invitation/", {"action": "withdraw", "_selected_action": invitation.pk, "index": 0})
    found = since()
    assert [(*who(entry), entry.object_name) for entry in found] == [
        ("person", "ops", "invited", "eve@example.com"),
        ("person", "ops", "deleted", "eve@example.com"),
    ]
    assert found[0].changes == {"Role": ["", "Guests"]}
    assert staff.get(f"/admin/audit/auditentry/{found[0].pk}/change/").status_code == 200


def test_two_factor_authentication_of_an_account(since: Entries) -> None:
    user = User.objects.create_user("ada")
    since()
    factor = Authenticator(user=user, type=Authenticator.Type.TOTP, data={"secret": "planted"})
    for signal in (authenticator_added, authenticator_removed):
        signal.send(Authenticator, request=None, user=user, authenticator=factor)
    found = since()
    assert [entry.changes for entry in found] == [
        {"Two-factor authentication": ["", "TOTP Authenticator"]},
        {"Two-factor authentication": ["TOTP Authenticator", ""]},
    ]


def test_a_failed_sign_in_names_an_account_and_never_what_was_typed(since: Entries) -> None:
    User.objects.create_superuser("ada", password=PASSWORD)
    since()
    Client().post("/admin/login/", {"username": "ada", "password": "wrong-password"})
    Client().post("/admin/login/", {"username": "my-password-by-mistake", "password": "ada"})
    found = since()
    assert [who(entry) for entry in found] == [
        ("person", "ada", "sign-in failed"),
        ("person", "Unknown account", "sign-in failed"),
    ]
    assert "mistake" not in str([vars(entry) for entry in found])


def test_acknowledged_once(activation: Activation, since: Entries) -> None:
    since()
    for _ in range(2):
        record.acknowledge(Warning.objects.all(), "ada", timezone.now())
    assert [entry.verb for entry in since()] == ["acknowledged"]


def test_identifying_ends_with_the_block() -> None:
    with acting_as(SYSTEM):
        audit.identify(Actor(Kind.TOKEN, "dbt"))
        assert audit.actor().label == "dbt"
    assert audit.actor() == SYSTEM
    audit.identify(Actor(Kind.TOKEN, "dbt"))
    assert audit.actor() == SYSTEM


@pytest.mark.django_db(transaction=True)
def test_people_who_act_at_the_same_time_are_told_apart(activation: Activation) -> None:
    def act(name: str) -> None:
        with acting_as(Actor(Kind.PERSON, name)):
            for number in range(5):
                segment = Segment.objects.create(name=f"{name} {number}", model=activation.data_model)
                audit.announce(Verb.EXPORTED, segment)
        connection.close()

    threads = [Thread(target=act, args=[name]) for name in ("ada", "bob", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for name in ("ada", "bob", "eve"):
        mine = AuditEntry.objects.filter(actor_label=name)
        assert mine.count() == 10
        assert all(entry.object_name.startswith(name) for entry in mine)


@pytest.mark.django_db(transaction=True)
def test_two_changes_of_one_object_at_the_same_time_are_told_apart(activation: Activation) -> None:
    def change(name: str, **values: Any) -> None:
        with acting_as(Actor(Kind.PERSON, name)), recording(activation):
            # Without a lock, the other change would be made meanwhile.
            sleep(0.2)
            row = Activation.objects.get(pk=activation.pk)
            for field, value in values.items():
                setattr(row, field, value)
            row.save(update_fields=list(values))
        connection.close()

    threads = [
        Thread(target=change, args=["ada"], kwargs={"mode": "update"}),
        Thread(target=change, args=["bob"], kwargs={"hold_empty": False}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    changed = {entry.actor_label: set(entry.changes) for entry in AuditEntry.objects.filter(verb="changed")}
    assert {name: changed[name] for name in ("ada", "bob")} == {"ada": {"Mode"}, "bob": {"Guard: no rows"}}


def test_approving_a_run_that_is_not_held_leaves_no_entry(activation: Activation, since: Entries) -> None:
    since()
    with pytest.raises(Misconfigured, match="does not wait"):
        decide.approve(Run.objects.get(), "ada", enqueue=False)
    assert since() == []
