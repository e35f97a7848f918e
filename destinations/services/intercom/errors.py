"""PURE. What an answer of Intercom that is no success means: this record, the configuration, or wait.

Intercom's error list: https://developers.intercom.com/docs/references/rest-api/errors/error-codes
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.errors import Misconfigured, Problem, Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

GONE = ("company_not_found", "not_found")
ALREADY_EXISTS = "unique_company_constraint"
MESSAGE_LENGTH = 300

_WAIT = "Intercom can't answer at the moment. The same request is tried again."
_TOKEN = "Intercom refused the access token. Copy it again from the Developer Hub (Configure, Authentication) and check the region."  # noqa: S105
_PLAN = "Intercom refuses this for the workspace: its plan or the rights of the app do not include it. Ask an administrator of Intercom."
_SUBSCRIPTION = "The plan of this Intercom workspace does not include this, or its subscription has ended. Ask who pays for Intercom."
_ADDRESS = "Intercom did not understand the request. Check that the API address is Intercom's."
_REFUSED = "Intercom refused a request that concerns no single record."
_CORRECT = "Correct its values in the source."
_MISSING = "Intercom requires something that this record leaves empty. Map it, or fill it in the source."
_TYPE = "A value is of another type than its attribute. Correct it in the source, or map another column."
_TAKEN = (
    "Another record in Intercom holds one of these details already. Merge the two in Intercom, or correct the source."
)
_RECORD_CODES = {
    "parameter_not_found": _MISSING,
    "parameter_missing": _MISSING,
    "missing_parameter": _MISSING,
    "type_mismatch": _TYPE,
    "conflict": _TAKEN,
    "resource_conflict": _TAKEN,
    "admin_not_found": "Intercom has no such admin. Correct the owner in the source, or take it out of the mapping.",
    "company_not_found": "Intercom does not find it, although it was to be created. Check that its company_id is right in the source.",
    "not_restorable": "It was deleted in Intercom for good. Take it out of the source, or give it another id.",
}
"""What to do about a refusal of this record, where there is more to say than `_CORRECT`."""

_CONFIGURATION_STATUS = {401: _TOKEN, 402: _PLAN, 403: _PLAN, 405: _ADDRESS, 406: _ADDRESS, 415: _ADDRESS}
_REFUSED_UNPROCESSED = {ALREADY_EXISTS, "scroll_exists"}
_WAIT_CODES = _REFUSED_UNPROCESSED | {
    "request_timeout",
    "server_timeout",
    "server_error",
    "service_unavailable",
    "client_error",
}
_CONFIGURATION_CODES = {
    "intercom_version_invalid": "Intercom does not offer the API version 2.16 to this app. Check the app in Intercom's Developer Hub.",
    "custom_data_limit_reached": "The workspace has as many custom attributes as Intercom allows. Archive some that are not used.",
    "api_plan_restricted": _SUBSCRIPTION,
    "forbidden": _PLAN,
    "action_forbidden": _PLAN,
    "media_type_not_acceptable": _ADDRESS,
    "field_not_found": "The attribute is not in Intercom any more. Create it there, or take it out of the mapping.",
}
_READ = re.compile(r"GET .*|POST /contacts/search")
_RECORD_WRITE = re.compile(r"(POST|PUT) /(companies|contacts)(/(?!search$)[^/]+)?")
_UNKNOWN_ATTRIBUTE = re.compile(r"Custom attribute '(?P<name>.+)' does not exist")
_BAD_PARAMETER = re.compile(r"bad '(?P<name>.+)' parameter")
_NAMES = re.compile(r"'([^']+)'|^(\w+)\b")

_SCOPES = (
    (re.compile(r"GET /me"), "Read one admin"),
    (re.compile(r"GET /companies.*"), "Read one user and one company (and Read and list users and companies)"),
    (re.compile(r"(GET /data_attributes|POST /contacts/search|GET /contacts/).*"), "Read and list users and companies"),
    (re.compile(r"\w+ /data_attributes.*"), "Write data attributes"),
    (re.compile(r"\w+ /(companies|contacts).*"), "Write users and companies"),
)


@dataclass(frozen=True)
class Refusal:
    """An answer that is no success, read defensively.

    Args:
        call: method and path of the request, e.g. `POST /companies`.
        message: Intercom's own words; `shown` is the same without values of the request, for people and logs.
        readable: the body was Intercom's JSON; gateways answer HTML or nothing.
        retry_after: seconds that the headers ask to wait.
    """

    call: str
    status: int
    code: str = ""
    message: str = ""
    shown: str = ""
    field: str = ""
    request_id: str = ""
    readable: bool = True
    retry_after: float | None = None


def read(
    call: str, status: int, body: Any, *, sent: Any = None, request_id: str = "", retry_after: float | None = None
) -> Refusal:
    """Reads Intercom's `error.list`; of several errors the first gives code and field, all give the message.

    Args:
        sent: what the request held; its values are kept out of `shown`.
    """
    if not isinstance(body, dict):
        return Refusal(call, status, request_id=request_id, readable=False, retry_after=retry_after)
    listed = body.get("errors")
    errors = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    first = errors[0] if errors else {}
    message = " ".join(dict.fromkeys(filter(None, (_text(entry.get("message")) for entry in errors))))
    return Refusal(
        call,
        status,
        code=_text(first.get("code")),
        message=message,
        shown=without_values(message, sent)[:MESSAGE_LENGTH],
        field=_text(first.get("field")) or named_in(message, sent),
        request_id=_text(body.get("request_id")) or request_id,
        retry_after=retry_after,
    )


def problem(refusal: Refusal) -> Problem:
    """The error to raise: the status decides where it is clear, else the code, else it is this record's."""
    code = refusal.code or f"http_{refusal.status}"
    if refusal.status == 429:
        return Unavailable(
            code,
            f"Intercom asked to slow down. The request is sent again when its limit allows. ({code})",
            detail=_detail(refusal),
            retry_after=refusal.retry_after,
            throttled=True,
        )
    if _means_wait(refusal):
        return Unavailable(
            code,
            _say(_WAIT, refusal),
            detail=_detail(refusal),
            retry_after=refusal.retry_after,
            ambiguous=writes(refusal.call) and code not in _REFUSED_UNPROCESSED,
        )
    field = refusal.field
    if remedy := _configuration(refusal):
        where = "token" if refusal.status == 401 else field
        return Misconfigured(code, _say(remedy, refusal), detail=_detail(refusal), where=where)
    return Rejected(
        code,
        _say(f"Intercom refused this {_thing(refusal.call)}. {_RECORD_CODES.get(refusal.code, _CORRECT)}", refusal),
        detail=_detail(refusal),
        field=field,
        request_id=refusal.request_id,
    )


def unusable(call: str, request_id: str) -> Unavailable:
    """A success without Intercom's JSON in it."""
    return Unavailable(
        "unusable_answer",
        "Intercom's answer can't be read. The same request is tried again.",
        detail=f"{call} request {request_id}",
        ambiguous=writes(call),
    )


def named_in(message: str, sent: Any = None) -> str:
    """The parameter or attribute that one of Intercom's fixed texts names, or one of the request's that it quotes or begins with."""
    if match := _BAD_PARAMETER.search(message) or _UNKNOWN_ATTRIBUTE.search(message):
        return match["name"]
    keys = {key for key, _ in _leaves(sent)}
    named = [quoted or first for quoted, first in _NAMES.findall(message)]
    return next((name for name in named if name in keys), "")


def without_values(text: str, sent: Any) -> str:
    """The text without the values of a request, which Intercom sometimes repeats. Keys and short values stay readable."""
    keys, values = set(), set()
    for key, value in _leaves(sent):
        keys.add(key)
        values.add(str(value))
    for value in sorted(values - keys, key=len, reverse=True):
        if len(value) > 2:
            text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "[value]", text, flags=re.IGNORECASE)
    return text


def writes(call: str) -> bool:
    """Whether the call (method and path) may change something."""
    return not _READ.fullmatch(call)


def _means_wait(refusal: Refusal) -> bool:
    if refusal.status < 400 or refusal.status in (401, 403):
        return refusal.status == 403 and not refusal.readable
    return refusal.status >= 500 or refusal.status == 408 or refusal.code in _WAIT_CODES or not refusal.readable


def _configuration(refusal: Refusal) -> str:
    """What a person has to do, where the refusal would meet every record."""
    if refusal.code == "token_unauthorized":
        return f"The access token lacks the permission “{_scope(refusal.call)}”. Add it to the app in Intercom's Developer Hub."
    if refusal.status < 400:
        return "Intercom's API address answers with a redirect. Check the API address and the region."
    if match := _UNKNOWN_ATTRIBUTE.search(refusal.message):
        return (
            f"Intercom has no custom attribute {match['name']!r} for this kind of record, or it is archived. "
            "Create or un-archive it, or take it out."
        )
    if match := _BAD_PARAMETER.search(refusal.message):
        return f"Intercom does not take the attribute {match['name']!r} in this request. Take it out of the mapping."
    remedy = _CONFIGURATION_CODES.get(refusal.code) or _CONFIGURATION_STATUS.get(refusal.status, "")
    return remedy or ("" if _RECORD_WRITE.fullmatch(refusal.call) else _REFUSED)


def _thing(call: str) -> str:
    return "contact" if "/contacts" in call else "company"


def _scope(call: str) -> str:
    return next((scope for pattern, scope in _SCOPES if pattern.fullmatch(call)), "Write users and companies")


def _say(ours: str, refusal: Refusal) -> str:
    if refusal.shown:
        return f"{ours} Intercom says: {refusal.shown} ({refusal.code or refusal.status})"
    return f"{ours} ({refusal.code or f'http_{refusal.status}'})"


def _detail(refusal: Refusal) -> str:
    return f"{refusal.call} status {refusal.status} request {refusal.request_id}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _leaves(sent: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(sent, dict):
        for name, value in sent.items():
            yield from _leaves(value, str(name))
    elif isinstance(sent, list):
        for value in sent:
            yield from _leaves(value, key)
    elif sent is not None and not isinstance(sent, bool):
        yield key, sent
