"""Connecting: the check call, regions, tokens, and what each refusal tells the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Unavailable
from core.parameters import clean
from destinations.contract import OpenGate, Purpose
from destinations.services.intercom.platform import PLATFORM
from tests.destinations.intercom.conftest import TOKEN, NotingGate, Vendor

if TYPE_CHECKING:
    from destinations.sandbox.wire import Reply, Request
    from destinations.services.intercom.client import IntercomClient


def test_the_check_tells_whose_workspace_it_is(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(workspace_id="abc123", workspace_name="Acme", timezone="Europe/Paris")
    workspace = PLATFORM.check(client)
    assert (workspace.id, workspace.name) == ("abc123", "Acme")
    assert workspace.facts == {"region": "US", "timezone": "Europe/Paris"}


def test_every_request_carries_token_version_and_json_headers(
    client: IntercomClient, gate: NotingGate, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Request] = []
    guard = vendor.sandbox.guard

    def noting(request: Request) -> Reply | None:
        seen.append(request)
        return guard(request)

    monkeypatch.setattr(vendor.sandbox, "guard", noting)
    PLATFORM.check(client)
    client.post({"company_id": "1"})
    for request in seen:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["intercom-version"] == "2.16"
        assert request.headers["accept"] == request.headers["content-type"] == "application/json"
    assert gate.waited == [Purpose.DISCOVERY, Purpose.DISCOVERY, Purpose.WRITE]


@pytest.mark.parametrize(
    ("region", "url"), [("us", "api.intercom.io"), ("eu", "api.eu.intercom.io"), ("au", "api.au.intercom.io")]
)
def test_each_region_has_its_own_address(region: str, url: str) -> None:
    assert PLATFORM.default_url({"region": region}) == f"https://{url}"


def test_the_region_is_us_unless_chosen() -> None:
    plain, secret = clean(PLATFORM.parameters, {"token": TOKEN})
    assert plain == {"region": "us"}
    assert secret == {"token": TOKEN}


def test_the_wrong_region_is_named(vendor: Vendor) -> None:
    vendor.switch(region="EU")
    client = PLATFORM.client({"token": TOKEN, "region": "au"}, OpenGate(), 1)
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.check(client)
    assert (caught.value.code, caught.value.where) == ("wrong_region", "region")
    assert (
        caught.value.message
        == "This workspace is in EU (Europe), the connection says AU (Australia). Choose the region EU (Europe)."
    )


def test_an_unknown_region_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(Misconfigured, match="no region 'mars'"):
        PLATFORM.client({"token": TOKEN, "region": "mars"}, OpenGate(), 1)


def test_a_refused_token_is_named_without_showing_it(vendor: Vendor) -> None:
    client = PLATFORM.client({"token": "wrong-token"}, OpenGate(), 1)
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.check(client)
    assert (caught.value.code, caught.value.where) == ("unauthorized", "token")
    assert "refused the access token" in caught.value.message
    assert "Access Token Invalid" in caught.value.message
    assert "wrong-token" not in caught.value.message + caught.value.detail


@pytest.mark.parametrize("token", ["", "   ", None])
def test_a_missing_token_is_named(token: str | None) -> None:
    with pytest.raises(Misconfigured, match="no access token"):
        PLATFORM.client({"token": token}, OpenGate(), 1)


@pytest.mark.parametrize("token", ["two words", "naïve", "line\nbreak"])
def test_what_cannot_be_a_token_is_refused_unsent(token: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.client({"token": token}, OpenGate(), 1)
    assert caught.value.code == "token_malformed"
    assert token not in caught.value.message


def test_a_plan_that_is_too_small_is_named(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(plan_restricted=True)
    with pytest.raises(
        Misconfigured, match=r"The plan of this Intercom workspace .* Active subscription needed"
    ) as caught:
        PLATFORM.check(client)
    assert caught.value.code == "api_plan_restricted"


def test_a_token_without_a_workspace_is_not_taken(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", path="/me", status=200, body={"type": "admin", "app": None})
    with pytest.raises(Unavailable, match="which workspace"):
        PLATFORM.check(client)


def test_an_unreachable_address_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_API_URL", "http://127.0.0.1:1")
    with pytest.raises(Unavailable) as caught:
        PLATFORM.check(PLATFORM.client({"token": TOKEN}, OpenGate(), 1))
    assert caught.value.code == "unreachable"


def test_a_malformed_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_API_URL", "nonsense")
    with pytest.raises(Misconfigured, match="Check INTERCOM_API_URL"):
        PLATFORM.check(PLATFORM.client({"token": TOKEN}, OpenGate(), 1))


@pytest.mark.parametrize("scope", ["Read one admin", "Read and list users and companies"])
def test_a_permission_to_read_that_the_token_lacks_is_named(client: IntercomClient, vendor: Vendor, scope: str) -> None:
    vendor.switch(missing_scopes=[scope])
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.check(client)
    assert (caught.value.code, caught.value.where) == ("token_unauthorized", "token")
    assert f"lacks the permission “{scope}”" in caught.value.message
