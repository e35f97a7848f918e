"""Attio's REST API with one access token. Every request waits at the gate first."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from core import http
from core.errors import Misconfigured, Unavailable
from destinations.contract import Gate, Purpose
from destinations.services.attio.errors import Answer, problem
from destinations.services.attio.lookup_cache import Glances

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

VERSION = "/v2"
LOOKUP_SIZE = 50
REQUEST_ID = "x-attio-execution-id"
_ATTRIBUTE_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass
class Lookup:
    """How many values one look-up asks for.

    A query may be too costly by itself, which no waiting mends, and is answered like too many requests
    (docs.attio.com /rest-api/guides/rate-limiting). So after the second such answer in a row look-ups become smaller, and with
    every answer to one larger again.
    """

    size: int = LOOKUP_SIZE
    refusals: int = 0

    def refused(self, *, throttled: bool) -> None:
        self.refusals += throttled
        if self.refusals > 1:
            self.size, self.refusals = max(1, self.size // 2), 0

    def answered(self) -> None:
        self.size, self.refusals = min(LOOKUP_SIZE, self.size + 1), 0


class Client:
    """Safe for many threads.

    Args:
        url: the base address, without the version.
        threads: how many requests may be under way at once.

    Raises:
        Misconfigured: the address or the token can't be used in a request at all.
    """

    def __init__(self, url: str, token: str, gate: Gate, threads: int) -> None:
        if not _is_web_address(url):
            raise _bad_address()
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise Misconfigured(
                "token_malformed", "This is no Attio access token. Copy it again from Attio.", where="token"
            )
        self._url = url + VERSION
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._token = token
        self._gate = gate
        self._http = http.session(threads)
        self.lookup = Lookup()
        self.glances = Glances()
        self.slugs: dict[str, str] = {}
        """Attribute id → slug, as far as they were asked for; some of Attio's messages give the id only."""

    def send(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Answer:
        """Sends one request; any answer is returned.

        Raises:
            Unavailable: no answer came; `ambiguous` where a write may have been processed all the same.
        """
        self._gate.wait(purpose)
        try:
            response = http.send(self._http, method, self._url + path, headers=self._headers, params=params, json=body)
        except Unavailable as error:
            error.ambiguous = error.ambiguous and purpose is Purpose.WRITE
            raise
        except requests.exceptions.InvalidURL:
            raise _bad_address() from None
        return _answer(response)

    def call(
        self, purpose: Purpose, method: str, path: str, *, params: Mapping[str, Any] | None = None, body: Any = None
    ) -> Answer:
        """Sends one request whose answer must be a success.

        Raises:
            Rejected, Misconfigured, Unavailable: as the table of errors says.
        """
        return self.require(self.send(purpose, method, path, params=params, body=body), purpose, body)

    def require(self, answer: Answer, purpose: Purpose, sent: Any = None, owners: Sequence[str] = ()) -> Answer:
        """The answer itself, if it is a success. Raises as `call`; `owners` as for `problem`."""
        if not answer.ok:
            raise problem(
                answer, writing=purpose is Purpose.WRITE, sent=sent, secret=self._token, slugs=self.slugs, owners=owners
            )
        return answer

    def pages(self, purpose: Purpose, path: str, size: int) -> Iterator[dict[str, Any]]:
        """Every entry of a list, asked for in pages of `size`.

        Some lists know no pages and come whole each time, so a page with nothing new is the end as well as a short one.
        """
        seen: set[str] = set()
        while True:
            body = self.call(purpose, "GET", path, params={"limit": size, "offset": len(seen)}).body
            page = body.get("data")
            if not isinstance(page, list):
                raise Unavailable(
                    "unusable_answer", "Attio's answer could not be understood. The request is tried again."
                )
            fresh = {
                name: entry
                for name, entry in ((str(entry.get("id") or entry), entry) for entry in page)
                if name not in seen
            }
            yield from fresh.values()
            seen.update(fresh)
            if len(page) < size or not fresh:
                return

    def learn_slug(self, object_slug: str, attribute: str) -> None:
        """Asks for the slug of an attribute of which a refusal gave the id only, once; where Attio can't say, the id has to do."""
        if not _ATTRIBUTE_ID.fullmatch(attribute) or attribute in self.slugs:
            return
        self.slugs[attribute] = attribute
        try:
            found = self.send(Purpose.DISCOVERY, "GET", f"/objects/{object_slug}/attributes/{attribute}")
        except Unavailable:
            return
        data = found.body.get("data") if found.ok else None
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


def _bad_address() -> Misconfigured:
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
    """What a Retry-After header asks for. A date in it is compared with Attio's own clock, wherever ours stands."""
    try:
        theirs = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        theirs = now
    return http.retry_after(headers, theirs if theirs.tzinfo else now)
