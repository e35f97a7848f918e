"""PURE. Maps an error from Intercom to what happens next: reject the record, stop for its configuration, or wait.

Intercom's error codes: https://developers.intercom.com/docs/references/rest-api/errors/error-codes
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.errors import Rejected
from destinations.kit.errors import ErrorTable, Next, Rule
from destinations.services.intercom.error_answer import BAD_PARAMETER, UNKNOWN_ATTRIBUTE

if TYPE_CHECKING:
    from core.errors import Problem
    from destinations.kit.answer import Failure

RECORD_WRITE = r"(POST|PUT) /(companies|contacts)(/(?!search$)[^/]+)?"
GONE = ("company_not_found", "not_found")
ALREADY_EXISTS = "unique_company_constraint"

RECORD, SETTINGS, WAIT = Next
_WAIT = "Intercom is temporarily unavailable. The request will be tried again."
_TOKEN = (
    "Intercom rejected the access token. Copy it again from the Developer Hub (Configure > Authentication), "  # noqa: S105
    "and check the region."
)
_PLAN = (
    "Intercom does not allow this for the workspace: its plan or the app's permissions do not include it. "
    "Ask an Intercom administrator."
)
_SUBSCRIPTION = (
    "The plan of this Intercom workspace does not include this, or its subscription has ended. "
    "Ask whoever manages billing for Intercom."
)
_ADDRESS = "Intercom did not understand the request. Check that the API address is Intercom's."
_VERSION = "API version 2.16 is not available to this app. Check the app in Intercom's Developer Hub."
_ATTRIBUTE_LIMIT = "The workspace has reached Intercom's limit for custom attributes. Archive some that are not in use."
_NO_ATTRIBUTE = "The attribute no longer exists in Intercom. Create it there, or remove it from the mapping."
_UNKNOWN_ATTRIBUTE = (
    "Intercom has no custom attribute “{name}” for this kind of record, or it is archived. "
    "Create or unarchive it, or remove it from the mapping."
)
_BAD_PARAMETER = "Intercom does not accept the attribute “{name}” in this request. Remove it from the mapping."
_MISSING = "A field that Intercom requires is empty. Map it, or provide a value in the source."
_TYPE = "A value does not match the type of its attribute. Correct it in the source, or map a different column."
_TAKEN = (
    "Another record in Intercom already uses one of these details. Merge the two in Intercom, or correct the source."
)
_NO_ADMIN = "Intercom has no such admin. Correct the owner in the source, or remove it from the mapping."
_NO_COMPANY = "Intercom did not find the company, although the request creates it. Check its company_id in the source."
_COMPANY_LIMIT = (
    "The contact belongs to 1,000 companies, the most that Intercom allows. Detach it from some in Intercom, "
    "or let the mapping detach it from others."
)
_DELETED = "It was permanently deleted in Intercom. Remove it from the source, or give it a different ID."

_SCOPES = (
    (r"GET /me", "Read one admin"),
    (r"GET /companies.*", "Read one user and one company (and Read and list users and companies)"),
    (r"(GET /data_attributes|POST /contacts/search|GET /contacts/).*", "Read and list users and companies"),
    (r"\w+ /data_attributes.*", "Write data attributes"),
    ("", "Write users and companies"),
)


def _missing_scope(call: str, scope: str) -> Rule:
    advice = f"The access token lacks the permission “{scope}”. Add it to the app in Intercom's Developer Hub."
    return Rule(SETTINGS, advice, code="token_unauthorized", call=call, where="token")


TABLE = ErrorTable(
    "Intercom",
    (
        *(_missing_scope(call, scope) for call, scope in _SCOPES),
        Rule(SETTINGS, _UNKNOWN_ATTRIBUTE, message=UNKNOWN_ATTRIBUTE),
        Rule(SETTINGS, _BAD_PARAMETER, message=BAD_PARAMETER),
        Rule(SETTINGS, _VERSION, code="intercom_version_invalid"),
        Rule(SETTINGS, _ATTRIBUTE_LIMIT, code="custom_data_limit_reached"),
        Rule(SETTINGS, _SUBSCRIPTION, code="api_plan_restricted", where="token"),
        Rule(SETTINGS, _PLAN, code="forbidden", where="token"),
        Rule(SETTINGS, _PLAN, code="action_forbidden", where="token"),
        Rule(SETTINGS, _ADDRESS, code="media_type_not_acceptable"),
        Rule(SETTINGS, _NO_ATTRIBUTE, code="field_not_found"),
        Rule(SETTINGS, _TOKEN, 401, where="token"),
        Rule(SETTINGS, _PLAN, 402, where="token"),
        Rule(SETTINGS, _PLAN, 403, where="token"),
        Rule(SETTINGS, _ADDRESS, 405),
        Rule(SETTINGS, _ADDRESS, 406),
        Rule(SETTINGS, _ADDRESS, 415),
        Rule(RECORD, _COMPANY_LIMIT, code="contact_company_limit_exceeded"),
        Rule(WAIT, _WAIT, code=ALREADY_EXISTS),
        Rule(WAIT, _WAIT, code="scroll_exists"),
        Rule(WAIT, _WAIT, 408, ambiguous=True),
        Rule(WAIT, _WAIT, code="request_timeout", ambiguous=True),
        Rule(WAIT, _WAIT, code="server_timeout", ambiguous=True),
        Rule(WAIT, _WAIT, code="server_error", ambiguous=True),
        Rule(WAIT, _WAIT, code="service_unavailable", ambiguous=True),
        Rule(WAIT, _WAIT, code="client_error", ambiguous=True),
        *(
            Rule(RECORD, advice, code=code, call=RECORD_WRITE)
            for code, advice in {
                "parameter_not_found": _MISSING,
                "parameter_missing": _MISSING,
                "missing_parameter": _MISSING,
                "type_mismatch": _TYPE,
                "conflict": _TAKEN,
                "resource_conflict": _TAKEN,
                "admin_not_found": _NO_ADMIN,
                "company_not_found": _NO_COMPANY,
                "not_restorable": _DELETED,
            }.items()
        ),
    ),
)


def problem(failure: Failure) -> Problem:
    """The error to raise."""
    return TABLE.problem(failure)


def contact_archived(remote_id: str, request_id: str) -> Rejected:
    """The details of a new contact belong to an archived one."""
    return Rejected(
        "contact_archived",
        f"The contact with these details (ID {remote_id}) is archived in Intercom, and Intercom does not accept a "
        "second one. Unarchive the contact in Intercom.",
        request_id=request_id,
    )


def contacts_ambiguous(name: str, count: int, request_id: str) -> Rejected:
    """Several contacts have the same match value."""
    return Rejected(
        "match_ambiguous",
        f"Intercom has {count} contacts with this {name}, so any choice would be a guess. "
        "Merge them in Intercom, or match by external_id.",
        field=name,
        request_id=request_id,
    )
