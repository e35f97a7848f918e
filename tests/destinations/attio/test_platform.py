"""Connecting to Attio: the workspace of a token, and the scopes that it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Problem, Unavailable
from core.parameters import clean
from destinations.contract import OpenGate, Purpose
from destinations.registry import platforms, services
from destinations.sandbox.wire import Fault
from tests.destinations.attio.conftest import TOKEN, CountingGate

if TYPE_CHECKING:
    from collections.abc import Callable

    from destinations.sandbox.http_server import Server
    from destinations.services.attio.client import Client
    from destinations.services.attio.platform import Attio
    from destinations.services.attio.sandbox.server import AttioSandbox


def test_platform_and_service_are_registered_by_slug() -> None:
    assert platforms["attio"].label == "Attio"
    assert services["attio.companies"].platform.slug == "attio"


def test_token_is_the_only_parameter_and_secret(platform: Attio) -> None:
    assert clean(platform.parameters, {"token": f" {TOKEN} "}) == ({}, {"token": TOKEN})


def test_default_address_is_the_real_one(platform: Attio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ATTIO_API_URL", raising=False)
    assert platform.url({}) == "https://api.attio.com"


def test_check_returns_the_workspace_with_one_request(platform: Attio, client: Client, gate: CountingGate) -> None:
    workspace = platform.check(client)
    assert workspace.name == "Sandbox"
    assert workspace.id
    assert workspace.facts["slug"] == "sandbox"
    assert gate.passed == [Purpose.DISCOVERY]


def test_logo_is_kept_if_there_is_one(platform: Attio, client: Client, switch: Callable[..., None]) -> None:
    switch(workspace_logo_url="https://logo", workspace_name="Acme")
    workspace = platform.check(client)
    assert (workspace.name, workspace.facts) == ("Acme", {"slug": "sandbox", "logo_url": "https://logo"})


@pytest.mark.parametrize("token", ["unknown", TOKEN + "x"])
def test_unknown_token_is_reported(platform: Attio, server: Server, token: str) -> None:
    with pytest.raises(Misconfigured) as problem:
        platform.check(platform.client({"token": token}, OpenGate(), 1))
    assert (problem.value.code, problem.value.where) == ("token_inactive", "token")
    assert token not in str(problem.value.message)


def test_revoked_token_is_reported(platform: Attio, client: Client, switch: Callable[..., None]) -> None:
    switch(revoked=True)
    with pytest.raises(Misconfigured, match="revoked"):
        platform.check(client)


@pytest.mark.parametrize(
    ("scopes", "missing", "granted"),
    [
        ("object_configuration:read", ["record_permission:read-write"], ["object_configuration:read"]),
        (
            "record_permission:read object_configuration:read-write",
            ["record_permission:read-write"],
            ["object_configuration"],
        ),
        ("record_permission:read-write", ["object_configuration:read"], ["record_permission"]),
        ("", ["record_permission:read-write", "object_configuration:read"], []),
    ],
)
def test_each_missing_scope_is_named(
    platform: Attio, client: Client, switch: Callable[..., None], scopes: str, missing: list[str], granted: list[str]
) -> None:
    switch(scopes=scopes)
    with pytest.raises(Misconfigured) as problem:
        platform.check(client)
    assert problem.value.code == "scope_missing"
    assert all(scope in problem.value.message for scope in missing)
    assert not any(scope in problem.value.message for scope in granted)


def test_read_write_includes_read(platform: Attio, client: Client, switch: Callable[..., None]) -> None:
    switch(scopes=["record_permission:read-write", "object_configuration:read-write"])
    assert platform.check(client).name == "Sandbox"


@pytest.mark.parametrize("token", ["", "   ", "two words", "Zażółć", "line\nbreak"])
def test_malformed_token_is_refused_before_any_request(platform: Attio, server: Server, token: str) -> None:
    with pytest.raises(Misconfigured) as problem:
        platform.client({"token": token}, OpenGate(), 1)
    assert problem.value.code == "token_malformed"
    assert not server.sandbox.log


@pytest.mark.parametrize("url", ["localhost:8081", "ftp://x", "http://", "http://[", "https://*.com", "nonsense"])
def test_malformed_address_is_reported(platform: Attio, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("ATTIO_API_URL", url)
    with pytest.raises(Problem) as problem:
        platform.check(platform.client({"token": TOKEN}, OpenGate(), 1))
    assert problem.value.code in ("api_url_invalid", "unreachable")


def test_refused_connection_is_unavailable_and_not_ambiguous(platform: Attio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATTIO_API_URL", "http://127.0.0.1:9")
    with pytest.raises(Unavailable) as problem:
        platform.check(platform.client({"token": TOKEN}, OpenGate(), 1))
    assert not problem.value.ambiguous


@pytest.mark.parametrize("body", ["<html>Bad gateway</html>", "", None, [], {"active": True}])
def test_answer_that_is_not_attios_is_unavailable(
    platform: Attio, client: Client, sandbox: AttioSandbox, body: object
) -> None:
    sandbox.faults.append(Fault("reply", status=200, body=body))
    with pytest.raises(Unavailable):
        platform.check(client)
