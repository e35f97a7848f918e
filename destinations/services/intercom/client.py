"""Client for Intercom's REST API: waits for the rate limit, and returns an answer or raises a typed error."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import quote

from destinations.contract import Gate, Purpose, Quota
from destinations.kit.answer import Answer, Failure
from destinations.kit.client import Content, Transport, utc_now
from destinations.kit.headers import QuotaHeaders
from destinations.services.intercom import error_answer, errors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from threading import Lock

VERSION = "2.16"
WINDOW_SECONDS = 10.0
"""Intercom divides its limit per minute into windows of this length, and counts requests in each window."""

Body = dict[str, Any]


class IntercomClient(Transport):
    """The API calls that the services need. Thread-safe.

    Args:
        url: base address without a trailing slash.
        region: the region chosen for the connection (`us`, `eu`, `au`), to compare with the workspace's own.
        gate: waited on before every request, and updated from the headers of every answer.
        threads: how many threads send at the same time.
        now: the clock.
    """

    vendor = "Intercom"
    url_variable = "INTERCOM_API_URL"
    address_code = "address_invalid"

    def __init__(
        self, url: str, token: str, region: str, gate: Gate, threads: int, now: Callable[[], datetime] = utc_now
    ) -> None:
        headers = {
            "Authorization": f"Bearer {token}",
            "Intercom-Version": VERSION,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        super().__init__(url, headers, gate, threads, secret=token, now=now)
        self.region = region
        self.company_ids: dict[str, str | None] = {}
        """Intercom's IDs of companies by `company_id`, as far as they were looked up; None if there is no company."""
        self.company_names: dict[str, str] = {}
        """The other way around: the `company_id` of companies by Intercom's ID."""
        self.company_lookups: dict[str, Lock] = {}
        self.created_at_updatable = True
        """Whether `PUT /companies/{id}` accepts `remote_created_at`. The API reference does not list it, so this is
        assumed until the first time it fails."""

    def read_quota(self, headers: Mapping[str, str], now: datetime) -> Quota | None:
        return read_quota(headers, now)

    def me(self) -> Body:
        """The admin that the token belongs to, with the workspace under `app`."""
        return self.call(Purpose.DISCOVERY, "GET", "/me").body

    def attributes(self, model: str) -> list[Body]:
        """Every data attribute of `company` or `contact`, including archived ones. This list is not paginated."""
        params = {"model": model, "include_archived": "true"}
        answer = self.call(Purpose.DISCOVERY, "GET", "/data_attributes", params=params)
        entries = answer.body.get("data")
        if not isinstance(entries, list):
            raise errors.TABLE.unusable(answer)
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
        return _company_answer(self.call(Purpose.WRITE, "POST", "/companies", json=company))

    def put(self, remote_id: str, company: Body) -> Answer | None:
        """Updates a company by its Intercom ID. Never creates one: returns None if it no longer exists."""
        answer = self.call_or_none(Purpose.WRITE, "PUT", _path(remote_id), json=company)
        return _company_answer(answer) if answer else None

    def call(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer:
        """Sends a request that has to succeed. Raises the error that `errors.problem` returns for any other answer."""
        result = self.send(purpose, method, path, **content)
        if isinstance(result, Answer):
            return result
        raise errors.problem(result)

    def call_or_none(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer | None:
        """Sends a request for a record that may not exist: None if Intercom has no such record."""
        result = self.send(purpose, method, path, **content)
        if isinstance(result, Answer):
            return result
        if result.status == 404 and result.code in errors.GONE:
            return None
        raise errors.problem(result)

    def send(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer | Failure:
        """Sends one request as soon as the rate limit allows, and returns a success or Intercom's error.

        Raises:
            Unavailable: no answer, or one that can't be read.
        """
        answer = self.exchange(purpose, method, path, **content)
        if 200 <= answer.status < 300:
            if not isinstance(answer.body, dict):
                raise errors.TABLE.unusable(answer)
            return answer
        return error_answer.parse(answer)


def read_quota(headers: Mapping[str, str], now: datetime) -> Quota | None:
    """PURE. The quota from the `X-RateLimit-*` headers, with its end on our clock; None if they are missing.

    `X-RateLimit-Remaining` appears to be counted before the request that it answers. If it is 10, only 9 requests can
    still be relied on.
    """
    return QuotaHeaders(window_seconds=WINDOW_SECONDS, counts_itself=False).read(headers, now)


def _company_answer(answer: Answer) -> Answer:
    if not isinstance(answer.body.get("id"), str):
        raise errors.TABLE.unusable(answer)
    return answer


def _path(remote_id: str) -> str:
    return f"/companies/{quote(remote_id, safe='')}"
