"""What passes between a client and a simulator: requests, replies, and what may go wrong with them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True)
class Request:
    """What the client sent; header names are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises ValueError where the body is no JSON."""
        return json.loads(self.body)


@dataclass
class Reply:
    """What goes back: a JSON value, or text as it is."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encoded(self) -> bytes:
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass
class Fault:
    """Something that goes wrong for the next `times` matching requests.

    Args:
        method, path: which requests: a method ("" for all) and a regular expression searched in the path.
        body_contains: only requests whose body holds this text ("" for all).
        action: `reply` answers `status`, `body`, `headers` without processing; `cut` closes the connection unprocessed;
            `cut_after` processes and then closes it; `delay` waits `seconds` and processes; `delay_after` processes, waits, answers.
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

    def meets(self, request: Request) -> bool:
        return (
            self.times > 0
            and self.method in ("", request.method)
            and re.search(self.path, request.path) is not None
            and self.body_contains.encode() in request.body
        )


class Cut(Exception):
    """Close the connection without an answer."""


@dataclass(frozen=True)
class Collection:
    """One kind of record of a simulated workspace, as its browser page shows it.

    Args:
        records: the vendor's id → whatever the simulator keeps, the oldest first.
        shown: a kept record as plain values.
        attributes: name, type and `archived` of each attribute; `fixed` ones can't be archived.
    """

    records: Mapping[str, Any]
    shown: Callable[[Any], dict[str, Any]]
    attributes: Callable[[], list[dict[str, Any]]]


@dataclass(frozen=True)
class Switch:
    """One thing that a person may change in the behaviour of a simulator; the default is what it does without.

    Args:
        kind: `flag`, `number`, `choice`, `text`, `list` (of texts) or `json`.
        choices: the answers of a `choice`, the default first.
    """

    name: str
    label: str
    kind: Literal["flag", "number", "choice", "text", "list", "json"] = "flag"
    default: Any = None
    choices: tuple[Any, ...] = ()
