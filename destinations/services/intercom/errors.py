"""PURE. Maps an error from Intercom to what happens next: reject the record, stop for its configuration, or wait.

Intercom's error codes: https://developers.intercom.com/docs/references/rest-api/errors/error-codes
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.services.intercom.error_answer import BAD_PARAMETER, UNKNOWN_ATTRIBUTE

if TYPE_CHECKING:
    from destinations.services.intercom.error_answer import ErrorAnswer

GONE = ("company_not_found", "not_found")
ALREADY_EXISTS = "unique_company_constraint"

_WAIT = "Intercom is temporarily unavailable. The request will be retried."
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
_GENERAL = "Intercom rejected a request that is not about a single record. Check the connection and the mapping."
_CORRECT = "Correct its values in the source."
_MISSING = "A field that Intercom requires is empty. Map it, or provide a value in the source."
_TYPE = "A value does not match the type of its attribute. Correct it in the source, or map a different column."
_TAKEN = (
    "Another record in Intercom already uses one of these details. Merge the two in Intercom, or correct the source."
)
_RECORD_CODES = {
    "parameter_not_found": _MISSING,
    "parameter_missing": _MISSING,
    "missing_parameter": _MISSING,
    "type_mismatch": _TYPE,
    "conflict": _TAKEN,
    "resource_conflict": _TAKEN,
    "admin_not_found": "Intercom has no such admin. Correct the owner in the source, or remove it from the mapping.",
    "company_not_found": (
        "Intercom did not find the company, although the request creates it. Check its company_id in the source."
    ),
    "not_restorable": "It was permanently deleted in Intercom. Remove it from the source, or give it a different ID.",
}
"""What to do about a rejected record, if there is something more specific than `_CORRECT`."""

_CONFIGURATION_STATUS = {401: _TOKEN, 402: _PLAN, 403: _PLAN, 405: _ADDRESS, 406: _ADDRESS, 415: _ADDRESS}
_NOT_PROCESSED = {ALREADY_EXISTS, "scroll_exists"}
_WAIT_CODES = _NOT_PROCESSED | {
    "request_timeout",
    "server_timeout",
    "server_error",
    "service_unavailable",
    "client_error",
}
_CONFIGURATION_CODES = {
    "intercom_version_invalid": (
        "API version 2.16 is not available to this app. Check the app in Intercom's Developer Hub."
    ),
    "custom_data_limit_reached": (
        "The workspace has reached Intercom's limit for custom attributes. Archive some that are not in use."
    ),
    "api_plan_restricted": _SUBSCRIPTION,
    "forbidden": _PLAN,
    "action_forbidden": _PLAN,
    "media_type_not_acceptable": _ADDRESS,
    "field_not_found": "The attribute no longer exists in Intercom. Create it there, or remove it from the mapping.",
}
_READ = re.compile(r"GET .*|POST /contacts/search")
_RECORD_WRITE = re.compile(r"(POST|PUT) /(companies|contacts)(/(?!search$)[^/]+)?")

_SCOPES = (
    (re.compile(r"GET /me"), "Read one admin"),
    (re.compile(r"GET /companies.*"), "Read one user and one company (and Read and list users and companies)"),
    (re.compile(r"(GET /data_attributes|POST /contacts/search|GET /contacts/).*"), "Read and list users and companies"),
    (re.compile(r"\w+ /data_attributes.*"), "Write data attributes"),
    (re.compile(r"\w+ /(companies|contacts).*"), "Write users and companies"),
)


def problem(answer: ErrorAnswer) -> Problem:
    """The error to raise. A clear status decides, then the code; anything else is a rejection of this record."""
    code = answer.code or f"http_{answer.status}"
    if answer.status == 429:
        return Unavailable(
            code,
            f"Intercom's rate limit was reached. The request will be sent again when the limit allows. ({code})",
            detail=_detail(answer),
            retry_after=answer.retry_after,
            throttled=True,
        )
    if _is_temporary(answer):
        return Unavailable(
            code,
            _with_vendor_text(_WAIT, answer),
            detail=_detail(answer),
            retry_after=answer.retry_after,
            ambiguous=is_write(answer.call) and code not in _NOT_PROCESSED,
        )
    field = answer.field
    if remedy := _configuration_remedy(answer):
        where = "token" if answer.status in (401, 402, 403) and not field else field
        return Misconfigured(code, _with_vendor_text(remedy, answer), detail=_detail(answer), where=where)
    remedy = _RECORD_CODES.get(answer.code, _CORRECT)
    return Rejected(
        code,
        _with_vendor_text(f"Intercom rejected this {_record_kind(answer.call)}. {remedy}", answer),
        detail=_detail(answer),
        field=field,
        request_id=answer.request_id,
    )


def unusable_answer(call: str, request_id: str) -> Unavailable:
    """The error for a success status without the JSON that belongs to it."""
    return Unavailable(
        "unusable_answer",
        "Intercom's answer can't be read. The request will be retried.",
        detail=f"{call} request {request_id}",
        ambiguous=is_write(call),
    )


def is_write(call: str) -> bool:
    """Whether the call (method and path) may change something."""
    return not _READ.fullmatch(call)


def _is_temporary(answer: ErrorAnswer) -> bool:
    if answer.status < 400 or answer.status in (401, 402, 403):
        return answer.status == 403 and not answer.readable
    return answer.status >= 500 or answer.status == 408 or answer.code in _WAIT_CODES or not answer.readable


def _configuration_remedy(answer: ErrorAnswer) -> str:
    """What a person has to do, if every other record would get the same error."""
    if answer.code == "token_unauthorized":
        scope = _scope(answer.call)
        return f"The access token lacks the permission “{scope}”. Add it to the app in Intercom's Developer Hub."
    if answer.status < 400:
        return "Intercom's API returned a redirect. Check the API address and the region."
    if match := UNKNOWN_ATTRIBUTE.search(answer.message):
        return (
            f"Intercom has no custom attribute {match['name']!r} for this kind of record, or it is archived. "
            "Create or unarchive it, or remove it from the mapping."
        )
    if match := BAD_PARAMETER.search(answer.message):
        return f"Intercom does not accept the attribute {match['name']!r} in this request. Remove it from the mapping."
    remedy = _CONFIGURATION_CODES.get(answer.code) or _CONFIGURATION_STATUS.get(answer.status, "")
    return remedy or ("" if _RECORD_WRITE.fullmatch(answer.call) else _GENERAL)


def _record_kind(call: str) -> str:
    return "contact" if "/contacts" in call else "company"


def _scope(call: str) -> str:
    return next((scope for pattern, scope in _SCOPES if pattern.fullmatch(call)), "Write users and companies")


def _with_vendor_text(message: str, answer: ErrorAnswer) -> str:
    if answer.redacted:
        return f"{message} Intercom's message: {answer.redacted} ({answer.code or answer.status})"
    return f"{message} ({answer.code or f'http_{answer.status}'})"


def _detail(answer: ErrorAnswer) -> str:
    return f"{answer.call} status {answer.status} request {answer.request_id}"
