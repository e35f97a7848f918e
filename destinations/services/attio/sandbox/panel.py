"""What a person may switch in a simulated Attio, and how Attio words its errors."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from destinations.sandbox.wire import Reply, Switch
from destinations.services.attio.sandbox.errors import Refusal

ALL_SCOPES = "record_permission:read-write object_configuration:read"
SWITCHES = (
    Switch("revoked", "Revoke the token"),
    Switch("scopes", "What the token may do", "text", ALL_SCOPES),
    Switch("reads_per_second", "Reads a second (0: no limit)", "number", 100),
    Switch("writes_per_second", "Writes a second (0: no limit)", "number", 25),
    Switch("concurrent_write_conflicts", "Answer the next writes 409 concurrent_write_conflict", "number", 0),
    Switch("merging", "Ids of records that are being merged", "list"),
    Switch("query_clauses", "A query with more filters than this is too costly (429)", "number"),
    Switch(
        "record_cap", 'The plan\'s limit of records: {"most": 50000, "status": 400, "code": "quota_exceeded"}', "json"
    ),
    Switch("enrichment", "Attio fills in attributes of new companies", "choice", False, (False, True, "overwrite")),
    Switch("companies_from_emails", "A new person makes the company of the email domain"),
    Switch("conflict_names_record", "A uniqueness conflict names the other record", default=True),
    Switch(
        "conflict_names_attribute", "A uniqueness conflict names the attribute by", "choice", "slug", ("slug", "id")
    ),
    Switch("strips_www", "Domains are kept without www."),
    Switch("two_owners", "An upsert whose values two records hold", "choice", "refuse", ("refuse", "first")),
    Switch("paged_options", "Options and statuses come in pages"),
    Switch("malformed_ids", "An id that is no UUID is answered", "choice", 400, (400, 404)),
    Switch("unclearable", "Types of which a value can't be taken away", "list"),
    Switch("empty_patch", "PATCH with [] on a single value", "choice", "clear", ("clear", "ignore")),
    Switch("workspace_name", "Name of the workspace", "text", "Sandbox"),
    Switch("workspace_logo_url", "Address of the workspace's logo", "text"),
)
_WORDS = {
    400: ("validation_type", "Body payload validation error."),
    401: ("unauthorized", "The access token is not valid."),
    403: ("unauthorized", "The access token is missing a scope."),
    404: ("not_found", 'Record with ID "1d0ed2f5-3b5b-4a2e-9b4e-000000000000" not found.'),
    409: ("concurrent_write_conflict", "The record is being changed by another request. Try again."),
    422: ("validation_type", "Body payload validation error."),
    429: ("rate_limit_exceeded", "Rate limit exceeded, please try again later"),
}


def refused(status: int, message: str, now: float) -> Reply:
    """An error of this status in Attio's shape. Too many requests are told the date of the next second."""
    code, text = _WORDS.get(status, ("internal_error", "Something went wrong."))
    kind = {401: "auth_error", 403: "auth_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
    wait = {"Retry-After": next_second(now)} if status == 429 else {}
    return Refusal(code, message or text, status=status, kind=kind, headers=wait).reply()


def next_second(now: float) -> str:
    """As an HTTP date."""
    return format_datetime(datetime.fromtimestamp(int(now) + 1, UTC), usegmt=True)
