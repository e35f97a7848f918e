"""Behind a proxy: the client's address and the person, only if the proxy is trusted."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from dinmo.accounts.proxies.addresses import client_address, networks

PROXY, STRANGER = "10.0.0.5", "192.0.2.99"
TRUSTED = networks("10.0.0.0/8, 2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (PROXY, ["203.0.113.9"], "203.0.113.9"),
        (PROXY, ["6.6.6.6", "203.0.113.9"], "203.0.113.9"),
        (PROXY, ["6.6.6.6", "203.0.113.9", "10.0.0.7"], "203.0.113.9"),
        (PROXY, ["::ffff:203.0.113.9"], "203.0.113.9"),
        (PROXY, ["not an address"], PROXY),
        (PROXY, [""], PROXY),
        ("2001:db8::1", ["2001:4860::8888"], "2001:4860::8888"),
        (STRANGER, ["203.0.113.9"], STRANGER),
    ],
)
def test_the_last_address_that_no_proxy_has_is_the_clients(peer: str, forwarded: list[str], expected: str) -> None:
    assert client_address(peer, forwarded, TRUSTED) == expected


@pytest.mark.django_db
class TestTheHeader:
    @pytest.fixture(autouse=True)
    def _ann(self, settings: Any) -> None:
        settings.TRUSTED_PROXIES, settings.PROXY_USER_HEADER = TRUSTED, "X-Forwarded-Email"
        User.objects.create_user("ann", "ann@example.com", is_staff=True)
        User.objects.create_user("bob", "bob@example.com", is_staff=True)

    def get(self, browser: Client, email: str, address: str = PROXY) -> Any:
        headers = {"X-Forwarded-Email": email} if email else {}
        return browser.get("/admin/", headers=headers, REMOTE_ADDR=address)

    def test_the_proxy_signs_somebody_in_and_out(self) -> None:
        browser = Client()
        assert self.get(browser, "Ann@example.com").status_code == 200
        assert self.get(browser, "").status_code == 302

    def test_from_a_different_address_it_does_nothing(self) -> None:
        assert self.get(Client(), "ann@example.com", STRANGER).status_code == 302

    def test_a_client_behind_the_proxy_is_no_proxy(self) -> None:
        answer = Client().get(
            "/admin/",
            headers={"X-Forwarded-Email": "ann@example.com", "X-Forwarded-For": PROXY},
            REMOTE_ADDR=STRANGER,
        )
        assert answer.status_code == 302

    def test_a_session_of_the_proxy_ends_outside_of_it(self) -> None:
        browser = Client()
        self.get(browser, "ann@example.com")
        assert self.get(browser, "ann@example.com", STRANGER).status_code == 302

    def test_a_different_person_gets_a_session_of_their_own(self) -> None:
        browser = Client()
        self.get(browser, "ann@example.com")
        assert "Account of bob" in self.get(browser, "bob@example.com").content.decode()

    @pytest.mark.parametrize("email", ["nobody@example.com", "new@example.com"])
    def test_who_has_no_access_stays_outside(self, email: str) -> None:
        User.objects.create_user("new", "new@example.com")
        assert self.get(Client(), email).status_code == 302

    def test_it_is_off_by_default(self, settings: Any) -> None:
        settings.PROXY_USER_HEADER = ""
        assert self.get(Client(), "ann@example.com").status_code == 302


@pytest.mark.django_db
def test_attempts_are_counted_by_the_clients_address_behind_a_proxy(settings: Any) -> None:
    settings.TRUSTED_PROXIES = TRUSTED
    User.objects.create_user("ann", password="a-long-password", is_staff=True)

    def attempt(client: str, password: str) -> int:
        form = {"username": "ann", "password": password}
        headers = {"X-Forwarded-For": client}
        return Client().post("/admin/login/", form, headers=headers, REMOTE_ADDR=PROXY).status_code

    assert [attempt("203.0.113.9", "wrong") for _ in range(10)][-1] == 429
    assert attempt("203.0.113.10", "a-long-password") == 302
