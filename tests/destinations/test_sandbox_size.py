"""A simulator with many companies is as fast as an empty one."""

from __future__ import annotations

import json
import time
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

from destinations.sandbox.registry import sandboxes
from destinations.sandbox.wire import Request

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox

COMPANIES = 10_000
CALLS = 60
UNLIMITED: dict[str, dict[str, Any]] = {
    "attio": {"reads_per_second": 0, "writes_per_second": 0},
    "intercom": {"rate_limit_per_window": 0},
}


def calls(slug: str, number: int) -> list[Request]:
    """A write and a lookup of one company, as the clients send them."""
    if slug == "attio":
        domain = f"size-{number}.com"
        values = {"data": {"values": {"domains": [domain], "name": "Acme"}}}
        lookup = {"filter": {"$or": [{"domains": {"domain": {"$eq": domain}}}]}}
        path = "/v2/objects/companies/records"
        return [request("PUT", path, values, matching_attribute="domains"), request("POST", f"{path}/query", lookup)]
    company_id = f"size-{number}"
    return [
        request("POST", "/companies", {"company_id": company_id}),
        request("GET", "/companies", company_id=company_id),
    ]


def request(method: str, path: str, body: Any = None, **query: str) -> Request:
    headers = {"authorization": "Bearer token", "content-type": "application/json"}
    return Request(method, path, query, headers, json.dumps(body).encode() if body else b"")


def typical_seconds(slug: str, sandbox: Sandbox, start: int) -> list[float]:
    """The median duration of each call."""
    durations: list[list[float]] = [[], []]
    for number in range(start, start + CALLS):
        for seconds, call in zip(durations, calls(slug, number), strict=True):
            started = time.perf_counter()
            assert sandbox.handle(call).status == 200
            seconds.append(time.perf_counter() - started)
    return [median(seconds) for seconds in durations]


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(UNLIMITED))
def test_writes_and_lookups_do_not_slow_down(slug: str) -> None:
    sandbox = sandboxes[slug]("token")
    sandbox._switch({**UNLIMITED[slug]})
    empty = typical_seconds(slug, sandbox, 0)
    sandbox.fill(COMPANIES)
    full = typical_seconds(slug, sandbox, CALLS)
    # A scan of all companies would take a hundred times as long.
    assert all(after < before * 10 for before, after in zip(empty, full, strict=True)), (empty, full)
