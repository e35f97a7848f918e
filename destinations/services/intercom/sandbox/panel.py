"""What a person may switch in a simulated Intercom, how Intercom words its errors, and invented companies."""

from __future__ import annotations

from typing import Any

from destinations.sandbox.examples import company_name, domain_of
from destinations.sandbox.wire import Reply, Switch
from destinations.services.intercom.sandbox.rules import Refused

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
    Switch("token_error", "Refuse the token (401)", "choice", "", TOKEN_ERRORS),
    Switch("missing_scopes", "Permissions that the token lacks, in Intercom's words", "list"),
    Switch("plan_restricted", "The plan does not allow the API (403)"),
    Switch("rate_limit_per_window", "Requests in a window (0: no limit)", "number", 1666),
    Switch("window_seconds", "Length of a window in seconds", "number", 10),
    Switch("search_limit_per_window", "Searches in a window, counted apart (0: like every request)", "number", 0),
    Switch("unique_race_seconds", "A second create within so many seconds is refused", "number", 0),
    Switch("null_clears", "null clears a value", default=True),
    Switch(
        "put_remote_created_at",
        "remote_created_at in PUT /companies/{id}",
        "choice",
        "accept",
        ("accept", "refuse", "ignore"),
    ),
    Switch(
        "missing_company_id",
        "POST without a company_id is answered",
        "choice",
        "parameter_not_found",
        ("parameter_not_found", "company_not_found"),
    ),
    Switch("archived_company", "A write to a deleted company's company_id makes", "choice", "new", ("new", "restore")),
    Switch("long_strings", "Texts over 255 characters", "choice", "refuse", ("refuse", "truncate", "keep")),
    Switch("enforce_options", "List attributes take their options only", default=True),
    Switch("creation_source", "New companies have the attribute creation_source", default=True),
    Switch("lookup_as_list", "?company_id= answers a list"),
    Switch("find_by_name", "?name= finds", "choice", "visible", ("visible", "never")),
    Switch("list_without_filter", "GET /companies without a filter lists"),
    Switch("scroll_shows_all", "The scroll holds companies without contacts"),
    Switch("merged_contacts", "Ids of contacts that were merged (410)", "list"),
    Switch("search_delay_seconds", "Contacts younger than this are not found by search", "number", 0),
    Switch("attribute_limit", "Most custom attributes of the workspace", "number", 250),
    Switch("archived_count", "Archived attributes count towards the limit"),
    Switch("limit_status", "Status of the refusal at the limit", "choice", 400, (400, 422)),
    Switch("attribute_exists", "A taken attribute name is refused as", "choice", "text", ("text", "code", "conflict")),
    Switch("unarchive", "Bringing an attribute back is", "choice", "accept", ("accept", "refuse", "ignore")),
    Switch("dependent_attributes", "Names of attributes that can't be archived", "list"),
    Switch("app_version", "API version where the header is missing", "text", "2.16"),
    Switch("region", "Region of the workspace", "choice", "US", ("US", "EU", "AU")),
    Switch("timezone", "Time zone of the workspace", "text", "America/Los_Angeles"),
    Switch("workspace_id", "Code of the workspace", "text", "sandbox1"),
    Switch("workspace_name", "Name of the workspace", "text", "Sandbox workspace"),
)
_WORDS = {
    400: ("parameter_invalid", "The value is invalid"),
    401: ("unauthorized", "Access Token Invalid"),
    403: ("api_plan_restricted", "Active subscription needed."),
    404: ("company_not_found", "Company Not Found"),
    409: ("conflict", "The resource is being changed"),
    422: ("data_invalid", "The data is invalid"),
    429: ("rate_limit_exceeded", "Exceeded rate limit of 83 in 10_seconds"),
    503: ("service_unavailable", "Sorry, the API service is temporarily unavailable"),
}


def refused(status: int, message: str, request_id: str, now: int) -> Reply:
    """An error of this status in Intercom's shape. Too many requests are told the end of the window in Intercom's own headers."""
    code, text = _WORDS.get(status, ("server_error", "Server Error"))
    reply = Refused(status, code, message or text).reply(request_id)
    if status == 429:
        reply.headers = {"X-RateLimit-Limit": "83", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(now + 2)}
    return reply


def company(number: int) -> dict[str, Any]:
    """The company of a number, as it is kept."""
    name = company_name(number)
    return {
        "company_id": f"example-{number}",
        "name": name,
        "size": number % 500 + 1,
        "website": f"https://{domain_of(name)}",
    }
