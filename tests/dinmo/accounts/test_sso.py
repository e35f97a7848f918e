"""Signing in at an identity provider, over real sockets."""

from __future__ import annotations

import re
import time
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
import requests
from django.contrib.auth.models import Group, User
from django.test import Client

from dinmo.accounts.sso.roles import governed, group_names, roles
from tests.dinmo.accounts.identity_provider import CLIENT, SECRET, Provider, new_key

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.django_db
PERSON = {
    "sub": "248289761001",
    "email": "ann@example.com",
    "email_verified": True,
    "given_name": "Ann",
    "family_name": "Lee",
    "groups": ["data-team", "everybody"],
}
FAILED = "Signing in failed"


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    running = Provider(dict(PERSON))
    app = {"provider_id": "sso", "name": "Example ID", "client_id": CLIENT, "secret": SECRET}
    app["settings"] = {"server_url": running.url, "oauth_pkce_enabled": True}  # type: ignore[assignment]
    settings.SOCIALACCOUNT_PROVIDERS = {"sso": {"APPS": [app]}}
    settings.OIDC_ISSUER, settings.OIDC_NAME = running.url, "Example ID"
    settings.OIDC_ROLES = {"data-team": "Data editors", "ops": "Data operators"}
    settings.PUBLIC_URL = "http://testserver"
    for name in ("Data editors", "Data operators", "Own choice"):
        Group.objects.create(name=name)
    yield running
    running.close()


def sign_in(visitor: Client, path: str = "/accounts/sso/") -> Any:
    """Presses the button, signs in at the provider as its person, and comes back."""
    return visitor.get(at_provider(visitor, path))


def at_provider(visitor: Client, path: str = "/accounts/sso/") -> str:
    """Where the provider sends the person back to."""
    found = re.search(r'content="0; url=([^"]+)"', visitor.post(path).content.decode())
    assert found
    return requests.get(unescape(found[1]), allow_redirects=False, timeout=10).headers["Location"]


def group_names_of(user: User) -> set[str]:
    return set(user.groups.values_list("name", flat=True))


def test_a_person_is_signed_in_with_the_role_of_their_group(provider: Provider, visitor: Client) -> None:
    assert "Sign in with Example ID" in visitor.get("/admin/login/").content.decode()
    answer = sign_in(visitor, "/accounts/sso/?next=/admin/docs/")
    assert (answer.status_code, answer["Location"]) == (302, "/admin/docs/")
    assert visitor.get("/admin/").status_code == 200
    user = User.objects.get()
    assert (user.email, user.get_full_name(), user.is_superuser) == ("ann@example.com", "Ann Lee", False)
    assert group_names_of(user) == {"Data editors"}
    assert not user.has_usable_password()


def test_roles_follow_the_groups_at_each_sign_in(provider: Provider) -> None:
    sign_in(Client())
    user = User.objects.get()
    user.groups.add(Group.objects.get(name="Own choice"))
    provider.person["groups"] = ["ops"]
    sign_in(Client())
    assert group_names_of(user) == {"Data operators", "Own choice"}


def test_a_person_without_a_known_group_is_refused(provider: Provider, visitor: Client) -> None:
    provider.person["groups"] = ["strangers"]
    answer = sign_in(visitor)
    assert answer.status_code == 403
    assert "None of your groups at the identity provider gives you a role here" in answer.content.decode()
    assert not User.objects.exists()
    assert visitor.get("/admin/").status_code == 302


def test_who_left_the_group_is_refused_and_keeps_no_role(provider: Provider, visitor: Client) -> None:
    sign_in(Client())
    provider.person["groups"] = []
    assert sign_in(visitor).status_code == 403
    assert group_names_of(User.objects.get()) == set()


def test_a_default_role_is_for_everybody_else(provider: Provider, visitor: Client, settings: Any) -> None:
    settings.OIDC_DEFAULT_ROLE = "Data operators"
    provider.person["groups"] = "strangers"
    assert sign_in(visitor).status_code == 302
    assert group_names_of(User.objects.get()) == {"Data operators"}


def test_a_role_that_does_not_exist_is_refused(provider: Provider, visitor: Client, settings: Any) -> None:
    settings.OIDC_ROLES = {"data-team": "Typo"}
    assert "does not exist here" in sign_in(visitor).content.decode()
    assert not User.objects.exists()


def test_an_existing_account_is_linked_by_a_verified_address(provider: Provider, visitor: Client) -> None:
    user = User.objects.create_user("ann", "Ann@example.com", "a-long-password", is_staff=True)
    assert sign_in(visitor).status_code == 302
    assert User.objects.get() == user
    provider.person["email"] = "married@example.com"
    assert sign_in(Client()).status_code == 302
    assert User.objects.get() == user


def test_an_existing_account_is_not_linked_by_an_address_that_may_be_false(provider: Provider, visitor: Client) -> None:
    user = User.objects.create_superuser("ann", "ann@example.com", "a-long-password")
    for said in (False, None, "true"):
        provider.person["email_verified"] = said
        answer = sign_in(visitor)
        assert answer.status_code == 403
        assert "does not say that the address is verified" in answer.content.decode()
    assert group_names_of(user) == set()


def test_a_blocked_account_is_refused(provider: Provider, visitor: Client) -> None:
    sign_in(Client())
    User.objects.update(is_active=False)
    assert sign_in(visitor)["Location"] == "/accounts/inactive/"
    assert visitor.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "forged",
    [
        {"nonce": "of-a-different-sign-in"},
        {"aud": "a-different-client"},
        {"aud": [CLIENT, "other"], "azp": "other"},
        {"iss": "https://evil.example"},
        {"exp": int(time.time()) - 3600},
        {"sub": "a-different-person"},
    ],
    ids=lambda forged: "-".join(forged),
)
def test_an_id_token_with_a_wrong_claim_is_refused(provider: Provider, visitor: Client, forged: dict[str, Any]) -> None:
    provider.forged = forged
    answer = sign_in(visitor)
    assert (answer.status_code, FAILED in answer.content.decode()) == (401, True)
    assert not User.objects.exists()


@pytest.mark.parametrize("algorithm", ["RS256", "HS256", "none"])
def test_an_id_token_with_a_wrong_signature_is_refused(provider: Provider, visitor: Client, algorithm: str) -> None:
    provider.key, provider.algorithm = new_key(), algorithm
    assert sign_in(visitor).status_code == 401
    assert not User.objects.exists()


def test_an_answer_that_nobody_asked_for_is_refused(provider: Provider, visitor: Client) -> None:
    assert visitor.get(at_provider(Client())).status_code == 401


def test_a_link_does_not_start_a_sign_in(provider: Provider, visitor: Client) -> None:
    assert "Continue" in visitor.get("/accounts/sso/").content.decode()


def test_a_provider_that_is_down_is_reported(provider: Provider, visitor: Client) -> None:
    provider.close()
    answer = visitor.post("/accounts/sso/")
    assert (answer.status_code, FAILED in answer.content.decode()) == (401, True)


def test_without_a_provider_there_is_no_such_page(visitor: Client) -> None:
    assert visitor.post("/accounts/sso/").status_code == 404


def test_groups_give_roles() -> None:
    mapping = {"data": "Editor", "ops": "Operator"}
    assert roles(["data", "ops", "x"], mapping, "Viewer") == {"Editor", "Operator"}
    assert roles(["x"], mapping, "Viewer") == {"Viewer"}
    assert roles([], mapping, "") == frozenset()
    assert governed(mapping, "Viewer") == {"Editor", "Operator", "Viewer"}
    assert governed(mapping, "") == {"Editor", "Operator"}


@pytest.mark.parametrize(("claim", "found"), [(["a", 1, "b"], ["a", "b"]), ("a", ["a"]), (None, []), ({"a": 1}, [])])
def test_providers_send_groups_in_different_shapes(claim: object, found: list[str]) -> None:
    assert group_names(claim) == found
