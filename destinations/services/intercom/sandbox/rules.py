"""The simulator's general rules: error answers, required permissions, media types and the rate limit."""

from __future__ import annotations

import re
from typing import Any

from destinations.sandbox.wire import ApiError, Reply, Request

VERSIONS = frozenset(
    {*(f"1.{minor}" for minor in range(5)), *(f"2.{minor}" for minor in range(17)), "Preview", "Unstable"}
)

SCOPES = (
    (re.compile(r"GET /me"), "Read one admin"),
    (
        re.compile(
            r"(POST /companies/list|GET /companies/scroll|GET /data_attributes|GET /contacts/.*|POST /contacts/search)"
        ),
        "Read and list users and companies",
    ),
    (re.compile(r"GET /companies.*"), "Read one user and one company"),
    (re.compile(r"\w+ /data_attributes.*"), "Write data attributes"),
    (re.compile(r"\w+ /(companies|contacts).*"), "Write users and companies"),
)


def error_list(error: ApiError, request_id: str) -> Reply:
    """Intercom's answer to a request that ends with this error."""
    entry = {"code": error.code, "message": error.message, **({"field": error.field} if error.field else {})}
    return Reply(error.status, {"type": "error.list", "request_id": request_id, "errors": [entry]})


def invalid(message: str) -> ApiError:
    """The error for most invalid values."""
    return ApiError(400, "parameter_invalid", message)


def bad_parameter(name: str) -> ApiError:
    """The error for a key that the request does not accept."""
    return ApiError(400, "bad_request", f"bad '{name}' parameter")


def company_not_found() -> ApiError:
    return ApiError(404, "company_not_found", "Company Not Found")


def required_scope(request: Request) -> str:
    """The permission that a request requires; empty for requests that don't exist."""
    call = f"{request.method} {request.path}"
    return next((scope for pattern, scope in SCOPES if pattern.fullmatch(call)), "")


def json_object(request: Request) -> dict[str, Any]:
    """The body of a write request.

    Raises:
        ApiError: the body is not valid JSON, or not an object.
    """
    try:
        body = request.json()
    except ValueError:
        raise invalid("The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise invalid("The request body must be a JSON object")
    return body


def check_media_types(request: Request) -> None:
    """Checks that the request sends and accepts JSON.

    Raises:
        ApiError: 406 or 415.
    """
    accepted = request.headers.get("accept", "*/*")
    if "json" not in accepted and "*/*" not in accepted:
        raise ApiError(
            406, "media_type_not_acceptable", "The Accept header should send a media type of application/json"
        )
    if request.body and "json" not in request.headers.get("content-type", ""):
        raise ApiError(
            415, "media_type_not_supported", "The Content-Type header should send a media type of application/json"
        )
