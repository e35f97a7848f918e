"""The first administrator, created in the browser."""

from __future__ import annotations

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from dinmo.accounts.links.setup import announce, issue
from dinmo.accounts.models import SetupToken

PASSWORD = "correct-horse-battery"


def form(token: str, **changes: str) -> dict[str, str]:
    return {
        "token": token,
        "username": "root",
        "email": "root@example.com",
        "password1": PASSWORD,
        "password2": PASSWORD,
    } | changes


@pytest.mark.django_db
def test_the_token_of_the_log_makes_the_first_administrator(caplog: pytest.LogCaptureFixture, visitor: Client) -> None:
    with caplog.at_level(logging.WARNING):
        announce()
    found = re.search(r"http://127\.0\.0\.1:8000/setup/#(\S+)", caplog.text)
    assert found
    assert visitor.get("/setup/").status_code == 200
    assert visitor.post("/setup/", form(found[1])).status_code == 302
    assert visitor.get("/admin/").status_code == 200
    user = User.objects.get()
    assert (user.username, user.is_superuser, user.check_password(PASSWORD)) == ("root", True, True)
    assert visitor.get("/setup/").status_code == 404


@pytest.mark.django_db
def test_the_database_holds_no_token() -> None:
    assert issue() not in str(list(SetupToken.objects.values_list()))


@pytest.mark.django_db
def test_a_restart_voids_the_former_token(visitor: Client) -> None:
    former, newest = issue(), issue()
    assert "Use the newest one" in visitor.post("/setup/", form(former)).content.decode()
    assert visitor.post("/setup/", form(newest)).status_code == 302


@pytest.mark.django_db
@pytest.mark.parametrize("password", ["short", "password1234", "123456789012", "root@example.com"])
def test_a_weak_password_is_refused_and_the_token_stays(visitor: Client, password: str) -> None:
    token = issue()
    assert visitor.post("/setup/", form(token, password1=password, password2=password)).status_code == 200
    assert not User.objects.exists()
    assert visitor.post("/setup/", form(token)).status_code == 302


@pytest.mark.django_db
def test_nothing_is_announced_once_somebody_has_an_account(caplog: pytest.LogCaptureFixture, visitor: Client) -> None:
    User.objects.create_user("ann")
    announce()
    assert not SetupToken.objects.exists()
    assert "administrator" not in caplog.text
    assert visitor.get("/setup/").status_code == 404


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_make_one_administrator() -> None:
    token = issue()

    def post(name: str) -> Any:
        try:
            return Client().post("/setup/", form(token, username=name, email=f"{name}@example.com")).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as people:
        codes = list(people.map(post, ["ann", "bob"]))
    assert User.objects.count() == 1
    assert codes.count(302) == 1
