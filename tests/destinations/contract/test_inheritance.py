"""A new service inherits the suite by existing, and no platform goes without the shapes of its requests."""

from __future__ import annotations

from typing import Any

import pytest

from destinations.registry import platforms, samples, services
from destinations.sandbox.registry import sandboxes
from tests.destinations.contract.shapes import shapes_of, violations


def test_every_registered_service_brings_a_sample() -> None:
    assert set(samples.all) == set(services.all)


@pytest.mark.parametrize("slug", sorted(services.all))
def test_a_sample_names_what_its_simulator_has(slug: str) -> None:
    sample = samples[slug]
    sandbox = sandboxes[services[slug].platform.slug]("token")
    sandbox._switch({**sample.arrange})
    attributes = {entry["name"]: entry for entry in sandbox.collections()[sample.kind].attributes()}
    assert not attributes[sample.custom]["fixed"]
    assert {sample.text, sample.custom} <= set(sample.values)
    assert "{n}" in sample.match


@pytest.mark.parametrize("slug", sorted(platforms.all))
def test_every_platform_has_the_shapes_of_its_requests(slug: str) -> None:
    assert shapes_of(slug)


def requested(method: str, path: str, body: Any = None, **query: str) -> dict[str, Any]:
    return {"method": method, "path": path, "query": query, "body": body}


@pytest.mark.parametrize(
    ("platform", "request_"),
    [
        ("attio", requested("GET", "/v2/objects/companies/records")),
        ("attio", requested("PUT", "/v2/objects/companies/records", {"data": {"values": {"name": "Acme"}}})),
        ("attio", requested("POST", "/v2/objects/companies/records", {"data": {"values": {"name": None}}})),
        ("attio", requested("POST", "/v2/objects/companies/records", {"values": {"name": "Acme"}})),
        (
            "attio",
            requested(
                "POST",
                "/v2/objects/companies/records",
                {"data": {"values": {"primary_location": {"locality": "Paris"}}}},
            ),
        ),
        ("attio", requested("PATCH", "/v2/objects/companies/records/acme", {"data": {"values": {"name": "Acme"}}})),
        ("attio", requested("POST", "/v2/objects/companies/records/query", {"limit": 501})),
        ("intercom", requested("POST", "/companies", {"name": "Acme"})),
        ("intercom", requested("POST", "/companies", {"company_id": "1", "user_count": 2})),
        ("intercom", requested("POST", "/companies", {"company_id": "1", "plan": {"name": "Pro"}})),
        ("intercom", requested("POST", "/companies", {"company_id": "1", "custom_attributes": {"tags": ["a"]}})),
        ("intercom", requested("PUT", "/companies/acme", {"name": "Acme"})),
        ("intercom", requested("PUT", "/companies/" + "0" * 24, {"company_id": "1"})),
        ("intercom", requested("GET", "/companies", page="1")),
        ("intercom", requested("GET", "/companies/scroll")),
        ("intercom", requested("POST", "/data_attributes", {"name": "seats"})),
    ],
)
def test_a_request_that_the_vendor_does_not_document_is_found(platform: str, request_: dict[str, Any]) -> None:
    assert list(violations(shapes_of(platform), [request_]))
