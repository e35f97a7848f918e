"""Client for Intercom's REST API: waits for the rate limit, and returns an answer or raises a typed error."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from core import http
from core.errors import Misconfigured, Unavailable
from destinations.contract import Gate, Purpose, Quota
from destinations.services.intercom import error_answer, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = "2.16"
WINDOW_SECONDS = 10.0
"""Intercom divides its limit per minute into windows of this length, and counts requests in each window."""

Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A success: the JSON object and Intercom's request ID."""

    body: Body
    request_id: str


def _now() -> datetime:
    return datetime.now(UTC)


class IntercomClient:
    """The API calls that the services need. Thread-safe.

    Args:
        url: base address without a trailing slash.
        region: the region chosen for the connection (`us`, `eu`, `au`), to compare with the workspace's own.
        gate: waited on before every request, and updated from the headers of every answer.
        threads: how many threads send at the same time.
        now: the clock.
    """

    def __init__(
        self, url: str, token: str, region: str, gate: Gate, threads: int, now: Callable[[], datetime] = _now
    ) -> None:
        self.url = url
        self.token = token
        self.region = region
        self.gate = gate
        self.now = now
        self.http = http.session(threads)
        self.created_at_updatable = True
        """Whether `PUT /companies/{id}` accepts `remote_created_at`. The API reference does not list it, so this is
        assumed until the first time it fails."""
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Intercom-Version": VERSION,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    def close(self) -> None:
        """Closes the connection pool."""
        self.http.close()

    def me(self) -> Body:
        """The admin that the token belongs to, with the workspace under `app`."""
        return self.call(Purpose.DISCOVERY, "GET", "/me").body

    def attributes(self, model: str) -> list[Body]:
        """Every data attribute of `company` or `contact`, including archived ones. This list is not paginated."""
        params = {"model": model, "include_archived": "true"}
        answer = self.call(Purpose.DISCOVERY, "GET", "/data_attributes", params=params)
        entries = answer.body.get("data")
        if not isinstance(entries, list):
            raise errors.unusable_answer("GET /data_attributes", answer.request_id)
        return [entry for entry in entries if isinstance(entry, dict)]

    def create_attribute(self, name: str, data_type: str, model: str) -> Body:
        """Creates a custom attribute of `company` or `contact` and returns it."""
        attribute = {"name": name, "model": model, "data_type": data_type}
        return self.call(Purpose.DISCOVERY, "POST", "/data_attributes", json=attribute).body

    def unarchive_attribute(self, attribute_id: Any) -> Body:
        """Unarchives an attribute by Intercom's ID and returns it."""
        path = f"/data_attributes/{quote(str(attribute_id), safe='')}"
        return self.call(Purpose.DISCOVERY, "PUT", path, json={"archived": False}).body

    def find(self, company_id: str) -> Answer | None:
        """The answer to a lookup by `company_id`, or None if Intercom has no such company.

        In practice the answer is a single company, but the published schema describes a list. Callers handle both.
        """
        return self.call_or_none(Purpose.LOOKUP, "GET", "/companies", params={"company_id": company_id})

    def get(self, remote_id: str) -> Answer | None:
        """The company with this Intercom ID, or None if it no longer exists."""
        return self.call_or_none(Purpose.LOOKUP, "GET", _path(remote_id))

    def post(self, company: Body) -> Answer:
        """Creates or updates a company by `company_id`. The answer does not tell the two apart."""
        return _company_answer(self.call(Purpose.WRITE, "POST", "/companies", json=company), "POST /companies")

    def put(self, remote_id: str, company: Body) -> Answer | None:
        """Updates a company by its Intercom ID. Never creates one: returns None if it no longer exists."""
        answer = self.call_or_none(Purpose.WRITE, "PUT", _path(remote_id), json=company)
        return _company_answer(answer, "PUT /companies") if answer else None

    def call(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Answer:
        """Sends a request that has to succeed. Raises the error that `errors.problem` returns for any other answer."""
        result = self.send(purpose, method, path, params, json)
        if isinstance(result, Answer):
            return result
        raise errors.problem(result)

    def call_or_none(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Answer | None:
        """Sends a request for a record that may not exist: None if Intercom has no such record."""
        result = self.send(purpose, method, path, params, json)
        if isinstance(result, Answer):
            return result
        if result.status == 404 and result.code in errors.GONE:
            return None
        raise errors.problem(result)

    def send(
        self, purpose: Purpose, method: str, path: str, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Answer | error_answer.ErrorAnswer:
        """Sends one request as soon as the rate limit allows, and returns a success or Intercom's error.

        Raises:
            Unavailable: no answer, or one that can't be read.
        """
        self.gate.wait(purpose)
        response = self._exchange(method, path, params, json)
        now = self.now()
        quota = read_quota(response.headers, now)
        if quota:
            self.gate.learn(purpose, quota)
        body, request_id = http.body(response), response.headers.get("X-Request-Id", "")
        if 200 <= response.status_code < 300:
            if not isinstance(body, dict):
                raise errors.unusable_answer(f"{method} {path}", request_id)
            return Answer(body, request_id)
        return error_answer.parse(
            f"{method} {path}",
            response.status_code,
            body,
            sent=[json, params, self.token],
            request_id=request_id,
            retry_after=_wait_seconds(response.headers, quota if response.status_code == 429 else None, now),
        )

    def _exchange(self, method: str, path: str, params: Mapping[str, str] | None, json: Any) -> requests.Response:
        try:
            return http.send(self.http, method, self.url + path, headers=self.headers, params=params, json=json)
        except Unavailable as problem:
            # Repeating a read is always safe, whether or not Intercom processed the first one.
            problem.ambiguous = problem.ambiguous and errors.is_write(f"{method} {path}")
            raise
        except requests.RequestException as error:
            raise Misconfigured(
                "address_invalid",
                "The address of Intercom's API is not valid. Check INTERCOM_API_URL.",
                detail=type(error).__name__,
                where="INTERCOM_API_URL",
            ) from None


def read_quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """PURE. The quota from the `X-RateLimit-*` headers, with its end on our clock; None if they are missing.

    `X-RateLimit-Remaining` appears to be counted before the request that it answers. If it is 10, only 9 requests can
    still be relied on.
    """
    try:
        reset = int(headers["X-RateLimit-Reset"])
        remaining = int(headers["X-RateLimit-Remaining"])
        limit = int(headers["X-RateLimit-Limit"]) if "X-RateLimit-Limit" in headers else None
        reset_at = now + timedelta(seconds=reset - _vendor_time(headers, now).timestamp())
    except (KeyError, ValueError, OverflowError):
        return None
    return Quota(max(0, remaining - 1), reset_at, limit, WINDOW_SECONDS)


def _vendor_time(headers: Mapping[str, str], now: datetime) -> datetime:
    """Intercom's time according to its answer, so that a wrong clock on our side does not change how long we wait.

    Differences below two seconds are ignored: the `Date` header has whole seconds, and the answer took time to arrive.
    """
    date = http.date(headers.get("Date", ""))
    return now if date is None or abs((date - now).total_seconds()) < 2 else date


def _wait_seconds(headers: Mapping[str, str], exhausted: Quota | None, now: datetime) -> float | None:
    """The wait that `Retry-After` requests, or else the time until the `exhausted` window ends.

    `exhausted` is passed for a 429 only: the window has nothing to do with any other error.
    """
    retry_after = http.retry_after(headers, _vendor_time(headers, now))
    if retry_after is None and exhausted:
        return max(0.0, (exhausted.reset_at - now).total_seconds())
    return retry_after


def _company_answer(answer: Answer, call: str) -> Answer:
    if not isinstance(answer.body.get("id"), str):
        raise errors.unusable_answer(call, answer.request_id)
    return answer


def _path(remote_id: str) -> str:
    return f"/companies/{quote(remote_id, safe='')}"
