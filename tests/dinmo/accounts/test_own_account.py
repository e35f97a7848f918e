"""A person's own account: forgotten password, profile, second factor and sessions."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client

from dinmo.accounts.own.browsers import browser_name

pytestmark = pytest.mark.django_db
PASSWORD, NEW_PASSWORD = "a-long-password", "correct-horse-battery"
FORGOTTEN = "/accounts/password/forgotten/"
PATIENCE_SECONDS = 10


@pytest.fixture
def ann() -> User:
    return User.objects.create_user("ann", "Ann@example.com", PASSWORD, is_staff=True)


@pytest.fixture
def signed_in(ann: User, visitor: Client) -> Client:
    assert sign_in(visitor).status_code == 302
    return visitor


def sign_in(browser: Client) -> Any:
    return browser.post("/admin/login/", {"username": "ann", "password": PASSWORD})


def mail_link(path: str) -> str:
    """The part after # of the link in the next email, which a thread sends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not mail.outbox and time.monotonic() < deadline:
        time.sleep(0.05)
    found = re.search(rf"http://127\.0\.0\.1:8000{path}#(\S+)", str(mail.outbox[-1].body))
    assert found
    return found[1]


def choose(token: str) -> Any:
    return Client().post(
        "/accounts/password/new/", {"token": token, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    )


def test_a_forgotten_password_is_replaced_by_a_link_that_works_once(ann: User, signed_in: Client) -> None:
    assert Client().post(FORGOTTEN, {"email": "ann@example.com"})["Location"] == "/accounts/password/sent/"
    token = mail_link("/accounts/password/new/")
    assert mail.outbox[0].to == ["ann@example.com"]
    assert choose(token)["Location"] == "/accounts/password/saved/"
    ann.refresh_from_db()
    assert ann.check_password(NEW_PASSWORD)
    assert "expired or was already used" in choose(token).content.decode()
    assert signed_in.get("/admin/").status_code == 302


@pytest.mark.parametrize("token", ["", "x", "1-x", "9-ddd-eee", "1-"])
def test_an_invented_link_is_refused(ann: User, token: str) -> None:
    assert choose(token).status_code == 200


def test_nobody_learns_which_addresses_have_accounts(ann: User) -> None:
    answers = [
        Client().post(FORGOTTEN, {"email": email}, follow=True) for email in ("ann@example.com", "x@example.com")
    ]
    mail_link("/accounts/password/new/")
    known, unknown = (re.sub(r'value="[^"]+"', "", answer.content.decode()) for answer in answers)
    assert known == unknown
    assert len(mail.outbox) == 1


def test_links_are_not_sent_without_end(ann: User) -> None:
    codes = [Client().post(FORGOTTEN, {"email": "ann@example.com"}).status_code for _ in range(6)]
    assert codes == [302] * 5 + [429]


def test_without_a_mail_server_no_link_is_logged(ann: User, settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.EMAIL_BACKEND = "dinmo.mail.LogBackend"
    assert "No mail server is configured" in Client().get(FORGOTTEN).content.decode()
    Client().post(FORGOTTEN, {"email": "ann@example.com"})
    assert "/password/new/" not in caplog.text


def test_a_person_chooses_a_time_zone_that_wins_over_the_browsers(signed_in: Client) -> None:
    signed_in.cookies["time_zone"] = "Asia/Tokyo"
    form = {"first_name": "Ann", "last_name": "Lee", "email": "Ann@example.com", "time_zone": "Europe/Paris"}
    assert signed_in.post("/accounts/profile/", form).status_code == 302
    assert User.objects.get().get_full_name() == "Ann Lee"
    assert 'value="Europe/Paris" selected' in signed_in.get("/accounts/profile/").content.decode()
    assert signed_in.session["time_zone"] == "Europe/Paris"
    again = Client(REMOTE_ADDR="192.0.2.1")
    sign_in(again)
    assert again.session["time_zone"] == "Europe/Paris"


def test_a_new_email_address_counts_once_it_is_confirmed(ann: User, signed_in: Client) -> None:
    signed_in.post("/accounts/profile/", {"email": "new@example.com", "time_zone": ""})
    assert User.objects.get().email == "Ann@example.com"
    token = mail_link("/accounts/profile/email/")
    assert mail.outbox[0].to == ["new@example.com"]
    stranger = Client()
    stranger.force_login(User.objects.create_user("bob", is_staff=True))
    stranger.post("/accounts/profile/email/", {"token": token})
    assert User.objects.filter(email="new@example.com").count() == 0
    signed_in.post("/accounts/profile/email/", {"token": token})
    assert User.objects.get(pk=ann.pk).email == "new@example.com"


def test_the_address_of_somebody_else_is_refused(ann: User, signed_in: Client) -> None:
    User.objects.create_user("bob", "Bob@example.com")
    answer = signed_in.post("/accounts/profile/", {"email": "bob@example.com", "time_zone": ""})
    assert "belongs to a different account" in answer.content.decode()


def code_of(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(yield_hotp_counters_from_time())))


def turn_on(browser: Client) -> str:
    """Turns on the authenticator app, and returns its key."""
    asked = browser.get("/accounts/two-factor/totp/activate/")
    assert asked["Location"].startswith("/accounts/reauthenticate/")
    browser.post(asked["Location"], {"password": PASSWORD})
    html = browser.get("/accounts/two-factor/totp/activate/").content.decode()
    found = re.search(r'<code class="d-code">(\w+)</code>', html)
    assert found
    assert 'src="data:image/svg+xml;base64,' in html
    answer = browser.post("/accounts/two-factor/totp/activate/", {"code": code_of(found[1])})
    assert answer.status_code == 302, answer.content.decode()
    return found[1]


def test_a_second_factor_is_asked_for_after_the_password(ann: User, signed_in: Client) -> None:
    secret = turn_on(signed_in)
    assert secret not in str(list(Authenticator.objects.values_list()))
    browser = Client(REMOTE_ADDR="192.0.2.1")
    assert sign_in(browser)["Location"] == "/accounts/two-factor/authenticate/"
    assert browser.get("/admin/").status_code == 302
    assert "Incorrect code" in browser.post("/accounts/two-factor/authenticate/", {"code": "000000"}).content.decode()
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    assert browser.post("/accounts/two-factor/authenticate/", {"code": codes[0]})["Location"] == "/admin/"
    assert browser.get("/admin/").status_code == 200
    used = Client(REMOTE_ADDR="192.0.2.1")
    sign_in(used)
    assert used.post("/accounts/two-factor/authenticate/", {"code": codes[0]}).status_code == 200


def test_wrong_codes_are_limited(ann: User, signed_in: Client) -> None:
    turn_on(signed_in)
    browser = Client(REMOTE_ADDR="192.0.2.1")
    sign_in(browser)
    answers = [browser.post("/accounts/two-factor/authenticate/", {"code": f"00000{turn}"}) for turn in range(11)]
    assert [answer.status_code for answer in answers][8:] == [200, 200, 429]
    assert "Try again in about 15 minutes" in answers[-1].content.decode()


def test_an_administrator_removes_a_lost_second_factor(ann: User, signed_in: Client) -> None:
    turn_on(signed_in)
    admin = Client()
    admin.force_login(User.objects.create_superuser("ops"))
    admin.post("/admin/auth/user/", {"action": "remove_second_factor", "_selected_action": [ann.pk]})
    assert not Authenticator.objects.exists()
    assert sign_in(Client())["Location"] == "/admin/"


def test_a_person_signs_out_of_a_browser_that_is_lost(ann: User, signed_in: Client) -> None:
    lost = Client(REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="Mozilla/5.0 (X11; Linux x86_64) Firefox/145.0")
    sign_in(lost)
    html = signed_in.get("/accounts/sessions/").content.decode()
    assert "Firefox on Linux" in html
    assert "198.51.100.7" in html
    found = re.findall(r'name="end" value="(\d+)"', html)
    signed_in.post("/accounts/sessions/", {"end": found[0]})
    assert lost.get("/admin/").status_code == 302
    assert signed_in.get("/admin/").status_code == 200


def test_nobody_ends_the_session_of_somebody_else(ann: User, signed_in: Client) -> None:
    html = signed_in.get("/accounts/sessions/").content.decode()
    other = Client(REMOTE_ADDR="192.0.2.1")
    User.objects.create_user("bob", password=PASSWORD, is_staff=True)
    other.post("/admin/login/", {"username": "bob", "password": PASSWORD})
    for which in ("others", "1", "2", "x", ""):
        other.post("/accounts/sessions/", {"end": which})
    assert "(this browser)" in html
    assert signed_in.get("/admin/").status_code == 200


@pytest.mark.parametrize("path", ["profile/", "sessions/", "two-factor/", "profile/email/"])
def test_visitors_see_no_account(path: str, visitor: Client) -> None:
    assert visitor.get(f"/accounts/{path}")["Location"].startswith("/admin/login/?next=")


def test_browsers_have_names() -> None:
    assert browser_name("Mozilla/5.0 (Windows NT 10.0) Chrome/142.0 Safari/537.36 Edg/142.0") == "Edge on Windows"
    assert browser_name("curl/8") == "Unknown browser"
