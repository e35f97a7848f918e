"""The suite covers every new service automatically, and every platform has request shapes."""

from __future__ import annotations

from typing import Any

import pytest

from destinations.registry import platforms, samples, services
from tests.destinations.contract.shapes import shapes_of, violations


def test_every_registered_service_has_a_sample() -> None:
    assert set(samples.all) == set(services.all)


@pytest.mark.parametrize("slug", sorted(platforms.all))
def test_every_platform_has_request_shapes(slug: str) -> None:
    assert shapes_of(slug)


def logged(method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
    return {"method": method, "path": path, "query": query, "body": body}


@pytest.mark.parametrize(
    ("platform", "request_"),
    [
        ("attio", logged("GET", "/v2/objects/companies/records")),
        ("attio", logged("PUT", "/v2/objects/companies/records", {"data": {"values": {"name": "Acme"}}})),
        ("attio", logged("POST", "/v2/objects/companies/records", {"data": {"values": {"name": None}}})),
        ("attio", logged("POST", "/v2/objects/companies/records", {"values": {"name": "Acme"}})),
        (
            "attio",
            logged(
                "POST",
                "/v2/objects/companies/records",
                {"data": {"values": {"primary_location": {"locality": "Paris"}}}},
            ),
        ),
        ("attio", logged("PATCH", "/v2/objects/companies/records/acme", {"data": {"values": {"name": "Acme"}}})),
        ("attio", logged("POST", "/v2/objects/companies/records/query", {"limit": 501})),
        ("intercom", logged("POST", "/companies", {"name": "Acme"})),
        ("intercom", logged("POST", "/companies", {"company_id": "1", "user_count": 2})),
        ("intercom", logged("POST", "/companies", {"company_id": "1", "plan": {"name": "Pro"}})),
        ("intercom", logged("POST", "/companies", {"company_id": "1", "custom_attributes": {"tags": ["a"]}})),
        ("intercom", logged("PUT", "/companies/acme", {"name": "Acme"})),
        ("intercom", logged("PUT", "/companies/" + "0" * 24, {"company_id": "1"})),
        ("intercom", logged("GET", "/companies", page="1")),
        ("intercom", logged("GET", "/companies/scroll")),
        ("intercom", logged("POST", "/data_attributes", {"name": "seats"})),
    ],
)
def test_undocumented_request_is_reported(platform: str, request_: dict[str, Any]) -> None:
    assert list(violations(shapes_of(platform), [request_]))
