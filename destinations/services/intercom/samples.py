"""Sample records with which the conformance suite tests these services."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from destinations.conformance import Attachable, Demo, Example, Sample, VendorError

_REVOKE = {"token_error": "token_revoked"}
_SETTINGS = {"region": "us"}
_LIMITED = {"rate_limit_per_window": 8, "window_seconds": 600}
_TYPES = ("string", "integer", "float", "boolean", "date")


def _error(then: Any, status: int, code: str, message: str | None, **headers: str) -> VendorError:
    """An error as Intercom's documentation and its recorded answers have it."""
    body = {"type": "error.list", "request_id": "b2i3mhcboc6pcbe33q80", "errors": [{"code": code, "message": message}]}
    return VendorError(then, status, body, {name.replace("_", "-"): value for name, value in headers.items()})


_EXCEEDED = "Exceeded rate limit of 83 in 10_seconds"
ERRORS = (
    _error("record", 400, "parameter_invalid", "Custom attribute 'contract_number' must not be nested"),
    _error("record", 400, "parameter_not_found", "email or external_id not specified"),
    _error("record", 400, "type_mismatch", "'name' is not of type string"),
    _error("record", 400, "invalid_document", None),
    _error("record", 422, "data_invalid", "The data is invalid"),
    _error("record", 422, "parameter_invalid", "email is not a valid email"),
    _error("settings", 400, "parameter_invalid", "Custom attribute 'contract_number' does not exist"),
    _error("settings", 400, "bad_request", "bad 'name' parameter"),
    _error("settings", 400, "intercom_version_invalid", "Requested resource is not available in current API version"),
    _error("settings", 401, "unauthorized", "Access Token Invalid"),
    _error("settings", 401, "token_revoked", "Access Token Invalid"),
    _error("settings", 401, "token_unauthorized", "Not authorized to access resource"),
    _error("settings", 402, "payment_required", None),
    _error("settings", 403, "api_plan_restricted", "Active subscription needed."),
    _error("settings", 403, "action_forbidden", None),
    _error("settings", 406, "media_type_not_acceptable", "The Accept header should be application/json"),
    _error("wait", 408, "request_timeout", None),
    _error("wait", 500, "server_error", "Server Error"),
    _error("wait", 503, "service_unavailable", "Sorry, the API service is temporarily unavailable"),
    _error("wait", 504, "server_timeout", None),
    _error("throttle", 429, "rate_limit_exceeded", _EXCEEDED),
    _error("throttle", 429, "rate_limit_exceeded", _EXCEEDED, Retry_After="5"),
    _error("throttle", 429, "too_many_requests", None),
    _error("daily", 429, "rate_limit_exceeded", _EXCEEDED, Retry_After="25200"),
)
"""The errors of a write. Source: Intercom's reference of error codes, and recorded answers."""


def _attributes(model: str) -> list[dict[str, Any]]:
    types = [{"name": f"one {kind}", "data_type": kind, "model": model} for kind in _TYPES]
    return [
        {"name": "contract_number", "model": model},
        *types,
        {"name": "tier", "model": model, "options": ["Gold", "Silver, old"]},
        {"name": "computed", "model": model, "api_writable": False},
    ]


_EXAMPLES = (
    Example("contract_number", "CN-778123", "CN-778123"),
    Example("contract_number", 12, "12"),
    Example("one string", "Zoë", "Zoë"),
    Example("one integer", 12, 12),
    Example("one integer", "42", 42),
    Example("one float", Decimal("2.5"), 2.5),
    Example("one float", 3.25, 3.25),
    Example("one boolean", True, True),
    Example("one boolean", "no", False),
    Example("one date", datetime(2024, 2, 29, 22, 30, tzinfo=UTC), 1709245800),
    Example("one date", date(1969, 12, 31), -86400),
    Example("tier", "gold", "Gold"),
    Example("name", "Zoë Quillfeather", "Zoë Quillfeather"),
)

_DEMO = Demo(
    "Companies to Intercom",
    {
        "model": "Demo companies",
        "insert_new": False,
        "match": {"from": "id", "to": "company_id"},
        "fields": [{"from": "name", "to": "name"}, {"from": "plan", "to": "plan"}],
        "custom_attributes": ["seats", "pitch"],
        "schedules": [{"cron": "0 7 * * 1-5", "timezone": "Europe/Paris"}],
    },
    {"companies": [{"company_id": str(number), "name": f"Company {number}"} for number in range(1, 1501)]},
)
"""Most of the companies are in Intercom already, as if a team had been using it for a while."""

SAMPLES = [
    Sample(
        slug="intercom.companies",
        kind="companies",
        match="customer-77-{n}",
        values={
            "name": "Société Générique",
            "industry": "Bakery of Zoë Quillfeather",
            "size": 12,
            "contract_number": "CN-778123",
        },
        text="industry",
        custom="contract_number",
        bad=("monthly_spend", 2**31),
        arrange={"rate_limit_per_window": 0, "data_attributes": _attributes("company")},
        revoke=_REVOKE,
        settings=_SETTINGS,
        examples=(
            *_EXAMPLES,
            Example("plan", "Pro", "Pro"),
            Example("size", 12, 12),
            Example("monthly_spend", 99, 99),
            Example("website", "https://acme.com", "https://acme.com"),
            Example("industry", "Bakery", "Bakery"),
            Example("remote_created_at", date(2024, 2, 29), 1709164800),
        ),
        errors=(*ERRORS, _error("wait", 400, "unique_company_constraint", "Company already exists.")),
        limited=_LIMITED,
        attachable=Attachable(
            {
                "contacts": [
                    {"id": "c1", "external_id": "p-77-1", "email": "one@acme.com"},
                    {"id": "c2", "email": "two@acme.com"},
                ]
            },
            ({"external_id": "p-77-1", "email": "one@acme.com"}, {"email": "two@acme.com"}),
            unknown="nobody@acme.com",
        ),
        demo=_DEMO,
        waived={
            "create_leaves_an_existing_record_as_it_is": (
                "Intercom's POST /companies updates a company that exists. Runs in insert mode look records up first."
            )
        },
    ),
    Sample(
        slug="intercom.contacts",
        kind="contacts",
        match="person-77-{n}",
        values={"name": "Zoë Quillfeather", "phone": "+33142685300", "contract_number": "CN-778123"},
        text="name",
        custom="contract_number",
        bad=("email", "quillfeather at acme.com"),
        arrange={
            "rate_limit_per_window": 0,
            "data_attributes": _attributes("contact"),
            "companies": [{"company_id": "customer-1"}],
        },
        revoke=_REVOKE,
        settings=_SETTINGS,
        examples=(
            *_EXAMPLES,
            Example("email", "Ada@acme.com", "Ada@acme.com"),
            Example("role", "user", "user"),
            Example("phone", "+33142685300", "+33142685300"),
            Example("unsubscribed_from_emails", True, True),
            Example("signed_up_at", date(2024, 2, 29), 1709164800),
            Example("owner_id", 991267459, 991267459),
            Example("company", "customer-1", ["customer-1"]),
        ),
        errors=(
            *ERRORS,
            _error("record", 400, "admin_not_found", "Admin not found"),
            _error(
                "record",
                400,
                "contact_company_limit_exceeded",
                "Contact has reached the maximum of 1000 company associations",
            ),
        ),
        limited=_LIMITED,
    ),
]
