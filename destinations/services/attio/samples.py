"""Sample records with which the conformance suite tests these services."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from destinations.conformance import Demo, Example, Sample, VendorError

_FREE = {"reads_per_second": 0, "writes_per_second": 0}
_REVOKE = {"revoked": True}
_TYPES = ("text", "number", "checkbox", "timestamp", "rating", "currency", "date")
_LISTS = ("email-address", "phone-number", "select", "number", "text")


def _error(then: Any, status: int, code: str, message: str, **headers: str) -> VendorError:
    """An error as Attio's documentation and its recorded answers have it."""
    kind = {401: "auth_error", 403: "auth_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
    body = {"status_code": status, "type": kind, "code": code, "message": message}
    return VendorError(then, status, body, {name.replace("_", "-"): value for name, value in headers.items()})


_INVALID = 'An invalid value was passed to attribute with slug "name".'
_UNIQUE = (
    'A value provided for attribute with slug "name" conflicts with one already in the system. This attribute has a '
    "uniqueness constraint."
)
_RETRY = "Rate limit exceeded, please try again later"
ERRORS = (
    _error("record", 400, "validation_type", _INVALID),
    _error("record", 400, "value_not_found", 'Cannot find select option with title "Gold".'),
    _error("record", 400, "uniqueness_conflict", _UNIQUE),
    _error("record", 400, "duplicate_values", "Duplicate values were passed."),
    _error("record", 400, "missing_value", 'Required value for attribute with ID "d2a81a0e" was not provided.'),
    _error("record", 400, "multiple_match_results", "More than one record matches."),
    _error("record", 400, "multiple_values_for_single_value_attribute", "Multiple values were passed."),
    _error("settings", 400, "value_not_found", 'Cannot find attribute with slug/ID "name".'),
    _error("settings", 400, "system_edit_unauthorized", 'The attribute with slug "name" cannot be edited.'),
    _error("settings", 400, "formula_edit_unauthorized", 'The attribute with slug "name" cannot be edited.'),
    _error("settings", 400, "immutable_value", 'The attribute with slug "name" cannot be edited.'),
    _error("settings", 400, "matching_attribute_definition_not_unique", "The matching attribute is not unique."),
    _error("settings", 400, "standard_object_disabled", "This object is disabled."),
    _error("settings", 400, "particle_gate_violation", "Not available on this plan."),
    _error("settings", 400, "quota_exceeded", "The workspace holds as many records as its plan allows."),
    _error("settings", 401, "unauthorized", "The access token is not valid."),
    _error("settings", 403, "unauthorized", 'The access token is missing the scope "record_permission:read-write".'),
    _error("settings", 403, "billing_error", "Payment is required."),
    _error("settings", 404, "not_found", 'Object with slug/ID "companies" not found.'),
    _error("wait", 400, "merge_in_progress", "The record is being merged."),
    _error("wait", 409, "concurrent_write_conflict", "The record is being changed by another request. Try again."),
    _error("wait", 500, "internal_error", "Something went wrong."),
    _error("throttle", 429, "rate_limit_exceeded", _RETRY),
    _error("throttle", 429, "rate_limit_exceeded", _RETRY, Retry_After="5"),
    _error("daily", 429, "rate_limit_exceeded", _RETRY, Retry_After="25200"),
)
"""The errors of a write. Source: the official OpenAPI document, its rate limit guide, and recorded answers."""


def _attributes(object_slug: str) -> list[dict[str, Any]]:
    """Custom attributes of the types that can be written: a single value of most, and a list of some."""
    single = [{"api_slug": f"one_{kind}", "type": kind, "object": object_slug} for kind in _TYPES]
    lists = [
        {
            "api_slug": f"many_{kind.replace('-', '_')}",
            "type": kind,
            "object": object_slug,
            "is_multiselect": True,
            **({"options": ["Gold", "Silver, old", "3"]} if kind == "select" else {}),
        }
        for kind in _LISTS
    ]
    return [{"api_slug": "contract_number", "type": "text", "object": object_slug}, *single, *lists]


_PARIS = dict.fromkeys(
    ("line_1", "line_2", "line_3", "line_4", "locality", "region", "postcode", "country_code", "latitude", "longitude")
)
_EXAMPLES = (
    Example("contract_number", "CN-778123", "CN-778123"),
    Example("one_text", "Zoë", "Zoë"),
    Example("one_number", 12, 12),
    Example("one_number", Decimal("2.5"), 2.5),
    Example("one_checkbox", True, True),
    Example("one_checkbox", "no", False),
    Example("one_timestamp", datetime(2024, 2, 29, 22, 30, tzinfo=UTC), "2024-02-29T22:30:00.000000000Z"),
    Example("one_rating", 3, 3),
    Example("one_currency", Decimal("12.5"), 12.5),
    Example("one_date", date(2024, 2, 29), "2024-02-29"),
    Example("many_email_address", ["ada@acme.com", "zoe@acme.com"], ["ada@acme.com", "zoe@acme.com"]),
    Example("many_phone_number", ["+33142685300", "+33142685301"], ["+33142685300", "+33142685301"]),
    Example("many_select", ["Gold", "Silver, old"], ["Gold", "Silver, old"]),
    Example("many_number", [1, 2], [1, 2]),
    Example("many_text", ["a", "b"], ["a", "b"]),
    Example(
        "primary_location",
        {"locality": "Paris", "country_code": "fr"},
        _PARIS | {"locality": "Paris", "country_code": "FR"},
    ),
    Example("primary_location.locality", "Paris", "Paris"),
    Example("primary_location.country_code", "FR", "FR"),
)

_DEMO = Demo(
    "Paying companies to Attio",
    {
        "segment": "Paying companies in France and Germany",
        "mode": "upsert",
        "match": {"from": "domain", "to": "domains"},
        "fields": [
            {"from": "name", "to": "name"},
            {"from": "description", "to": "description"},
            {"from": "category", "to": "categories"},
            {"from": "founded_on", "to": "foundation_date"},
        ],
        "schedules": [{"every": "15 minutes"}],
        "warnings": {
            "enabled": True,
            "rejected_percent": 5,
            "invalid_percent": 5,
            "size_change_percent": 30,
            "recipients": [],
        },
    },
)

SAMPLES = [
    Sample(
        slug="attio.companies",
        kind="companies",
        match="acme-{n}.com",
        values={
            "name": "Société Générique",
            "description": "Bakery of Zoë Quillfeather",
            "contract_number": "CN-778123",
        },
        text="description",
        custom="contract_number",
        bad=("foundation_date", "31/12/2020"),
        arrange={
            **_FREE,
            "attributes": _attributes("companies"),
            "records": {"people": [{"email_addresses": ["ada@acme.com"]}, {"email_addresses": ["zoe@acme.com"]}]},
        },
        revoke=_REVOKE,
        examples=(
            *_EXAMPLES,
            Example("domains", ["acme.com", "acme.io"], ["acme.com", "acme.io"]),
            Example("categories", ["SAAS", "B2B"], ["SAAS", "B2B"]),
            Example("employee_range", "11-50", "11-50"),
            Example("team", ["ada@acme.com", "zoe@acme.com"]),
            Example("foundation_date", date(1955, 11, 5), "1955-11-05"),
        ),
        errors=ERRORS,
        demo=_DEMO,
    ),
    Sample(
        slug="attio.people",
        kind="people",
        match="zoe.quillfeather-{n}@acme.com",
        values={
            "name": "Quillfeather, Zoë",
            "job_title": "Chief Baker",
            "phone_numbers": "+33142685300",
            "contract_number": "CN-778123",
        },
        text="job_title",
        custom="contract_number",
        bad=("phone_numbers", ["+1"]),
        arrange={**_FREE, "attributes": _attributes("people"), "records": {"companies": [{"domains": ["acme.com"]}]}},
        revoke=_REVOKE,
        examples=(
            *_EXAMPLES,
            Example(
                "name",
                "Quillfeather, Zoë",
                {"first_name": "Zoë", "last_name": "Quillfeather", "full_name": "Zoë Quillfeather"},
            ),
            Example("name.last_name", "Quillfeather", "Quillfeather"),
            Example("email_addresses", ["ada@acme.com", "zoe@acme.com"], ["ada@acme.com", "zoe@acme.com"]),
            Example("phone_numbers", ["+33142685300", "+33142685301"], ["+33142685300", "+33142685301"]),
            Example("company", "acme.com"),
        ),
        errors=ERRORS,
    ),
]
