"""Signing in with a password, and the limits on wrong ones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dinmo.accounts.entrance.lockout import remaining

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
ADDRESS, OTHER_ADDRESS = "192.0.2.10", "198.51.100.7"
NOW = datetime(2026, 11, 30, tzinfo=UTC)


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "Ann@Example.com", PASSWORD, is_staff=True)


def sign_in(name: str, password: str = PASSWORD, address: str = ADDRESS, path: str = "/admin/login/") -> Any:
    return Client(REMOTE_ADDR=address).post(path, {"username": name, "password": password})


@pytest.mark.parametrize("name", ["ann", "ANN", "ann@example.com", " Ann@Example.com "])
def test_a_person_signs_in_with_a_username_or_an_email_address(ann: User, name: str) -> None:
    answer = sign_in(name)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/")
    assert answer.client.get("/admin/").status_code == 200


def test_signing_in_leads_to_the_page_that_was_asked_for(ann: User, visitor: Client) -> None:
    asked = visitor.get("/admin/auth/user/")
    assert asked["Location"] == "/admin/login/?next=/admin/auth/user/"
    answer = visitor.post(asked["Location"], {"username": "ann", "password": PASSWORD})
    assert answer["Location"] == "/admin/auth/user/"


def test_signing_in_leads_to_no_other_site(ann: User) -> None:
    assert sign_in("ann", path="/admin/login/?next=https://evil.example/")["Location"] == "/admin/"


def test_who_has_signed_in_skips_the_page(ann: User, visitor: Client) -> None:
    visitor.force_login(ann)
    assert visitor.get("/admin/login/?next=/admin/docs/")["Location"] == "/admin/docs/"


def test_a_session_without_access_is_told_so_and_not_sent_in_circles(visitor: Client) -> None:
    visitor.force_login(User.objects.create_user("new"))
    assert "use DinMo yet" in visitor.get("/admin/login/?next=/admin/").content.decode()


def test_a_blocked_account_is_told_so_only_with_its_password(ann: User) -> None:
    User.objects.update(is_active=False)
    assert "This account is blocked" in sign_in("ann").content.decode()
    assert "blocked" not in sign_in("ann", "wrong").content.decode()


def test_an_unknown_name_gets_the_same_answer_as_a_wrong_password(ann: User) -> None:
    wrong, unknown = (sign_in(name, "wrong").content.decode() for name in ("ann", "nobody"))
    for text in (wrong, unknown):
        assert "Incorrect email, username or password" in text


def test_sixty_wrong_passwords_lock_out_the_attacker_and_nobody_else(ann: User) -> None:
    names = ["ann", "ann@example.com", "ANN"]
    answers = [sign_in(names[turn % 3], f"wrong-{turn}") for turn in range(60)]
    assert [answer.status_code for answer in answers] == [200] * 9 + [429] * 51
    assert "Try again in about 15 minutes" in answers[-1].content.decode()
    assert 0 < int(answers[-1]["Retry-After"]) <= 900
    assert sign_in("ann", address=ADDRESS).status_code == 429
    assert sign_in("ann", address=OTHER_ADDRESS).status_code == 302


def test_a_locked_account_leaves_others_at_the_address_alone(ann: User) -> None:
    User.objects.create_user("bob", password=PASSWORD, is_staff=True)
    for turn in range(10):
        sign_in("ann", f"wrong-{turn}")
    assert sign_in("bob").status_code == 302


def test_signing_in_forgets_earlier_mistakes(ann: User) -> None:
    for turn in range(9):
        sign_in("ann", f"wrong-{turn}")
    assert sign_in("ann").status_code == 302
    assert [sign_in("ann", f"wrong-{turn}").status_code for turn in range(9)] == [200] * 9


def test_a_forged_header_gives_no_new_attempts(ann: User) -> None:
    for turn in range(10):
        Client(REMOTE_ADDR=ADDRESS).post(
            "/admin/login/", {"username": "ann", "password": "wrong"}, headers={"X-Forwarded-For": f"203.0.113.{turn}"}
        )
    assert sign_in("ann").status_code == 429


def test_an_address_that_asks_too_often_waits_a_minute() -> None:
    codes = [sign_in(f"name-{turn}", "wrong").status_code for turn in range(61)]
    assert (codes[59], codes[60]) == (200, 429)


def test_a_lock_ends_fifteen_minutes_after_the_last_mistake() -> None:
    lock = timedelta(minutes=15)
    assert remaining(NOW, lock, NOW + timedelta(minutes=5)) == timedelta(minutes=10)
    assert remaining(NOW, lock, NOW + timedelta(hours=5)) == timedelta(seconds=1)


def test_no_password_is_accepted_if_only_the_provider_may_sign_in(ann: User, visitor: Client, settings: Any) -> None:
    settings.PASSWORD_SIGN_IN = False
    assert 'type="password"' not in visitor.get("/admin/login/").content.decode()
    assert sign_in("ann").status_code == 403
    assert not visitor.login(username="ann", password=PASSWORD)
    assert visitor.get("/accounts/password/forgotten/").status_code == 404


def test_cookies_stay_out_of_reach_of_scripts_and_other_sites(ann: User) -> None:
    cookie = sign_in("ann").cookies["sessionid"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")


def test_nobody_signs_up(visitor: Client) -> None:
    assert visitor.get("/accounts/signup/").status_code == 404
