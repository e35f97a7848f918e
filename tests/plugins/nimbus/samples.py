"""Sample records for the conformance suite."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from destinations.conformance import Demo, Example, Sample, VendorError


def _error(then: Any, status: int, code: str, **headers: str) -> VendorError:
    body = {"error": {"code": code, "message": "As documented.", "field": ""}}
    return VendorError(then, status, body, {name.replace("_", "-"): value for name, value in headers.items()})


SAMPLES = [
    Sample(
        slug="nimbus.accounts",
        kind="accounts",
        match="zoe.quillfeather-{n}@acme.com",
        values={"name": "Zoë Quillfeather", "contract_number": "CN-778123", "tags": "early, gold"},
        text="name",
        custom="contract_number",
        bad=("tier", "Platinum"),
        arrange={"requests_per_window": 0, "fields": [{"name": "contract_number"}]},
        revoke={"revoked": True},
        examples=(
            Example("name", "Zoë", "Zoë"),
            Example("email", "Ada@acme.com", "ada@acme.com"),
            Example("code", "A-17", "A-17"),
            Example("seats", 12, 12),
            Example("score", Decimal("2.5"), 2.5),
            Example("score", 0.25, 0.25),
            Example("active", True, True),
            Example("active", "no", False),
            Example("founded", date(1955, 11, 5), "1955-11-05"),
            Example("seen_at", datetime(2024, 2, 29, 22, 30, tzinfo=UTC), 1709245800),
            Example("tier", "gold", "Gold"),
            Example("tags", ["a", "b"], ["a", "b"]),
        ),
        errors=(
            _error("record", 422, "value_invalid"),
            _error("record", 422, "taken"),
            _error("settings", 401, "key_refused"),
            _error("settings", 422, "field_unknown"),
            _error("settings", 422, "field_read_only"),
            _error("wait", 409, "locked"),
            _error("wait", 500, "failed"),
            _error("throttle", 429, "slow_down", Retry_After="2"),
            _error("daily", 429, "slow_down", Retry_After="25200"),
        ),
        limited={"requests_per_window": 8, "window_seconds": 600},
        skips={"skip_every": 2},
        demo=Demo(
            "Companies to Nimbus",
            {
                "model": "Demo companies",
                "match": {"from": "id", "to": "code"},
                "fields": [{"from": "name", "to": "name"}, {"from": "seats", "to": "seats"}],
            },
        ),
    )
]
