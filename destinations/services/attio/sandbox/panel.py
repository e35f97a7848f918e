"""The switches of the simulated Attio, and error responses of any status in Attio's wording.

Switches (`POST /_sandbox/switches`):
    reads_per_second, writes_per_second   the rate limits (default 100 and 25); 0 means no limit
    scopes                                the scopes of the token, as a list or as text with spaces
    revoked                               true: the token is rejected from now on
    workspace_name, workspace_logo_url    the name and the logo that `/v2/self` returns
    enrichment                            true: Attio fills in empty attributes 250 ms after a record is created;
                                          "overwrite": it also overwrites attributes that have a value
    conflict_names_record                 false: a uniqueness conflict does not name the other record
    conflict_names_attribute              "slug" (default): a uniqueness conflict names the attribute by its slug;
                                          "id": by its ID, and it repeats the value
    strips_www                            true: a domain is stored without `www.`;
                                          false (default): `www.acme.com` is a separate domain
    two_owners                            an upsert with values that two records hold
                                          "refuse" (default): it is a uniqueness conflict;
                                          "first": it updates the first record, and leaves the other its value
    paged_options                         true: lists of options and statuses respect `limit` and `offset`
    malformed_ids                         an ID that is not a UUID: 400 (default) malformed request; 404 unknown record
    unclearable                           types whose values can't be cleared, such as ["checkbox", "currency"]
    query_clauses                         a query with more filters than this is always answered 429
    record_cap                            {"most", "status", "code"}: the maximum number of records per object, and the
                                          status and code of the answer once it is reached
    empty_patch                           a PATCH with [] on a single value
                                          "clear" (default): it clears the value; "ignore": it changes nothing
    concurrent_write_conflicts            the number of following writes that are answered 409
    merging                               IDs of records that are being merged: they can't be read or written
    companies_from_emails                 true: a new person creates the company of their email domain

The same call accepts actions:
    attributes              adds attributes: [{"api_slug", "type", "title", "is_multiselect", "is_unique",
                            "is_required", "is_writable", "options", "object" (default "companies"),
                            "allowed_objects" (slugs)}]
    archive, unarchive      slugs of company attributes
    archive_options         {slug: [titles]}
    add_options             {slug: [titles]}
    records                 adds records: {object: [{slug: value}]}
    members                 email addresses of workspace members to add
    merge                   [ID, ID]: merges two companies into a third with a new ID
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime

from destinations.sandbox.wire import Reply, Switch
from destinations.services.attio.sandbox.errors import ApiError

ALL_SCOPES = "record_permission:read-write object_configuration:read"
SWITCHES = (
    Switch("revoked", "Revoke the token"),
    Switch("scopes", "Scopes of the token", "text", ALL_SCOPES),
    Switch("reads_per_second", "Reads per second (0: no limit)", "number", 100),
    Switch("writes_per_second", "Writes per second (0: no limit)", "number", 25),
    Switch("concurrent_write_conflicts", "Number of writes to answer with 409 concurrent_write_conflict", "number", 0),
    Switch("merging", "IDs of records that are being merged", "list"),
    Switch("query_clauses", "Maximum number of filters per query (429 above it)", "number"),
    Switch("record_cap", 'Record limit of the plan: {"most": 50000, "status": 400, "code": "quota_exceeded"}', "json"),
    Switch("enrichment", "Attio fills in attributes of new companies", "choice", False, (False, True, "overwrite")),
    Switch("companies_from_emails", "A new person creates the company of their email domain"),
    Switch("conflict_names_record", "A uniqueness conflict names the other record", default=True),
    Switch(
        "conflict_names_attribute", "A uniqueness conflict names the attribute by", "choice", "slug", ("slug", "id")
    ),
    Switch("strips_www", "Store domains without www."),
    Switch("two_owners", "Upsert with values of two records", "choice", "refuse", ("refuse", "first")),
    Switch("paged_options", "Return options and statuses in pages"),
    Switch("malformed_ids", "Answer to an ID that is not a UUID", "choice", 400, (400, 404)),
    Switch("unclearable", "Types whose values can't be cleared", "list"),
    Switch("empty_patch", "PATCH with [] on a single value", "choice", "clear", ("clear", "ignore")),
    Switch("workspace_name", "Name of the workspace", "text", "Sandbox"),
    Switch("workspace_logo_url", "URL of the workspace's logo", "text"),
)
_ERRORS = {
    400: ("validation_type", "Body payload validation error."),
    401: ("unauthorized", "The access token is not valid."),
    403: ("unauthorized", "The access token is missing a scope."),
    404: ("not_found", 'Record with ID "1d0ed2f5-3b5b-4a2e-9b4e-000000000000" not found.'),
    409: ("concurrent_write_conflict", "The record is being changed by another request. Try again."),
    422: ("validation_type", "Body payload validation error."),
    429: ("rate_limit_exceeded", "Rate limit exceeded, please try again later"),
}


def error_reply(status: int, message: str, now: float) -> Reply:
    """An error of this status as Attio words it. A 429 carries the date of the next second as Retry-After."""
    code, default_message = _ERRORS.get(status, ("internal_error", "Something went wrong."))
    kind = {401: "auth_error", 403: "auth_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
    headers = {"Retry-After": next_second(now)} if status == 429 else {}
    return ApiError(code, message or default_message, status=status, kind=kind, headers=headers).reply()


def next_second(now: float) -> str:
    """The next full second as an HTTP date."""
    return format_datetime(datetime.fromtimestamp(int(now) + 1, UTC), usegmt=True)
