"""Reads requests to the simulated Attio: the JSON body, the values of a write, the matching attribute, the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import ApiError, body_error, json_type, query_error

if TYPE_CHECKING:
    from destinations.sandbox.wire import Request
    from destinations.services.attio.sandbox.schema import Attribute, Schema


def json_object(request: Request) -> dict[str, Any]:
    try:
        body = request.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise body_error([], "object", json_type(body))
    return body


def values(request: Request) -> dict[str, Any]:
    """The values of a write. Raises ApiError if `data.values` is not an object."""
    inner: Any = json_object(request)
    for depth, key in enumerate(("data", "values"), start=1):
        received = json_type(inner[key]) if key in inner else "undefined"
        if received != "object":
            raise body_error(["data", "values"][:depth], "object", received)
        inner = inner[key]
    return dict(inner)


def matching_attribute(request: Request, schema: Schema) -> Attribute:
    """The attribute by which an upsert finds its record. Raises ApiError unless it is unique and writable."""
    name = request.query.get("matching_attribute")
    if not name:
        raise query_error(["matching_attribute"], "string", "undefined")
    attribute = schema.find(name)
    if attribute is None or attribute.archived:
        raise ApiError("value_not_found", f'No attribute was found for matching_attribute slug/ID "{name}".')
    if not attribute.unique or not attribute.writable:
        raise ApiError(
            "matching_attribute_definition_not_unique",
            "The matching attribute specified is not a unique attribute.",
        )
    return attribute


def page(request: Request, entries: list[Any]) -> list[Any]:
    """The entries that `limit` and `offset` in the URL select."""
    offset, limit = integer(request, "offset") or 0, integer(request, "limit")
    return entries[offset : None if limit is None else offset + limit]


def page_bounds(body: dict[str, Any], default_limit: int) -> tuple[int, int]:
    """The offset and limit in the body of a record query."""
    offset, limit = body.get("offset", 0), body.get("limit", default_limit)
    if not isinstance(offset, int) or not isinstance(limit, int) or offset < 0 or limit < 0:
        raise body_error(["limit"], "number", json_type(limit))
    return offset, limit


def integer(request: Request, name: str) -> int | None:
    text = request.query.get(name)
    if text is None:
        return None
    if not text.isdecimal():
        raise query_error([name], "number", "string")
    return int(text)
