"""Intercom's REST API with one token: paced, every answer either usable or an error typed by what happens next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from core import http
from core.errors import Misconfigured, Unavailable
from destinations.contract import Gate, Purpose, Quota
from destinations.services.intercom import errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VERSION = "2.16"
WINDOW_SECONDS = 10.0
"""Intercom spreads the limit of a minute over windows of this length and counts in them."""

Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """A success: the JSON object and Intercom's id of the request."""

    body: Body
    request_id: str


def _now() -> datetime:
    return datetime.now(UTC)


class IntercomClient:
    """The calls that the service needs. Safe for many threads.

    Args:
        url: base address without a trailing slash.
        region: the region that the person chose (`us`, `eu`, `au`), to be compared with the workspace's own.
        gate: waited at before every request, and told what the headers of every answer say.
        threads: how many threads send at once.
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
        self.changes_created_at = True
        """Whether `PUT /companies/{id}` takes `remote_created_at`: believed until it first does not (its documents do not list it)."""
        self.headers = {
            "Authorization": f"Bearer {token}",
            "Intercom-Version": VERSION,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    def close(self) -> None:
        """Closes the kept connections."""
        self.http.close()

    def me(self) -> Body:
        """The admin that the token belongs to, with the workspace below `app`."""
        return self.call(Purpose.DISCOVERY, "GET", "/me").body

    def attributes(self, model: str) -> list[Body]:
        """Every data attribute of `company` or `contact`, archived ones too; Intercom does not page this list."""
        params = {"model": model, "include_archived": "true"}
        answer = self.call(Purpose.DISCOVERY, "GET", "/data_attributes", params=params)
        listed = answer.body.get("data")
        if not isinstance(listed, list):
            raise errors.unusable("GET /data_attributes", answer.request_id)
        return [entry for entry in listed if isinstance(entry, dict)]

    def create_attribute(self, name: str, data_type: str, model: str) -> Body:
        """Creates a custom attribute of `company` or `contact` and returns it."""
        wanted = {"name": name, "model": model, "data_type": data_type}
        return self.call(Purpose.DISCOVERY, "POST", "/data_attributes", json=wanted).body

    def unarchive_attribute(self, number: Any) -> Body:
        """Brings an archived attribute back, by Intercom's number of it, and returns it."""
        return self.call(
            Purpose.DISCOVERY, "PUT", f"/data_attributes/{quote(str(number), safe='')}", json={"archived": False}
        ).body

    def find(self, company_id: str) -> Answer | None:
        """The answer to a look-up by the company's own id, or None where Intercom has none.

        It holds one company; the published schema says a list, so both are to be read.
        """
        return self.call_or_gone(Purpose.LOOKUP, "GET", "/companies", params={"company_id": company_id})

    def get(self, remote_id: str) -> Answer | None:
        """The company of Intercom's id, or None where it is gone."""
        return self.call_or_gone(Purpose.LOOKUP, "GET", _path(remote_id))

    def post(self, company: Body) -> Answer:
        """Creates or updates by `company_id`; the answer does not say which."""
        return _company(self.call(Purpose.WRITE, "POST", "/companies", json=company), "POST /companies")

    def put(self, remote_id: str, company: Body) -> Answer | None:
        """Updates by Intercom's id and never creates; None where the company is gone."""
        answer = self.call_or_gone(Purpose.WRITE, "PUT", _path(remote_id), json=company)
        return _company(answer, "PUT /companies") if answer else None

    def call(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Answer:
        """A call that has to succeed. Raises what `errors.problem` makes of a refusal."""
        done = self.send(purpose, method, path, params, json)
        if isinstance(done, Answer):
            return done
        raise errors.problem(done)

    def call_or_gone(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Answer | None:
        """A call that may meet nothing: None where Intercom has no such record."""
        done = self.send(purpose, method, path, params, json)
        if isinstance(done, Answer):
            return done
        if done.status == 404 and done.code in errors.GONE:
            return None
        raise errors.problem(done)

    def send(
        self, purpose: Purpose, method: str, path: str, params: Mapping[str, str] | None = None, json: Any = None
    ) -> Answer | errors.Refusal:
        """Sends one request when its turn comes: a success, or the refusal as Intercom words it.

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
                raise errors.unusable(f"{method} {path}", request_id)
            return Answer(body, request_id)
        return errors.read(
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
            # Reading again never does harm, whatever became of the first time.
            problem.ambiguous = problem.ambiguous and errors.writes(f"{method} {path}")
            raise
        except requests.RequestException as error:
            raise Misconfigured(
                "address_invalid",
                "Intercom's API address can't be used. Check INTERCOM_API_URL.",
                detail=type(error).__name__,
                where="INTERCOM_API_URL",
            ) from None


def read_quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """PURE. What the `X-RateLimit-*` headers say, with the end of the window on our clock; None where they are missing.

    `X-RateLimit-Remaining` seems to be counted before the request that it answers, so one less is relied on.
    """
    try:
        reset = int(headers["X-RateLimit-Reset"])
        remaining = int(headers["X-RateLimit-Remaining"])
        limit = int(headers["X-RateLimit-Limit"]) if "X-RateLimit-Limit" in headers else None
        reset_at = now + timedelta(seconds=reset - _vendor_clock(headers, now).timestamp())
    except (KeyError, ValueError, OverflowError):
        return None
    return Quota(max(0, remaining - 1), reset_at, limit, WINDOW_SECONDS)


def _vendor_clock(headers: Mapping[str, str], now: datetime) -> datetime:
    """The vendor's time as its answer gives it, so that a wrong clock of ours does not change how long we wait."""
    try:
        moment = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return now
    if moment.tzinfo is None or abs((moment - now).total_seconds()) < 2:
        return now
    return moment


def _wait_seconds(headers: Mapping[str, str], used_up: Quota | None, now: datetime) -> float | None:
    """What a Retry-After asks for, else the end of the window that is `used_up`; other refusals have nothing to do with the window."""
    asked = http.retry_after(headers, _vendor_clock(headers, now))
    if asked is None and used_up:
        return max(0.0, (used_up.reset_at - now).total_seconds())
    return asked


def _company(answer: Answer, call: str) -> Answer:
    if not isinstance(answer.body.get("id"), str):
        raise errors.unusable(call, answer.request_id)
    return answer


def _path(remote_id: str) -> str:
    return f"/companies/{quote(remote_id, safe='')}"
