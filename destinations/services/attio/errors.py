"""PURE. What Attio's refusals mean for us: one table from status and code to what happens next.

Codes: official OpenAPI document and recorded answers. Its lists of codes are incomplete, so an unknown one goes by its status.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from core.errors import Misconfigured, Problem, Rejected, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Kind = Literal["record", "settings", "wait"]

_ATTRIBUTE = "An attribute of the mapping is not in Attio (any more). Create it there, or map another one."
_CREDENTIAL = "Attio refuses the access token. Create one in Attio under Workspace settings, Developers, and enter it in the connection."
_SCOPE = "Attio does not let this access token do that. Give it record permission (read-write) and object configuration (read)."
_PLAN = "The plan or the features of the Attio workspace do not allow this. Ask an admin of the workspace."
_FILTER = "Attio refuses the look-up of the match attribute. Choose another match attribute."
_VALUE = "Attio does not accept a value of this record. Correct it in the source."
_TAKEN = "Another record in Attio holds one of these values already. Merge the two in Attio, or correct the source."
_UNKNOWN = "Attio refuses this request for a reason that this version does not know. Ask an admin of the workspace, and tell us."
_BUSY = "Attio is changing this record at this moment. The write is tried again."
_UNREADABLE = "Attio's answer could not be understood. The request is tried again."
_REDIRECT = "Attio's API address answers with a redirect. Check the API address of this installation."
_FAILED = "Attio has a failure of its own. The request is tried again."
_SLOWER = "Attio asked to slow down. The request is sent again when its limit allows."

TABLE: dict[tuple[int, str], tuple[Kind, str]] = {
    (400, "validation_type"): ("record", _VALUE),
    (400, "value_not_found"): (
        "record",
        "Attio has no such option, record or member. Add it in Attio, or correct the source.",
    ),
    (400, "uniqueness_conflict"): ("record", _TAKEN),
    (400, "duplicate_values"): ("record", "A list of this record holds a value twice. Correct it in the source."),
    (400, "multiple_match_results"): ("record", "Several records in Attio hold this match value. Merge them in Attio."),
    (400, "multiple_values_for_single_value_attribute"): (
        "record",
        "An attribute for one value was given several. Map one value.",
    ),
    (400, "missing_value"): (
        "record",
        "Attio requires an attribute that this record leaves empty. Map it, or fill it in the source.",
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
        "This object is switched off in Attio. Ask an admin of the workspace to enable it.",
    ),
    (400, "particle_gate_violation"): ("settings", _PLAN),
    (400, "quota_exceeded"): ("settings", _PLAN),
    (400, "merge_in_progress"): ("wait", _BUSY),
    (404, "merge_in_progress"): ("wait", _BUSY),
    (409, "concurrent_write_conflict"): ("wait", _BUSY),
    (409, "slug_conflict"): (
        "settings",
        "Attio has an attribute or option of this name already, maybe archived. Use that one.",
    ),
    (404, "not_found"): (
        "settings",
        "Attio does not have what was asked for. Check that the object and its attributes still exist.",
    ),
    (403, "billing_error"): ("settings", _PLAN),
    (401, ""): ("settings", _CREDENTIAL),
    (402, ""): ("settings", _PLAN),
    (403, ""): ("settings", _SCOPE),
    (404, ""): ("settings", "Attio does not know this address. Check the API address of this installation."),
    (405, ""): ("settings", "Attio does not know this request. Check the API address of this installation."),
    (408, ""): ("wait", "Attio did not get the request in time. It is sent again."),
    (409, ""): ("wait", _BUSY),
    (413, ""): ("record", "This record is too large for Attio. Shorten its texts."),
    (429, ""): ("wait", _SLOWER),
}
"""(status, code) → meaning; an empty code is any code of that status."""

MISSING_ATTRIBUTE = re.compile(r"Cannot find attribute|No attribute was found|Attribute with slug/ID", re.IGNORECASE)
_RECORD_GONE = re.compile(r"^(?!Object |Attribute |Cannot find attribute|Could not find endpoint)")
_NAMED = re.compile(r'(?:slug/ID|slug|with ID) "([^"]+)"')
_TITLE = re.compile(r'with title "(.*)"', re.DOTALL)
_CONFLICTING = re.compile(r"Conflicting record IDs?:\s*([0-9a-f-]{36}(?:\s*,\s*[0-9a-f-]{36})*)", re.IGNORECASE)
_THE_VALUE = re.compile(r'The value ".*" provided', re.DOTALL)
_QUOTED = re.compile(r'((?:slug/ID|slug|ID|endpoint) )?("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class Answer:
    """One answer of Attio.

    Args:
        body: the JSON, or None where the answer held none.
        request_id: Attio's id of the execution, for a support case.
        retry_after: seconds, where Attio said so.
    """

    status: int
    body: Any
    json: bool = True
    request_id: str = ""
    retry_after: float | None = None

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300 and isinstance(self.body, dict)

    @property
    def code(self) -> str:
        return self._text("code")

    @property
    def message(self) -> str:
        return self._text("message")

    @property
    def record_is_gone(self) -> bool:
        """Whether a request for one record by id was answered that there is no such record."""
        return self.status == 404 and self.code == "not_found" and bool(_RECORD_GONE.match(self.message))

    @property
    def named_attribute(self) -> str:
        """The slug or id of the attribute that the answer names, or ""."""
        match = _NAMED.search(self.message)
        return match[1] if match else next(self._invalid_attributes(), "")

    def _invalid_attributes(self) -> Iterator[str]:
        """The attributes in the paths of the validation errors: `data.values.<slug>`."""
        listed = self.body.get("validation_errors") if isinstance(self.body, dict) else None
        for entry in listed if isinstance(listed, list) else ():
            path = entry.get("path") if isinstance(entry, dict) else None
            if isinstance(path, list) and path[:2] == ["data", "values"] and len(path) > 2:
                yield str(path[2])

    @property
    def conflicting_records(self) -> list[str]:
        """The ids of the records that hold a value already, where the message names them."""
        match = _CONFLICTING.search(self.message)
        return [part.strip() for part in match[1].split(",")] if match else []

    def _text(self, name: str) -> str:
        return str(self.body.get(name) or "") if isinstance(self.body, dict) else ""


def problem(
    answer: Answer,
    *,
    writing: bool,
    sent: Any = None,
    secret: str = "",
    slugs: Mapping[str, str] | None = None,
    owners: Sequence[str] = (),
) -> Problem:
    """What an answer that is no success means.

    Args:
        writing: the request may have changed records, so that an unclear answer leaves open whether it did.
        sent: the request's JSON; like the `secret`, none of its values will appear in the message.
        slugs: attribute id → slug, to name an attribute of which Attio gives the id only.
        owners: ids of the records that hold the value of a conflict, where Attio does not name them itself.
    """
    if answer.status == 429:
        code = answer.code or "rate_limit_exceeded"
        return Unavailable(
            code, f"{_SLOWER} ({code})", detail=_detail(answer), retry_after=answer.retry_after, throttled=True
        )
    if 300 <= answer.status < 400:
        return Misconfigured(f"http_{answer.status}", f"{_REDIRECT} (http_{answer.status})", detail=_detail(answer))
    # A refused token may come without a body; any other page or nothing is a gateway's.
    if answer.status != 401 and (not answer.json or not 400 <= answer.status < 500):
        return _unclear(answer, writing)
    if answer.code == "value_not_found" and MISSING_ATTRIBUTE.search(answer.message):
        return _missing_attribute(answer)
    kind, advice = _meaning(answer, writing)
    code = answer.code or f"http_{answer.status}"
    if kind == "wait":
        return Unavailable(code, f"{advice} ({code})", detail=_detail(answer), retry_after=answer.retry_after)
    named = answer.named_attribute or _holder(sent, answer.message)
    attribute = (slugs or {}).get(named, named)
    said = " ".join(
        [advice, *_said(answer, attribute, answer.conflicting_records or owners, [sent, secret]), f"({code})"]
    )
    if kind == "settings":
        return Misconfigured(code, said, detail=_detail(answer), where=attribute)
    return Rejected(code, said, detail=_detail(answer), field=attribute, request_id=answer.request_id)


def _meaning(answer: Answer, writing: bool) -> tuple[Kind, str]:
    """The table's row. What is unknown concerns the record that is written; a look-up concerns many, and so the settings."""
    if answer.code.startswith("invalid_filter"):
        return "settings", _FILTER
    found = TABLE.get((answer.status, answer.code)) or TABLE.get((answer.status, ""))
    return found or (("record", _VALUE) if writing else ("settings", _UNKNOWN))


def _unclear(answer: Answer, writing: bool) -> Unavailable:
    code = answer.code or (f"http_{answer.status}" if answer.status >= 300 else "unusable_answer")
    text = _FAILED if answer.status >= 500 else _UNREADABLE
    return Unavailable(
        code, f"{text} ({code})", detail=_detail(answer), retry_after=answer.retry_after, ambiguous=writing
    )


def _missing_attribute(answer: Answer) -> Misconfigured:
    named = answer.named_attribute
    text = (
        f"The destination has no attribute {named!r} (any more). Create it there, or map another one."
        if named
        else _ATTRIBUTE
    )
    return Misconfigured("attribute_missing", f"{text} ({answer.code})", detail=_detail(answer), where=named)


def _detail(answer: Answer) -> str:
    return f"HTTP {answer.status} {answer.code}".strip() + (
        f", request {answer.request_id}" if answer.request_id else ""
    )


def _said(answer: Answer, attribute: str, owners: Sequence[str], sent: Any) -> Iterator[str]:
    """Attio's own words and what they concern, without any value of the record."""
    if attribute:
        yield f"Attribute: {attribute}."
    if owners:
        yield f"Record in Attio: {', '.join(owners)}."
    values = sorted(set(_values(sent)), key=len, reverse=True)
    if answer.message:
        # What is said of a token is about scopes, and quotes those.
        clean = _without if answer.status in (401, 403) else _scrubbed
        yield f"Attio said: {clean(answer.message, values)}"
    details = answer.body.get("validation_errors") if isinstance(answer.body, dict) else None
    for entry in details if isinstance(details, list) else ():
        if isinstance(entry, dict) and entry.get("message"):
            path = ".".join(str(part) for part in entry.get("path") or ())
            yield f"({path}: {_scrubbed(str(entry['message']), values)})"


def _holder(sent: Any, message: str) -> str:
    """The one attribute of the request that holds the title which the message quotes, or ""."""
    quoted = _TITLE.search(message)
    values = sent["data"].get("values") if isinstance(sent, dict) and isinstance(sent.get("data"), dict) else None
    if quoted is None or not isinstance(values, dict):
        return ""
    holders = [name for name, wire in values.items() if quoted[1] in (wire if isinstance(wire, list) else [wire])]
    return holders[0] if len(holders) == 1 else ""


def _scrubbed(text: str, values: list[str]) -> str:
    """The text without quotations, but for names of attributes and the like, and without the values."""
    text = _THE_VALUE.sub('The value "…" provided', text)
    kept: list[str] = []
    end = 0
    for match in _QUOTED.finditer(text):
        kept.append(_without(text[end : match.start()], values))
        kept.append(match[0] if match[1] else '"…"')
        end = match.end()
    return "".join(kept) + _without(text[end:], values)


def _without(text: str, values: list[str]) -> str:
    for value in values:
        text = re.sub(rf"(?<!\w){re.escape(value)}(?!\w)", "…", text, flags=re.IGNORECASE)
    return text


def _values(sent: Any) -> Iterator[str]:
    """Every text and number below `sent`; the shortest would only eat words."""
    if isinstance(sent, dict | list):
        for item in sent.values() if isinstance(sent, dict) else sent:
            yield from _values(item)
    elif isinstance(sent, str | int | float) and not isinstance(sent, bool) and len(str(sent)) > 2:
        yield str(sent)
