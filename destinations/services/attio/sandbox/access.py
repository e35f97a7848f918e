"""Authentication, permissions and rate limits of a simulated workspace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from destinations.sandbox.access import token_of
from destinations.services.attio.sandbox.errors import ApiError, auth_error
from destinations.services.attio.sandbox.panel import next_second

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.sandbox.access import Bucket
    from destinations.sandbox.wire import Request


def authenticate(request: Request, token: str, *, revoked: bool) -> None:
    """Raises the vendor's 401. `/v2/self` accepts any token."""
    if request.path == "/v2/self":
        return
    if not request.headers.get("authorization"):
        raise auth_error(401, "The Authorization header was not provided.")
    if revoked or token_of(request) != token:
        raise auth_error(401, "The access token is not valid.")


def check_rate(request: Request, buckets: Mapping[str, Bucket], switches: Mapping[str, Any], now: float) -> None:
    """Raises the vendor's 429 if the rate limit is reached. Its Retry-After is the date of the next second."""
    kind = "reads" if is_read(request) else "writes"
    if not buckets[kind].take(float(switches[f"{kind}_per_second"]), now):
        raise _rate_limit_error(now)


def check_query_score(filter_: Any, max_clauses: int | None, now: float) -> None:
    """Raises the vendor's 429 for a query that is too complex, even within the rate limit."""
    clauses = filter_.get("$or") if isinstance(filter_, dict) else None
    if max_clauses and isinstance(clauses, list) and len(clauses) > max_clauses:
        raise _rate_limit_error(now)


def authorize(request: Request, granted: list[str]) -> None:
    """Raises the vendor's 403 for a missing scope."""
    needed = ["object_configuration:read"] if request.path.startswith("/v2/objects") else []
    if "/records" in request.path:
        needed.append("record_permission:read" if is_read(request) else "record_permission:read-write")
    for scope in needed:
        if scope not in granted and f"{scope}-write" not in granted:
            raise auth_error(403, f'The access token is missing the scope "{scope}".')


def scopes(switches: Mapping[str, Any]) -> list[str]:
    value = switches["scopes"]
    return value.split() if isinstance(value, str) else list(value)


def is_read(request: Request) -> bool:
    return request.method == "GET" or request.path.endswith(("/query", "/search"))


def _rate_limit_error(now: float) -> ApiError:
    return ApiError(
        "rate_limit_exceeded",
        "Rate limit exceeded, please try again later",
        status=429,
        kind="rate_limit_error",
        headers={"Retry-After": next_second(now)},
    )
