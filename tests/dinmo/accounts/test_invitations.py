"""Invitations: sent by email, or shown once; used once, withdrawn, sent again, expired."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.test import Client
from django.utils import timezone

from dinmo.accounts.models import Invitation

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-battery"
LIST = "/admin/accounts/invitation/"


@pytest.fixture
def admin() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops"))
    return browser


def invite(admin: Client, email: str = "Bob@Example.com", role: Any = "") -> Any:
    return admin.post(f"{LIST}add/", {"email": email, "role": role})


def sent_token() -> str:
    found = re.search(r"http://127\.0\.0\.1:8000/accounts/invitation/#(\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def accept(visitor: Client, token: str) -> Any:
    form = {"token": token, "first_name": "Bob", "last_name": "Ray", "password1": PASSWORD, "password2": PASSWORD}
    return visitor.post("/accounts/invitation/", form)


def test_an_invited_person_has_an_account_with_the_role(admin: Client, visitor: Client) -> None:
    role = Group.objects.create(name="Marketing")
    assert invite(admin, role=role.pk).status_code == 302
    assert mail.outbox[0].to == ["bob@example.com"]
    assert "choose a password" in visitor.get("/accounts/invitation/").content.decode().lower()
    assert accept(visitor, sent_token()).status_code == 302
    assert visitor.get("/admin/").status_code == 200
    user = User.objects.get(email="bob@example.com")
    assert (user.get_full_name(), list(user.groups.all()), user.is_superuser) == ("Bob Ray", [role], False)


def test_a_link_works_once(admin: Client, visitor: Client) -> None:
    invite(admin)
    accept(Client(), sent_token())
    assert "This invitation is no longer valid" in accept(visitor, sent_token()).content.decode()
    assert not Invitation.objects.exists()


def test_an_expired_link_is_refused_until_it_is_sent_again(admin: Client, visitor: Client) -> None:
    invite(admin)
    former = sent_token()
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert accept(visitor, former).status_code == 200
    assert "Expired" in admin.get(LIST).content.decode()
    admin.post(LIST, {"action": "send_again", "_selected_action": [Invitation.objects.get().pk]})
    assert accept(visitor, former).status_code == 200
    assert accept(visitor, sent_token()).status_code == 302


def test_a_withdrawn_link_is_refused(admin: Client, visitor: Client) -> None:
    invite(admin)
    admin.post(LIST, {"action": "withdraw", "_selected_action": [Invitation.objects.get().pk]})
    assert accept(visitor, sent_token()).status_code == 200
    assert not User.objects.filter(email="bob@example.com").exists()


def test_without_a_mail_server_the_link_is_shown_once(admin: Client, visitor: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "dinmo.mail.LogBackend"
    shown = re.search(r"/accounts/invitation/#([\w-]+)", invite(admin).content.decode())
    assert shown
    assert shown[1] not in admin.get(LIST).content.decode()
    assert shown[1] not in str(list(Invitation.objects.values_list()))
    assert accept(visitor, shown[1]).status_code == 302


def test_who_has_an_account_is_not_invited(admin: Client) -> None:
    User.objects.create_user("bob", "BOB@example.com")
    assert "with this email address already exists" in invite(admin).content.decode()


def test_only_people_with_the_right_invite(visitor: Client) -> None:
    visitor.force_login(User.objects.create_user("viewer", is_staff=True))
    assert visitor.get(f"{LIST}add/").status_code == 403
    assert visitor.get(LIST).status_code == 403
