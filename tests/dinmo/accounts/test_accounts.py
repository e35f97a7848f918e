"""Accounts: plain words for what they may do, and a clear message for those who may not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"


@pytest.fixture
def ops() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ops", password=PASSWORD))
    return browser


def sign_in(name: str, password: str = PASSWORD) -> Any:
    return Client().post("/admin/login/", {"username": name, "password": password})


def test_somebody_without_access_learns_who_can_give_it() -> None:
    User.objects.create_user("new", password=PASSWORD)
    assert "This account can&#x27;t use DinMo yet. Ask an administrator" in sign_in("new").content.decode()
    assert "use DinMo" not in sign_in("new", "a-wrong-password").content.decode()


def test_the_page_of_an_account_has_plain_words_and_no_hash(ops: Client) -> None:
    html = ops.get(f"/admin/auth/user/{User.objects.get().pk}/change/").content.decode()
    assert re.search(r"<legend>Sources</legend>\s*<label[^>]*><input[^>]*> View</label>", html)
    assert "Can use DinMo" in html
    for word in ("pbkdf2", "salt", "Can add", "Staff status", "bundle"):
        assert word not in html, word


def test_saving_an_account_keeps_rights_that_no_screen_is_about(ops: Client) -> None:
    user = User.objects.create_user("seller", is_staff=True)
    kept = Permission.objects.get(codename="add_logentry")
    user.user_permissions.add(kept)
    seen = Permission.objects.get(codename="view_source")
    page = f"/admin/auth/user/{user.pk}/change/"
    ticked = re.findall(r'name="user_permissions" value="(\d+)"[^>]*checked', ops.get(page).content.decode())
    assert ticked == [str(kept.pk)]
    answer = ops.post(
        page, {"username": "seller", "is_active": "on", "is_staff": "on", "user_permissions": [kept.pk, seen.pk]}
    )
    assert answer.status_code == 302, answer.content.decode()
    assert set(user.user_permissions.all()) == {kept, seen}


def test_a_new_account_may_sign_in(ops: Client) -> None:
    assert re.search(r'name="is_staff"[^>]*checked', ops.get("/admin/auth/user/add/").content.decode())
    values = {"username": "ann", "usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}
    ops.post("/admin/auth/user/add/", {**values, "is_staff": "on"})
    assert sign_in("ann").status_code == 302


def test_a_group_gives_its_rights(ops: Client) -> None:
    seen = Permission.objects.get(codename="view_source")
    ops.post("/admin/auth/group/add/", {"name": "Marketing", "permissions": [seen.pk]})
    assert list(Group.objects.get(name="Marketing").permissions.all()) == [seen]


def test_signing_out_says_that_runs_go_on(ops: Client) -> None:
    html = ops.post("/admin/logout/").content.decode()
    assert "Your runs go on" in html
    assert "quality time" not in html
