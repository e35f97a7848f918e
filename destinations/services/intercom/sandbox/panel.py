"""The content of the control page: switches, error answers in Intercom's words, and example companies."""

from __future__ import annotations

from typing import Any

from destinations.sandbox.examples import company_name, domain_of
from destinations.sandbox.wire import ApiError, Reply, Switch
from destinations.services.intercom.sandbox.rules import error_list

TOKEN_ERRORS = (
    "",
    "token_revoked",
    "token_expired",
    "token_blocked",
    "token_suspended",
    "token_not_found",
    "unauthorized",
)
SWITCHES = (
    Switch("token_error", "Reject the token (401)", "choice", "", TOKEN_ERRORS),
    Switch("missing_scopes", "Missing permissions, as named by Intercom", "list"),
    Switch("plan_restricted", "The plan does not include the API (403)"),
    Switch("rate_limit_per_window", "Requests per window (0: no limit)", "number", 1666),
    Switch("window_seconds", "Window length in seconds", "number", 10),
    Switch(
        "search_limit_per_window", "Searches per window, counted separately (0: counted with all requests)", "number", 0
    ),
    Switch("unique_race_seconds", "Reject a second create within (seconds)", "number", 0),
    Switch("null_clears", "Null clears a value", default=True),
    Switch(
        "put_remote_created_at",
        "remote_created_at in PUT /companies/{id}",
        "choice",
        "accept",
        ("accept", "refuse", "ignore"),
    ),
    Switch(
        "missing_company_id",
        "Error for a POST without a company_id",
        "choice",
        "parameter_not_found",
        ("parameter_not_found", "company_not_found"),
    ),
    Switch("archived_company", "Writing to the company_id of a deleted company", "choice", "new", ("new", "restore")),
    Switch("long_strings", "Text over 255 characters", "choice", "refuse", ("refuse", "truncate", "keep")),
    Switch("enforce_options", "List attributes accept only their options", default=True),
    Switch("creation_source", "New companies have the creation_source attribute", default=True),
    Switch("lookup_as_list", "?company_id= returns a list"),
    Switch("find_by_name", "?name= finds", "choice", "visible", ("visible", "never")),
    Switch("list_without_filter", "GET /companies without a filter returns a list"),
    Switch("scroll_shows_all", "The scroll includes companies without contacts"),
    Switch("merged_contacts", "IDs of merged contacts (410)", "list"),
    Switch("search_delay_seconds", "Search delay for new contacts (seconds)", "number", 0),
    Switch("attribute_limit", "Maximum number of custom attributes", "number", 250),
    Switch("archived_count", "Archived attributes count toward the limit"),
    Switch("limit_status", "Status of the error at the limit", "choice", 400, (400, 422)),
    Switch("attribute_exists", "Error for a taken attribute name", "choice", "text", ("text", "code", "conflict")),
    Switch("unarchive", "Unarchiving an attribute", "choice", "accept", ("accept", "refuse", "ignore")),
    Switch("dependent_attributes", "Names of attributes that can't be archived", "list"),
    Switch("app_version", "API version if the header is missing", "text", "2.16"),
    Switch("region", "Workspace region", "choice", "US", ("US", "EU", "AU")),
    Switch("timezone", "Workspace time zone", "text", "America/Los_Angeles"),
    Switch("workspace_id", "Workspace ID", "text", "sandbox1"),
    Switch("workspace_name", "Workspace name", "text", "Sandbox workspace"),
)
_ERRORS = {
    400: ("parameter_invalid", "The value is invalid"),
    401: ("unauthorized", "Access Token Invalid"),
    403: ("api_plan_restricted", "Active subscription needed."),
    404: ("company_not_found", "Company Not Found"),
    409: ("conflict", "The resource is being changed"),
    422: ("data_invalid", "The data is invalid"),
    429: ("rate_limit_exceeded", "Exceeded rate limit of 83 in 10_seconds"),
    503: ("service_unavailable", "Sorry, the API service is temporarily unavailable"),
}


def error_reply(status: int, message: str, request_id: str, now: int) -> Reply:
    """An error answer with this status, in Intercom's format. A 429 has headers with the end of the window."""
    code, text = _ERRORS.get(status, ("server_error", "Server Error"))
    reply = error_list(ApiError(status, code, message or text), request_id)
    if status == 429:
        reply.headers = {"X-RateLimit-Limit": "83", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(now + 2)}
    return reply


def example_company(number: int) -> dict[str, Any]:
    """An invented company, always the same for the same number."""
    name = company_name(number)
    return {
        "company_id": f"example-{number}",
        "name": name,
        "size": number % 500 + 1,
        "website": f"https://{domain_of(name)}",
    }
