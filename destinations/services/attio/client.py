"""Client for Attio's REST API with one access token. Every request passes the gate first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from core import http
from core.errors import Misconfigured, Unavailable
from destinations.contract import Gate, Purpose
from destinations.services.attio.answer import Answer
from destinations.services.attio.errors import UNREADABLE, problem
from destinations.services.attio.lookup_cache import LookupCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSION = "/v2"
LOOKUP_SIZE = 50
REQUEST_ID = "x-attio-execution-id"
_ATTRIBUTE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class LookupBatch:
    """How many values one lookup requests.

    Attio also answers 429 if a single query is too complex, and then waiting does not help
    (docs.attio.com /rest-api/guides/rate-limiting). The two cases look the same, so the second 429 without a success in
    between halves the size, and every success raises it by one: 50 → 25 → 12, then 13, 14, … up to 50 again.
    """

    size: int = LOOKUP_SIZE
    throttled_count: int = 0

    def record_failure(self, *, throttled: bool) -> None:
        self.throttled_count += throttled
        if self.throttled_count > 1:
            self.size, self.throttled_count = max(1, self.size // 2), 0

    def record_success(self) -> None:
        self.size, self.throttled_count = min(LOOKUP_SIZE, self.size + 1), 0


class Client:
    """One access token at one API address. Safe for many threads.

    Args:
        url: the base address, without the version.
        threads: the maximum number of concurrent requests.

    Raises:
        Misconfigured: no request can be built with this address or token.
    """

    def __init__(self, url: str, token: str, gate: Gate, threads: int) -> None:
        if not _is_web_address(url):
            raise _invalid_address()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise Misconfigured(
                "token_malformed", "This is not a valid Attio access token. Copy it again from Attio.", where="token"
            )
        self._url = url + VERSION
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._token = token
        self._gate = gate
        self._http = http.session(threads)
        self.lookup_batch = LookupBatch()
        self.lookup_cache = LookupCache()
        self.slugs: dict[str, str] = {}
        """Attribute ID → slug, for the attributes fetched so far. Some of Attio's messages contain only the ID."""

    def send(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Answer:
        """Sends one request and returns its answer, whatever the status.

        Raises:
            Unavailable: no answer arrived; `ambiguous` if a write may have been processed nevertheless.
        """
        self._gate.wait(purpose)
        try:
            response = http.send(self._http, method, self._url + path, headers=self._headers, params=params, json=body)
        except Unavailable as error:
            error.ambiguous = error.ambiguous and purpose is Purpose.WRITE
            raise
        except requests.exceptions.InvalidURL:
            raise _invalid_address() from None
        return _answer(response)

    def call(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Answer:
        """Sends one request that must succeed.

        Raises:
            Rejected, Misconfigured, Unavailable: as defined by the table in `errors`.
        """
        return self.require(self.send(purpose, method, path, params=params, body=body), purpose, body)

    def require(self, answer: Answer, purpose: Purpose, sent: Any = None, owners: Sequence[str] = ()) -> Answer:
        """Returns the answer if it is a success. Raises like `call`; for `owners`, see `problem`."""
        if not answer.ok:
            raise problem(
                answer, writing=purpose is Purpose.WRITE, sent=sent, secret=self._token, slugs=self.slugs, owners=owners
            )
        return answer

    def pages(self, purpose: Purpose, path: str, size: int) -> Iterator[dict[str, Any]]:
        """Yields every entry of a list, requested in pages of `size`.

        Some endpoints ignore paging and return the whole list each time, so a page without a new entry ends the list,
        as a short page does.
        """
        known: set[str] = set()
        while True:
            body = self.call(purpose, "GET", path, params={"limit": size, "offset": len(known)}).body
            page = body.get("data")
            if not isinstance(page, list):
                raise Unavailable("unusable_answer", UNREADABLE)
            entries = {str(entry.get("id") or entry): entry for entry in page}
            new = {name: entry for name, entry in entries.items() if name not in known}
            yield from new.values()
            known.update(new)
            if len(page) < size or not new:
                return

    def fetch_slug(self, object_slug: str, attribute: str) -> None:
        """Fetches the slug of an attribute that an error named by its ID, at most once.

        If that fails, the ID is shown instead.
        """
        if not _ATTRIBUTE_ID.fullmatch(attribute) or attribute in self.slugs:
            return
        self.slugs[attribute] = attribute
        try:
            answer = self.send(Purpose.DISCOVERY, "GET", f"/objects/{object_slug}/attributes/{attribute}")
        except Unavailable:
            return
        data = answer.body.get("data") if answer.ok else None
        if isinstance(data, dict) and data.get("api_slug"):
            self.slugs[attribute] = str(data["api_slug"])

    def close(self) -> None:
        self._http.close()


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def _invalid_address() -> Misconfigured:
    return Misconfigured("api_url_invalid", "ATTIO_API_URL must be an address that starts with https:// or http://.")


def _answer(response: requests.Response) -> Answer:
    return Answer(
        response.status_code,
        http.body(response),
        "json" in response.headers.get("Content-Type", ""),
        response.headers.get(REQUEST_ID, ""),
        seconds_to_wait(response.headers, datetime.now(UTC)),
    )


def seconds_to_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """The wait that a Retry-After header requests.

    A date in it is compared with Attio's clock, taken from the Date header, because ours may differ.
    """
    return http.retry_after(headers, http.date(headers.get("Date", "")) or now)
