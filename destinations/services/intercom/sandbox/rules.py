"""The simulator's general rules: error answers, required permissions, media types and the rate limit."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from destinations.sandbox.wire import Reply, Request

if TYPE_CHECKING:
    from collections.abc import Callable

VERSIONS = frozenset(
    {*(f"1.{minor}" for minor in range(5)), *(f"2.{minor}" for minor in range(17)), "Preview", "Unstable"}
)
UNLIMITED = 1_000_000

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


class ApiError(Exception):
    """The vendor's error answer to a request."""

    def __init__(self, status: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message, **({"field": field} if field else {})}

    def reply(self, request_id: str) -> Reply:
        """The answer as an `error.list`."""
        return Reply(self.status, {"type": "error.list", "request_id": request_id, "errors": [self.error]})


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


class Window:
    """Counts requests in fixed time windows.

    Like Intercom's, the `Remaining` header does not yet include the request that it answers.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.number = -1
        self.used = 0
        self.headers: dict[str, str] = {}

    def take(self, limit: int, seconds: float) -> None:
        """Counts one request. With a limit of 0, all requests are allowed.

        Raises:
            ApiError: the limit of the window is reached.
        """
        limit = limit or UNLIMITED
        number = int(self.clock() // seconds)
        if number != self.number:
            self.number, self.used = number, 0
        remaining = max(0, limit - self.used)
        self.headers = {
            "X-RateLimit-Limit": str(limit),
            "X-RateLimit-Remaining": str(remaining),
            "X-RateLimit-Reset": str(math.ceil((number + 1) * seconds)),
        }
        if not remaining:
            raise ApiError(429, "rate_limit_exceeded", f"Exceeded rate limit of {limit} in 10_seconds")
        if limit != UNLIMITED:
            self.used += 1
