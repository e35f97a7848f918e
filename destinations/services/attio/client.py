"""Client for Attio's REST API with one access token. Every request passes the gate first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from core.errors import Misconfigured, Unavailable
from destinations.contract import Gate, Purpose
from destinations.kit.client import Content, Transport
from destinations.kit.credentials import is_sendable
from destinations.kit.pages import by_offset
from destinations.services.attio.answer import Answer
from destinations.services.attio.errors import UNREADABLE, problem
from destinations.services.attio.lookup_cache import LookupCache

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

VERSION = "/v2"
LOOKUP_SIZE = 499
"""One fewer than the 500 records of a page: a page that is not full is the last, so it needs no second request."""
_ATTRIBUTE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class LookupBatch:
    """How many values one lookup requests.

    Attio also answers 429 if a single query is too complex, and then waiting does not help
    (docs.attio.com /rest-api/guides/rate-limiting). The two cases look the same, so the second 429 without a success in
    between halves the size, and every success raises it by one: 499 → 249 → 124, then 125, 126, … up to 499 again.
    """

    size: int = LOOKUP_SIZE
    throttled_count: int = 0

    def record_failure(self, requested: int, *, throttled: bool) -> None:
        """Notes that a lookup of `requested` values failed."""
        self.throttled_count += throttled
        if self.throttled_count > 1:
            self.size, self.throttled_count = max(1, min(self.size, requested) // 2), 0

    def record_success(self) -> None:
        self.size, self.throttled_count = min(LOOKUP_SIZE, self.size + 1), 0


class Client(Transport):
    """One access token at one API address. Safe for many threads.

    Args:
        url: the base address, without the version.
        threads: the maximum number of concurrent requests.

    Raises:
        Misconfigured: no request can be built with this address or token.
    """

    vendor = "Attio"
    url_variable = "ATTIO_API_URL"
    request_id_header = "x-attio-execution-id"
    clock_tolerance_seconds = 0.0

    def __init__(self, url: str, token: str, gate: Gate, threads: int) -> None:
        if not is_sendable(token):
            raise Misconfigured(
                "token_malformed", "This is not a valid Attio access token. Copy it again from Attio.", where="token"
            )
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        super().__init__(url + VERSION, headers, gate, threads, secret=token)
        self.lookup_batch = LookupBatch()
        self.lookup_cache = LookupCache()
        self.slugs: dict[str, str] = {}
        """Attribute ID → slug, for the attributes fetched so far. Some of Attio's messages contain only the ID."""

    def send(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer:
        """Sends one request and returns its answer, whatever the status.

        Raises:
            Unavailable: no answer arrived; `ambiguous` if a write may have been processed nevertheless.
        """
        return Answer(**vars(self.exchange(purpose, method, path, **content)))

    def call(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer:
        """Sends one request that must succeed.

        Raises:
            Rejected, Misconfigured, Unavailable: as defined by the table in `errors`.
        """
        return self.require(self.send(purpose, method, path, **content))

    def require(self, answer: Answer, owners: Sequence[str] = ()) -> Answer:
        """Returns the answer if it is a success. Raises like `call`; for `owners`, see `problem`."""
        if not answer.ok:
            raise problem(answer, slugs=self.slugs, owners=owners)
        return answer

    def pages(self, purpose: Purpose, path: str, size: int) -> Iterator[dict[str, Any]]:
        """Yields every entry of a list, requested in pages of `size`."""

        def fetch(offset: int) -> list[dict[str, Any]]:
            page = self.call(purpose, "GET", path, params={"limit": size, "offset": offset}).body.get("data")
            if not isinstance(page, list):
                raise Unavailable("unusable_answer", UNREADABLE)
            return page

        return by_offset(fetch, size)

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
