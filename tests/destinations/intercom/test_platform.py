"""Connecting: the token check, regions, tokens, and the message for each problem."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Unavailable
from core.parameters import clean
from destinations.contract import OpenGate, Purpose
from destinations.services.intercom.platform import PLATFORM
from tests.destinations.intercom.conftest import TOKEN, RecordingGate, Vendor

if TYPE_CHECKING:
    from destinations.sandbox.wire import Reply, Request
    from destinations.services.intercom.client import IntercomClient


def test_check_returns_the_workspace(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(workspace_id="abc123", workspace_name="Acme", timezone="Europe/Paris")
    workspace = PLATFORM.check(client)
    assert (workspace.id, workspace.name) == ("abc123", "Acme")
    assert workspace.facts == {"region": "US", "timezone": "Europe/Paris"}


def test_every_request_has_token_version_and_json_headers(
    client: IntercomClient, gate: RecordingGate, vendor: Vendor, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[Request] = []
    guard = vendor.sandbox.guard

    def recording_guard(request: Request) -> Reply | None:
        received.append(request)
        return guard(request)

    monkeypatch.setattr(vendor.sandbox, "guard", recording_guard)
    PLATFORM.check(client)
    client.post({"company_id": "1"})
    for request in received:
        assert request.headers["authorization"] == f"Bearer {TOKEN}"
        assert request.headers["intercom-version"] == "2.16"
        assert request.headers["accept"] == request.headers["content-type"] == "application/json"
    assert gate.waited == [Purpose.DISCOVERY, Purpose.DISCOVERY, Purpose.WRITE]


@pytest.mark.parametrize(
    ("region", "url"), [("us", "api.intercom.io"), ("eu", "api.eu.intercom.io"), ("au", "api.au.intercom.io")]
)
def test_each_region_has_its_own_address(region: str, url: str) -> None:
    assert PLATFORM.default_url({"region": region}) == f"https://{url}"


def test_region_defaults_to_us() -> None:
    plain, secret = clean(PLATFORM.parameters, {"token": TOKEN})
    assert plain == {"region": "us"}
    assert secret == {"token": TOKEN}


def test_wrong_region_is_named(vendor: Vendor) -> None:
    vendor.switch(region="EU")
    client = PLATFORM.client({"token": TOKEN, "region": "au"}, OpenGate(), 1)
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.check(client)
    assert (caught.value.code, caught.value.where) == ("wrong_region", "region")
    assert caught.value.message == (
        "This workspace is in EU (Europe), but the connection is set to AU (Australia). "
        "Change the region to EU (Europe)."
    )


def test_unknown_region_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(Misconfigured, match="“mars” is not a valid Intercom region"):
        PLATFORM.client({"token": TOKEN, "region": "mars"}, OpenGate(), 1)


def test_rejected_token_is_reported_without_showing_it(vendor: Vendor) -> None:
    client = PLATFORM.client({"token": "wrong-token"}, OpenGate(), 1)
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.check(client)
    assert (caught.value.code, caught.value.where) == ("unauthorized", "token")
    assert "rejected the access token" in caught.value.message
    assert "Access Token Invalid" in caught.value.message
    assert "wrong-token" not in caught.value.message + caught.value.detail


@pytest.mark.parametrize("token", ["", "   ", None])
def test_missing_token_is_reported(token: str | None) -> None:
    with pytest.raises(Misconfigured, match="no access token"):
        PLATFORM.client({"token": token}, OpenGate(), 1)


@pytest.mark.parametrize("token", ["two words", "naïve", "line\nbreak"])
def test_malformed_token_is_refused_before_anything_is_sent(token: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.client({"token": token}, OpenGate(), 1)
    assert caught.value.code == "token_malformed"
    assert token not in caught.value.message


def test_insufficient_plan_is_reported(client: IntercomClient, vendor: Vendor) -> None:
    vendor.switch(plan_restricted=True)
    with pytest.raises(
        Misconfigured, match=r"The plan of this Intercom workspace .* Active subscription needed"
    ) as caught:
        PLATFORM.check(client)
    assert caught.value.code == "api_plan_restricted"


def test_token_without_a_workspace_is_unavailable(client: IntercomClient, vendor: Vendor) -> None:
    vendor.fail(action="reply", path="/me", status=200, body={"type": "admin", "app": None})
    with pytest.raises(Unavailable, match="did not return the workspace"):
        PLATFORM.check(client)


def test_unreachable_address_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_API_URL", "http://127.0.0.1:1")
    with pytest.raises(Unavailable) as caught:
        PLATFORM.check(PLATFORM.client({"token": TOKEN}, OpenGate(), 1))
    assert caught.value.code == "unreachable"


def test_malformed_address_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERCOM_API_URL", "nonsense")
    with pytest.raises(Misconfigured, match="Check INTERCOM_API_URL"):
        PLATFORM.check(PLATFORM.client({"token": TOKEN}, OpenGate(), 1))


@pytest.mark.parametrize("scope", ["Read one admin", "Read and list users and companies"])
def test_missing_read_permission_is_named(client: IntercomClient, vendor: Vendor, scope: str) -> None:
    vendor.switch(missing_scopes=[scope])
    with pytest.raises(Misconfigured) as caught:
        PLATFORM.check(client)
    assert (caught.value.code, caught.value.where) == ("token_unauthorized", "token")
    assert f"lacks the permission “{scope}”" in caught.value.message
