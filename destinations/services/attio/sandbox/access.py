"""Who may ask a simulated workspace, for what, and how fast."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from destinations.services.attio.sandbox.errors import Refusal, auth
from destinations.services.attio.sandbox.panel import next_second

if TYPE_CHECKING:
    from collections.abc import Mapping

    from destinations.sandbox.wire import Request


class Bucket:
    """A token bucket: so many requests a second, saved up for a second at most. A rate of 0 lets everything pass."""

    def __init__(self) -> None:
        self.level: float | None = None
        self.at = 0.0

    def take(self, rate: float, now: float) -> bool:
        """Whether a request may pass at `now` (seconds)."""
        if not rate:
            return True
        level = rate if self.level is None else min(rate, self.level + (now - self.at) * rate)
        self.at = now
        self.level = level - 1 if level >= 1 else level
        return level >= 1


def token_of(request: Request) -> str:
    """The token of either scheme: Bearer, or Basic with the token as user and no password."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return credential.strip() if scheme.lower() == "bearer" else ""
    try:
        return base64.b64decode(credential).decode().partition(":")[0]
    except ValueError:
        return ""


def authenticate(request: Request, token: str, *, revoked: bool) -> None:
    """Raises the vendor's 401. `/v2/self` answers any token."""
    if request.path == "/v2/self":
        return
    if not request.headers.get("authorization"):
        raise auth(401, "The Authorization header was not provided.")
    if revoked or token_of(request) != token:
        raise auth(401, "The access token is not valid.")


def pace(request: Request, buckets: Mapping[str, Bucket], switches: Mapping[str, Any], now: float) -> None:
    """Raises the vendor's 429, whose Retry-After is the date of the next second."""
    kind = "reads" if reads(request) else "writes"
    if not buckets[kind].take(float(switches[f"{kind}_per_second"]), now):
        raise _too_much(now)


def score(asked: Any, most_clauses: int | None, now: float) -> None:
    """Raises the vendor's 429 for a query that is too costly by itself."""
    clauses = asked.get("$or") if isinstance(asked, dict) else None
    if most_clauses and isinstance(clauses, list) and len(clauses) > most_clauses:
        raise _too_much(now)


def authorise(request: Request, granted: list[str]) -> None:
    """Raises the vendor's 403 for a scope that is missing."""
    needed = ["object_configuration:read"] if request.path.startswith("/v2/objects") else []
    if "/records" in request.path:
        needed.append("record_permission:read" if reads(request) else "record_permission:read-write")
    for scope in needed:
        if scope not in granted and f"{scope}-write" not in granted:
            raise auth(403, f'The access token is missing the scope "{scope}".')


def scopes(switches: Mapping[str, Any]) -> list[str]:
    found = switches["scopes"]
    return found.split() if isinstance(found, str) else list(found)


def reads(request: Request) -> bool:
    return request.method == "GET" or request.path.endswith(("/query", "/search"))


def _too_much(now: float) -> Refusal:
    return Refusal(
        "rate_limit_exceeded",
        "Rate limit exceeded, please try again later",
        status=429,
        kind="rate_limit_error",
        headers={"Retry-After": next_second(now)},
    )
