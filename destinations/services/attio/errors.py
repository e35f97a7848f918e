"""PURE. What Attio's errors mean for a run: one table from status and code to what happens next.

Sources: the official OpenAPI document and recorded answers. Its lists of codes are incomplete, so an unknown code is
treated like its status.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal

from core.errors import Misconfigured, Problem, Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from destinations.services.attio.answer import Answer

Kind = Literal["record", "settings", "wait"]

UNREADABLE = "Attio's response could not be read. The request will be tried again."
_ATTRIBUTE = "A mapped attribute does not exist in Attio. Create it there, or map a different one."
_CREDENTIAL = (
    "Attio does not accept the access token. Create a new one in Attio under Workspace settings, Developers, and enter "
    "it in the connection."
)
_SCOPE = (
    "The access token lacks a permission for this request. Give it the scopes Records (read-write) and Object "
    "configuration (read)."
)
_PLAN = "The plan or settings of the Attio workspace do not allow this. Ask an admin of the workspace."
_FILTER = "Attio does not allow lookups by the match attribute. Choose a different match attribute."
_VALUE = "Attio does not accept a value of this record. Correct it in the source."
_TAKEN = "Another record in Attio already holds one of these values. Merge the two in Attio, or correct the source."
_UNKNOWN = (
    "Attio rejected this request with an error that this version does not recognize. Ask an admin of the workspace, "
    "and report the error to the maintainers of this software."
)
_BUSY = "Attio is changing this record right now. The write will be tried again."
_REDIRECT = "Attio's API address answers with a redirect. Check the API address of this installation."
_FAILED = "Attio has an internal error. The request will be tried again."
_SLOWER = "Attio's rate limit is reached. The request will be sent again when the limit allows."

TABLE: dict[tuple[int, str], tuple[Kind, str]] = {
    (400, "validation_type"): ("record", _VALUE),
    (400, "value_not_found"): (
        "record",
        "Attio has no such option, record or member. Add it in Attio, or correct the source.",
    ),
    (400, "uniqueness_conflict"): ("record", _TAKEN),
    (400, "duplicate_values"): ("record", "A list in this record contains a value twice. Correct it in the source."),
    (400, "multiple_match_results"): (
        "record",
        "More than one record in Attio has this match value. Merge them in Attio.",
    ),
    (400, "multiple_values_for_single_value_attribute"): (
        "record",
        "An attribute that takes one value received more than one. Map a single value.",
    ),
    (400, "missing_value"): (
        "record",
        "An attribute that is required in Attio is empty in this record. Map it, or fill it in the source.",
    ),
    (400, "matching_attribute_definition_not_unique"): (
        "settings",
        "The match attribute is not unique in Attio. Choose a unique one.",
    ),
    (400, "system_edit_unauthorized"): ("settings", "A mapped attribute is read-only in Attio. Remove its mapping."),
    (400, "formula_edit_unauthorized"): ("settings", "A mapped attribute is a formula in Attio. Remove its mapping."),
    (400, "immutable_value"): ("settings", "A mapped attribute can't be changed in Attio. Remove its mapping."),
    (400, "filter_error"): ("settings", _FILTER),
    (400, "invalid_filter_field"): ("settings", _FILTER),
    (400, "invalid_filter_operator"): ("settings", _FILTER),
    (400, "unknown_filter_attribute_slug"): ("settings", _ATTRIBUTE),
    (400, "missing_sort_field"): ("settings", _FILTER),
    (400, "standard_object_disabled"): (
        "settings",
        "This object is disabled in Attio. Ask an admin of the workspace to enable it.",
    ),
    (400, "particle_gate_violation"): ("settings", _PLAN),
    (400, "quota_exceeded"): ("settings", _PLAN),
    (400, "merge_in_progress"): ("wait", _BUSY),
    (404, "merge_in_progress"): ("wait", _BUSY),
    (409, "concurrent_write_conflict"): ("wait", _BUSY),
    (409, "slug_conflict"): (
        "settings",
        "Attio already has an attribute or option with this name, possibly archived. Use the existing one.",
    ),
    (404, "not_found"): (
        "settings",
        "The requested object or attribute was not found in Attio. Check that it still exists.",
    ),
    (403, "billing_error"): ("settings", _PLAN),
    (401, ""): ("settings", _CREDENTIAL),
    (402, ""): ("settings", _PLAN),
    (403, ""): ("settings", _SCOPE),
    (404, ""): ("settings", "Attio does not have this address. Check the API address of this installation."),
    (405, ""): ("settings", "Attio does not support this request. Check the API address of this installation."),
    (408, ""): ("wait", "The request did not reach Attio in time. It will be sent again."),
    (409, ""): ("wait", _BUSY),
    (413, ""): ("record", "This record is too large for Attio. Shorten its texts."),
    (429, ""): ("wait", _SLOWER),
}
"""(status, code) → kind and message. An empty code stands for any code of that status."""

MISSING_ATTRIBUTE = re.compile(r"Cannot find attribute|No attribute was found|Attribute with slug/ID", re.IGNORECASE)
_TITLE = re.compile(r'with title "(.*)"', re.DOTALL)
_PROVIDED_VALUE = re.compile(r'The value ".*" provided', re.DOTALL)
_QUOTED = re.compile(r'((?:slug/ID|slug|ID|endpoint) )?("(?:[^"\\]|\\.)*")')


def problem(
    answer: Answer,
    *,
    writing: bool,
    sent: Any = None,
    secret: str = "",
    slugs: Mapping[str, str] | None = None,
    owners: Sequence[str] = (),
) -> Problem:
    """Turns an unsuccessful answer into a problem.

    Args:
        writing: the request may have changed records, so an unclear answer leaves open whether it did.
        sent: the request's JSON. None of its values appear in the message, and neither does `secret`.
        slugs: attribute ID → slug, to name an attribute if Attio returns only its ID.
        owners: IDs of the records that hold a conflicting value, used if Attio does not name them.
    """
    if answer.status == 429:
        code = answer.code or "rate_limit_exceeded"
        return Unavailable(
            code, f"{_SLOWER} ({code})", detail=_detail(answer), retry_after=answer.retry_after, throttled=True
        )
    if 300 <= answer.status < 400:
        return Misconfigured(f"http_{answer.status}", f"{_REDIRECT} (http_{answer.status})", detail=_detail(answer))
    # A 401 may come without a body. Any other HTML page or empty body comes from a gateway, not from Attio's API.
    if answer.status != 401 and (not answer.json or not 400 <= answer.status < 500):
        return _unclear(answer, writing)
    if answer.code == "value_not_found" and MISSING_ATTRIBUTE.search(answer.message):
        return _missing_attribute(answer)
    kind, advice = _meaning(answer, writing)
    code = answer.code or f"http_{answer.status}"
    if kind == "wait":
        return Unavailable(code, f"{advice} ({code})", detail=_detail(answer), retry_after=answer.retry_after)
    named = answer.named_attribute or _attribute_with_title(sent, answer.message)
    attribute = (slugs or {}).get(named, named)
    specifics = _specifics(answer, attribute, answer.conflicting_records or owners, [sent, secret])
    message = " ".join([advice, *specifics, f"({code})"])
    if kind == "settings":
        return Misconfigured(code, message, detail=_detail(answer), where=attribute or _setting(answer))
    return Rejected(code, message, detail=_detail(answer), field=attribute, request_id=answer.request_id)


def _meaning(answer: Answer, writing: bool) -> tuple[Kind, str]:
    """The row of the table. An unknown error of a write concerns that record; one of a lookup concerns the settings.

    A lookup covers many records, so a rejection can't be attributed to one of them.
    """
    if answer.code.startswith("invalid_filter"):
        return "settings", _FILTER
    row = TABLE.get((answer.status, answer.code)) or TABLE.get((answer.status, ""))
    return row or (("record", _VALUE) if writing else ("settings", _UNKNOWN))


def _setting(answer: Answer) -> str:
    """The setting of the connection that the error concerns: the token, if it is refused or lacks a permission."""
    return "token" if answer.status in (401, 402, 403) else ""


def _unclear(answer: Answer, writing: bool) -> Unavailable:
    code = answer.code or (f"http_{answer.status}" if answer.status >= 300 else "unusable_answer")
    text = _FAILED if answer.status >= 500 else UNREADABLE
    return Unavailable(
        code, f"{text} ({code})", detail=_detail(answer), retry_after=answer.retry_after, ambiguous=writing
    )


def _missing_attribute(answer: Answer) -> Misconfigured:
    named = answer.named_attribute
    text = f"Attio has no attribute {named!r}. Create it there, or map a different one." if named else _ATTRIBUTE
    return Misconfigured("attribute_missing", f"{text} ({answer.code})", detail=_detail(answer), where=named)


def _detail(answer: Answer) -> str:
    return f"HTTP {answer.status} {answer.code}".strip() + (
        f", request {answer.request_id}" if answer.request_id else ""
    )


def _specifics(answer: Answer, attribute: str, owners: Sequence[str], sent: Any) -> Iterator[str]:
    """What the error concerns, and Attio's own message, without any value of the record."""
    if attribute:
        yield f"Attribute: {attribute}."
    if owners:
        yield f"Record in Attio: {', '.join(owners)}."
    values = sorted(set(_values(sent)), key=len, reverse=True)
    if answer.message:
        # Messages about tokens quote the names of scopes, which are needed and harmless.
        clean = _mask if answer.status in (401, 402, 403) else _scrub
        yield f"Attio's message: {clean(answer.message, values)}"
    details = answer.body.get("validation_errors") if isinstance(answer.body, dict) else None
    for entry in details if isinstance(details, list) else ():
        if isinstance(entry, dict) and entry.get("message"):
            path = ".".join(str(part) for part in entry.get("path") or ())
            yield f"({path}: {_scrub(str(entry['message']), values)})"


def _attribute_with_title(sent: Any, message: str) -> str:
    """The only attribute of the request with the option title that the message quotes, or ""."""
    quoted = _TITLE.search(message)
    values = sent["data"].get("values") if isinstance(sent, dict) and isinstance(sent.get("data"), dict) else None
    if quoted is None or not isinstance(values, dict):
        return ""
    names = [name for name, wire in values.items() if quoted[1] in (wire if isinstance(wire, list) else [wire])]
    return names[0] if len(names) == 1 else ""


def _scrub(text: str, values: list[str]) -> str:
    """The text with quotations and values masked, except quoted names of attributes and endpoints.

    Attio quotes both: `attribute with slug "domains"` is needed to find the error, but `title "Secret Project"` may be
    a value of the record.
    """
    text = _PROVIDED_VALUE.sub('The value "…" provided', text)
    pieces: list[str] = []
    end = 0
    for match in _QUOTED.finditer(text):
        pieces.append(_mask(text[end : match.start()], values))
        pieces.append(match[0] if match[1] else '"…"')
        end = match.end()
    return "".join(pieces) + _mask(text[end:], values)


def _mask(text: str, values: list[str]) -> str:
    for value in values:
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text


def _values(sent: Any) -> Iterator[str]:
    """Every text and number in `sent` of at least three characters. Masking shorter ones would garble the message."""
    if isinstance(sent, dict | list):
        for item in sent.values() if isinstance(sent, dict) else sent:
            yield from _values(item)
    elif isinstance(sent, str | int | float) and not isinstance(sent, bool) and len(str(sent)) > 2:
        yield str(sent)
