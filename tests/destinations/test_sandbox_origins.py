"""A simulator refuses requests that a page of a different site sends through a browser on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(params=sorted(sandboxes.all))
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    with Server(sandboxes[request.param]("token")) as server:
        yield server.url


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
    ],
)
@pytest.mark.parametrize("path", ["/_sandbox/reset", "/v2/objects"])
def test_request_of_a_different_site_is_refused(url: str, path: str, headers: dict[str, str]) -> None:
    assert requests.post(url + path, json={}, headers=headers, timeout=10).status_code == 403


def test_own_page_and_programs_are_answered(url: str) -> None:
    for headers in ({}, {"Origin": url}):
        assert requests.get(f"{url}/_sandbox/state", headers=headers, timeout=10).status_code == 200
