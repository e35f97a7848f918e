"""Sample records with which the conformance suite tests these services."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

from destinations.conformance import Example, Sample, VendorError


def _error(then: Any, status: int, code: str, field: str = "", **headers: str) -> VendorError:
    body = {"error": {"code": code, "message": "As documented.", "field": field}}
    return VendorError(then, status, body, {name.replace("_", "-"): value for name, value in headers.items()})


SAMPLES = [
    Sample(
        slug="acme.companies",
        kind="companies",
        match="record-77-{n}",
        values={"name": "Société Générique", "contract_number": "CN-778123"},
        text="name",
        custom="contract_number",
        bad=("employees", "many"),
        arrange={
            "requests_per_window": 0,
            "attributes": [{"kind": "companies", "name": "contract_number", "type": "text"}],
        },
        revoke={"revoked": True},
        limited={"requests_per_window": 8, "window_seconds": 600},
        examples=(
            Example("external_id", "77", "77"),
            Example("name", "Zoë", "Zoë"),
            Example("contract_number", 12, "12"),
            Example("employees", 12, 12),
            Example("employees", "2.5", 2.5),
            Example("customer", True, True),
            Example("signed_on", date(2024, 2, 29), "2024-02-29"),
            Example("signed_on", datetime(2024, 2, 29, 23, 30, tzinfo=UTC), "2024-02-29"),
        ),
        errors=(
            _error("record", 422, "invalid_value", "name"),
            _error("record", 409, "taken", "name"),
            _error("settings", 401, "unauthorized"),
            _error("settings", 422, "unknown_attribute", "contract_number"),
            _error("wait", 500, "internal_error"),
            _error("throttle", 429, "rate_limited", Retry_After="5"),
            _error("daily", 429, "rate_limited", Retry_After="25200"),
        ),
    )
]
