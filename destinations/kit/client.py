"""The base of every vendor's client: the gate before each request, the quota after it, and failures by what is next."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

import requests

from core import http
from core.errors import Misconfigured, Unavailable
from core.text.web_address import is_web_address
from destinations.contract import Gate, Purpose, Quota
from destinations.kit import headers as header_values
from destinations.kit.answer import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from core.errors import Problem


def utc_now() -> datetime:
    """The clock of a client."""
    return datetime.now(UTC)


class Content(TypedDict, total=False):
    """What a request contains, as `core.http.send` takes it."""

    params: Mapping[str, Any] | None
    json: Any


class Transport:
    """Sends requests to one API address with one credential. Safe for many threads.

    Args:
        url: the base address, without a trailing slash.
        headers: sent with every request.
        gate: waited on before every request, and told the quota of every answer.
        threads: the maximum number of concurrent requests.
        secret: the credential, which no message may contain.
        now: the clock.

    Raises:
        Misconfigured: no request can be built with this address.
    """

    vendor: ClassVar[str]
    """The vendor's name, for the user."""
    url_variable: ClassVar[str]
    """The environment variable that overrides the address."""
    address_code: ClassVar[str] = "api_url_invalid"
    request_id_header: ClassVar[str] = "X-Request-Id"
    clock_tolerance_seconds: ClassVar[float] = header_values.CLOCK_TOLERANCE_SECONDS

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        gate: Gate,
        threads: int,
        *,
        secret: str = "",
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if not is_web_address(url):
            raise self._invalid_address()
        self.url = url
        self.headers = dict(headers)
        self.gate = gate
        self.http = http.session(threads)
        self.secret = secret
        self.now = now

    def close(self) -> None:
        """Closes the connection pool."""
        self.http.close()

    def exchange(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer:
        """Sends one request as soon as the rate limit allows, and returns its answer, whatever the status.

        Raises:
            Unavailable: no answer arrived; `ambiguous` if something may have changed at the vendor nevertheless.
        """
        writing = purpose is Purpose.WRITE or (purpose is Purpose.DISCOVERY and method != "GET")
        self.gate.wait(purpose)
        started = time.monotonic()
        try:
            response = http.send(self.http, method, self.url + path, headers=self.headers, **content)
        except Unavailable as problem:
            self.gate.answered(None, time.monotonic() - started)
            # Repeating a read is always safe, whether or not the vendor processed the first one.
            problem.ambiguous = problem.ambiguous and writing
            raise
        except requests.RequestException as error:
            raise self._invalid_address(type(error).__name__) from None
        self.gate.answered(response.status_code, time.monotonic() - started)
        now = self.now()
        quota = self.read_quota(response.headers, now)
        if quota:
            self.gate.learn(purpose, quota)
        return Answer(
            f"{method} {path}",
            response.status_code,
            http.body(response),
            "json" in response.headers.get("Content-Type", ""),
            response.headers.get(self.request_id_header, ""),
            self._wait_seconds(response, quota, now),
            writing,
            purpose is Purpose.WRITE,
            [content.get("json"), content.get("params"), self.secret],
        )

    def read_quota(self, headers: Mapping[str, str], now: datetime) -> Quota | None:
        """The request budget that the headers of an answer report; None if the vendor reports none."""
        return None

    def _wait_seconds(self, response: requests.Response, quota: Quota | None, now: datetime) -> float | None:
        """The wait that `Retry-After` requests, or else, for a 429 alone, the time until the window ends."""
        wait = header_values.retry_after(response.headers, now, tolerance_seconds=self.clock_tolerance_seconds)
        if wait is None and quota and response.status_code == 429:
            return max(0.0, (quota.reset_at - now).total_seconds())
        return wait

    def _invalid_address(self, detail: str = "") -> Misconfigured:
        return Misconfigured(
            self.address_code,
            f"The address of {self.vendor}'s API is not valid. Check {self.url_variable}: it must start with https:// "
            "or http://.",
            detail=detail,
            where=self.url_variable,
        )


class ApiClient(Transport, ABC):
    """A client whose calls return a success or raise what the vendor's error table says."""

    @abstractmethod
    def problem(self, answer: Answer) -> Problem:
        """The problem to raise for an answer that is not a success."""

    def call(self, purpose: Purpose, method: str, path: str, **content: Unpack[Content]) -> Answer:
        """Sends one request that has to succeed.

        Raises:
            Rejected, Misconfigured, Unavailable: as `problem` returns it.
        """
        return self.require(self.exchange(purpose, method, path, **content))

    def call_or_none(
        self, purpose: Purpose, method: str, path: str, gone: Collection[int] = (404,), **content: Unpack[Content]
    ) -> Answer | None:
        """Sends a request for one record: None if the vendor's API answers that there is no such record.

        Args:
            gone: the statuses that say so. An answer without JSON comes from a gateway, and never does.
        """
        answer = self.exchange(purpose, method, path, **content)
        if answer.status in gone and answer.json and answer.body is not None:
            return None
        return self.require(answer)

    def require(self, answer: Answer) -> Answer:
        """The answer, if it is a success. Raises like `call`."""
        if not answer.ok:
            raise self.problem(answer)
        return answer
