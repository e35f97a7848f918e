"""A simulator with many companies answers as fast as an empty one."""

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
    """A write of a company and a look-up of it, as our clients send them."""
    if slug == "attio":
        domain = f"size-{number}.com"
        values = {"data": {"values": {"domains": [domain], "name": "Acme"}}}
        looked_up = {"filter": {"$or": [{"domains": {"domain": {"$eq": domain}}}]}}
        path = "/v2/objects/companies/records"
        return [request("PUT", path, values, matching_attribute="domains"), request("POST", f"{path}/query", looked_up)]
    company_id = f"size-{number}"
    return [
        request("POST", "/companies", {"company_id": company_id}),
        request("GET", "/companies", company_id=company_id),
    ]


def request(method: str, path: str, body: Any = None, **query: str) -> Request:
    headers = {"authorization": "Bearer token", "content-type": "application/json"}
    return Request(method, path, query, headers, json.dumps(body).encode() if body else b"")


def typical_seconds(slug: str, sandbox: Sandbox, start: int) -> list[float]:
    """The median of each call."""
    took: list[list[float]] = [[], []]
    for number in range(start, start + CALLS):
        for spent, asked in zip(took, calls(slug, number), strict=True):
            began = time.perf_counter()
            assert sandbox.handle(asked).status == 200
            spent.append(time.perf_counter() - began)
    return [median(spent) for spent in took]


@pytest.mark.slow
@pytest.mark.parametrize("slug", sorted(UNLIMITED))
def test_writes_and_look_ups_do_not_slow_down(slug: str) -> None:
    sandbox = sandboxes[slug]("token")
    sandbox._switch({**UNLIMITED[slug]})
    empty = typical_seconds(slug, sandbox, 0)
    sandbox.fill(COMPANIES)
    full = typical_seconds(slug, sandbox, CALLS)
    # A walk through all of them would take a hundred times as long.
    assert all(after < before * 10 for before, after in zip(empty, full, strict=True)), (empty, full)
