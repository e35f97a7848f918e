"""The requests that Acme documents, written without looking at the client."""

from __future__ import annotations

from tests.destinations.contract.shapes import Shape, closed

TEXT = {"type": "string"}
COMPANY = closed({"company": {"type": "object"}}, "company")

SHAPES = [
    Shape("GET", "/me"),
    Shape("GET", "/companies/attributes"),
    Shape("GET", "/companies", query=closed({"external_id": TEXT}, "external_id")),
    Shape("POST", "/companies", COMPANY),
    Shape("PUT", "/companies", COMPANY),
    Shape("PATCH", "/companies/[0-9a-f]+", COMPANY),
]
