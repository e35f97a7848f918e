"""What a request to the simulated Attio holds: its JSON, the values of a write, which page of a list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import json_type, payload, query

if TYPE_CHECKING:
    from destinations.sandbox.wire import Request


def json_object(request: Request) -> dict[str, Any]:
    try:
        found = request.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise payload([], "object", json_type(found))
    return found


def values(request: Request) -> dict[str, Any]:
    """The values of a write. Raises Refusal where `data.values` is no object."""
    inner: Any = json_object(request)
    for depth, key in enumerate(("data", "values"), start=1):
        received = json_type(inner[key]) if key in inner else "undefined"
        if received != "object":
            raise payload(["data", "values"][:depth], "object", received)
        inner = inner[key]
    return dict(inner)


def page(request: Request, found: list[Any]) -> list[Any]:
    offset, limit = integer(request, "offset") or 0, integer(request, "limit")
    return found[offset : None if limit is None else offset + limit]


def integer(request: Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise query([name], "number", "string")
    return int(text)
