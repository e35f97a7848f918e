"""What a client and a simulator exchange: requests, replies, and faults that disturb them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Editor = Literal["person", "integration", "vendor"]
"""Who edits a record at the vendor, besides this application."""


@dataclass(frozen=True)
class Request:
    """What the client sent. Header names are lowercase."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises ValueError if the body is not valid JSON."""
        return json.loads(self.body)


@dataclass
class Reply:
    """The response: a JSON value, or text to send as it is."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass
class Fault:
    """Something that goes wrong for the next `times` matching requests.

    Args:
        method, path: only requests with this method ("" for all) and with a path in which this regular expression
            finds a match.
        body_contains: only requests whose body contains this text ("" for all).
        action: `reply` responds with `status`, `body` and `headers` without processing the request; `cut` closes the
            connection without processing it; `cut_after` processes it, then closes the connection; `delay` waits
            `seconds`, then processes it; `delay_after` processes it, then waits before responding.
    """

    action: str
    method: str = ""
    path: str = ""
    body_contains: str = ""
    times: int = 1
    status: int = 500
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    def matches(self, request: Request) -> bool:
        return (
            self.times > 0
            and self.method in ("", request.method)
            and re.search(self.path, request.path) is not None
            and self.body_contains.encode() in request.body
        )


class Cut(Exception):
    """Close the connection without a response."""


class ApiError(Exception):
    """Ends a request with the vendor's error response. Nothing of the request is stored.

    Args:
        code: the vendor's error code.
        field: the attribute that the response names, if any.
    """

    def __init__(
        self, status: int, code: str, message: str, *, field: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})


@dataclass(frozen=True)
class Collection:
    """One kind of record in a simulated workspace, for its browser page and for tests.

    Args:
        records: the vendor's ID → the record as the simulator stores it, oldest first.
        as_dict: converts a stored record to plain values.
        attributes: name, type, `archived` and `fixed` of each attribute; `fixed` ones can't be archived. The
            conformance suite compares a service with `writable` (the API accepts values) and, where they apply, with
            `unique` (records can be found by it), `multiple` (a list), `required`, `clearable` (if false, there is
            always a value) and `options` (titles).
        values: the stored value of each attribute of a record by the attribute's name; without it, those in `as_dict`.
    """

    records: Mapping[str, Any]
    as_dict: Callable[[Any], dict[str, Any]]
    attributes: Callable[[], list[dict[str, Any]]]
    values: Callable[[Any], Mapping[str, Any]] | None = None

    def values_of(self, record: Any) -> Mapping[str, Any]:
        """The stored value of each attribute by name."""
        return (self.values or self.as_dict)(record)


@dataclass(frozen=True)
class Switch:
    """One aspect of a simulator's behavior that people can change. The default applies until they do.

    Args:
        kind: `flag`, `number`, `choice`, `text`, `list` (of texts) or `json`.
        choices: the options of a `choice`, the default first.
    """

    name: str
    label: str
    kind: Literal["flag", "number", "choice", "text", "list", "json"] = "flag"
    default: Any = None
    choices: tuple[Any, ...] = ()
