"""PURE. One answer of a vendor's API, and the error in it, as the error table reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Answer:
    """One complete answer, whatever its status.

    Args:
        call: method and path of the request, e.g. `POST /companies`.
        body: the JSON value, or None if the answer contained none.
        json: whether the answer declares JSON. Gateways answer with HTML.
        request_id: the vendor's ID of the request, for support cases.
        retry_after: the requested wait in seconds, if the vendor sent one.
        writing: the request may have changed something at the vendor.
        record: the request writes a record, so that a rejection concerns that record.
        sent: the content of the request. None of its values may appear in a message.
    """

    call: str
    status: int
    body: Any = None
    json: bool = True
    request_id: str = ""
    retry_after: float | None = None
    writing: bool = False
    record: bool = False
    sent: Any = None

    @property
    def ok(self) -> bool:
        """A success with JSON, or one that says that it has no content."""
        return self.status == 204 or (200 <= self.status < 300 and self.body is not None)

    def text(self, *path: str) -> str:
        """The text or number at this path of keys in the body; "" if there is none."""
        value = self.at(*path)
        return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""

    def at(self, *path: str) -> Any:
        """The value at this path of keys in the body, or None."""
        value = self.body
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def entries(self, *path: str) -> list[Mapping[str, Any]] | None:
        """The objects in the list at this path of keys; None if there is no list."""
        value = self.at(*path)
        return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else None


@dataclass(frozen=True)
class Failure:
    """The error in an answer. Each part of it may be missing.

    Args:
        code: the vendor's error code, or ours if the vendor has one code for several errors.
        vendor_code: the vendor's error code if `code` is ours. It is the one in the message, for support cases.
        message: the vendor's own words.
        field: the attribute in question, if the vendor names one.
        specifics: further sentences for the user, before the vendor's own words.
        noun: what the request writes, for the user.
        readable: whether the answer comes from the vendor's API. Gateways answer with HTML, or with nothing.
    """

    answer: Answer
    code: str = ""
    message: str = ""
    field: str = ""
    specifics: tuple[str, ...] = ()
    noun: str = "record"
    readable: bool = True
    vendor_code: str = ""

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def request_id(self) -> str:
        return self.answer.request_id

    @property
    def name(self) -> str:
        """The code for people who script against it: the vendor's, or else the status."""
        return self.code or f"http_{self.answer.status}"
