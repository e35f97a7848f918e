"""PURE. What Attio's errors mean for a run: one table from status and code to what happens next.

Sources: the official OpenAPI document and recorded answers. Its lists of codes are incomplete, so an unknown code is
treated like its status.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from destinations.kit.answer import Failure
from destinations.kit.errors import CREDENTIAL_STATUSES, ErrorTable, Next, Rule
from destinations.kit.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from core.errors import Problem
    from destinations.services.attio.answer import Answer

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

RECORD, SETTINGS, WAIT = Next
_NO_OPTION = "Attio has no such option, record or member. Add it in Attio, or correct the source."
_DUPLICATE = "A list in this record contains a value twice. Correct it in the source."
_SEVERAL_MATCH = "More than one record in Attio has this match value. Merge them in Attio."
_SINGLE = "An attribute that takes one value received more than one. Map a single value."
_REQUIRED = "An attribute that is required in Attio is empty in this record. Map it, or fill it in the source."
_NOT_UNIQUE = "The match attribute is not unique in Attio. Choose a unique one."
_READ_ONLY = "A mapped attribute is read-only in Attio. Remove its mapping."
_FORMULA = "A mapped attribute is a formula in Attio. Remove its mapping."
_IMMUTABLE = "A mapped attribute can't be changed in Attio. Remove its mapping."
_DISABLED = "This object is disabled in Attio. Ask an admin of the workspace to enable it."
_SLUG_TAKEN = "Attio already has an attribute or option with this name, possibly archived. Use the existing one."
_NO_OBJECT = "The requested object or attribute was not found in Attio. Check that it still exists."
_NO_ADDRESS = "Attio does not have this address. Check the API address of this installation."
_NOT_SUPPORTED = "Attio does not support this request. Check the API address of this installation."
_LATE = "The request did not reach Attio in time. It will be sent again."
_TOO_LARGE = "This record is too large for Attio. Shorten its texts."
_NAMED = r'(?:slug/ID|slug|with ID) "(?P<name>[^"]+)"'

RULES = (
    Rule(SETTINGS, "Attio has no attribute “{name}”. Create it there, or map a different one.",
         code="attribute_missing", message=_NAMED),
    Rule(SETTINGS, _ATTRIBUTE, code="attribute_missing"),
    Rule(RECORD, _VALUE, 400, "validation_type"),
    Rule(RECORD, _NO_OPTION, 400, "value_not_found"),
    Rule(RECORD, _TAKEN, 400, "uniqueness_conflict"),
    Rule(RECORD, _DUPLICATE, 400, "duplicate_values"),
    Rule(RECORD, _SEVERAL_MATCH, 400, "multiple_match_results"),
    Rule(RECORD, _SINGLE, 400, "multiple_values_for_single_value_attribute"),
    Rule(RECORD, _REQUIRED, 400, "missing_value"),
    Rule(SETTINGS, _NOT_UNIQUE, 400, "matching_attribute_definition_not_unique"),
    Rule(SETTINGS, _READ_ONLY, 400, "system_edit_unauthorized"),
    Rule(SETTINGS, _FORMULA, 400, "formula_edit_unauthorized"),
    Rule(SETTINGS, _IMMUTABLE, 400, "immutable_value"),
    Rule(SETTINGS, _FILTER, 400, "filter_error"),
    Rule(SETTINGS, _FILTER, code="invalid_filter*"),
    Rule(SETTINGS, _ATTRIBUTE, 400, "unknown_filter_attribute_slug"),
    Rule(SETTINGS, _FILTER, 400, "missing_sort_field"),
    Rule(SETTINGS, _DISABLED, 400, "standard_object_disabled"),
    Rule(SETTINGS, _PLAN, 400, "particle_gate_violation"),
    Rule(SETTINGS, _PLAN, 400, "quota_exceeded"),
    Rule(WAIT, _BUSY, code="merge_in_progress"),
    Rule(SETTINGS, _SLUG_TAKEN, 409, "slug_conflict"),
    Rule(SETTINGS, _NO_OBJECT, 404, "not_found"),
    Rule(SETTINGS, _PLAN, 403, "billing_error", where="token"),
    Rule(SETTINGS, _CREDENTIAL, 401, where="token"),
    Rule(SETTINGS, _PLAN, 402, where="token"),
    Rule(SETTINGS, _SCOPE, 403, where="token"),
    Rule(SETTINGS, _NO_ADDRESS, 404),
    Rule(SETTINGS, _NOT_SUPPORTED, 405),
    Rule(WAIT, _LATE, 408),
    Rule(WAIT, _BUSY, 409),
    Rule(RECORD, _TOO_LARGE, 413),
)  # fmt: skip

MISSING_ATTRIBUTE = re.compile(r"Cannot find attribute|No attribute was found|Attribute with slug/ID", re.IGNORECASE)
_TITLE = re.compile(r'with title "(.*)"', re.DOTALL)
_PROVIDED_VALUE = re.compile(r'The value ".*" provided', re.DOTALL)
_QUOTED = re.compile(r'((?:slug/ID|slug|ID|endpoint) )?("(?:[^"\\]|\\.)*")')


def problem(answer: Answer, *, slugs: Mapping[str, str] | None = None, owners: Sequence[str] = ()) -> Problem:
    """Turns an unsuccessful answer into a problem. None of the values that were sent appear in the message.

    Args:
        slugs: attribute ID → slug, to name an attribute if Attio returns only its ID.
        owners: IDs of the records that hold a conflicting value, used if Attio does not name them.
    """
    missing = answer.code == "value_not_found" and MISSING_ATTRIBUTE.search(answer.message)
    named = answer.named_attribute or _attribute_with_title(answer.sent, answer.message)
    attribute = (slugs or {}).get(named, named)
    return TABLE.problem(
        Failure(
            answer,
            "attribute_missing" if missing else answer.code,
            answer.message,
            attribute,
            tuple(_specifics(attribute, answer.conflicting_records or owners)),
            readable=answer.json,
            vendor_code=answer.code,
        )
    )


def _specifics(attribute: str, owners: Sequence[str]) -> Iterator[str]:
    """What the error concerns."""
    if attribute:
        yield f"Attribute: {attribute}."
    if owners:
        yield f"Record in Attio: {', '.join(owners)}."


def _words(failure: Failure) -> str:
    """Attio's own message and its validation errors, without any value of the record."""
    answer = failure.answer
    # Messages about tokens quote the names of scopes, which are needed and harmless.
    clean = _mask if answer.status in CREDENTIAL_STATUSES else _scrub
    message = clean(failure.message, answer.sent) if failure.message else ""
    details = (
        _detail(entry, answer.sent) for entry in answer.entries("validation_errors") or () if entry.get("message")
    )
    return " ".join(filter(None, [message, *details]))


def _detail(entry: Mapping[str, Any], sent: Any) -> str:
    path = entry.get("path")
    place = ".".join(map(str, path)) if isinstance(path, list) else ""
    return f"({place}: {_scrub(str(entry['message']), sent)})"


def _attribute_with_title(sent: Any, message: str) -> str:
    """The only attribute of the request with the option title that the message quotes, or ""."""
    quoted = _TITLE.search(message)
    body = sent[0] if isinstance(sent, list) else sent
    values = body["data"].get("values") if isinstance(body, dict) and isinstance(body.get("data"), dict) else None
    if quoted is None or not isinstance(values, dict):
        return ""
    names = [name for name, wire in values.items() if quoted[1] in (wire if isinstance(wire, list) else [wire])]
    return names[0] if len(names) == 1 else ""


def _scrub(text: str, sent: Any) -> str:
    """The text with quotations and values masked, except quoted names of attributes and endpoints.

    Attio quotes both: `attribute with slug "domains"` is needed to find the error, but `title "Secret Project"` may be
    a value of the record.
    """
    text = _PROVIDED_VALUE.sub('The value "…" provided', text)
    pieces: list[str] = []
    end = 0
    for match in _QUOTED.finditer(text):
        pieces.append(_mask(text[end : match.start()], sent))
        pieces.append(match[0] if match[1] else '"…"')
        end = match.end()
    return "".join(pieces) + _mask(text[end:], sent)


def _mask(text: str, sent: Any) -> str:
    return redacted(text, sent, mask="…", keep_keys=False)


TABLE = ErrorTable("Attio", RULES, record=_VALUE, settings=_UNKNOWN, intro="", words=_words)
