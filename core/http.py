"""HTTP to vendors: one session factory, and network failures classified by what happens next."""

from __future__ import annotations

import logging
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import NewConnectionError, ReadTimeoutError

from core.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

CONNECT_SECONDS = 5
READ_SECONDS = 15
TOTAL_SECONDS = CONNECT_SECONDS + READ_SECONDS

# At DEBUG level, urllib3 logs complete URLs, and the URLs of lookups contain values of records.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


def session(pool: int = 10) -> requests.Session:
    """A keep-alive session for up to `pool` threads. It takes no proxy or certificate from the environment."""
    http = requests.Session()
    http.trust_env = False
    adapter = HTTPAdapter(pool_connections=2, pool_maxsize=pool, max_retries=0)
    http.mount("https://", adapter)
    http.mount("http://", adapter)
    return http


def send(
    http: requests.Session,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None = None,
    json: Any = None,
) -> requests.Response:
    """Sends one request and returns the response, whatever its HTTP status.

    Raises:
        Unavailable: no complete response arrived; `ambiguous` unless the request certainly never left.
    """
    try:
        return http.request(
            method,
            url,
            headers=dict(headers),
            params=params,
            json=json,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
        )
    except (
        requests.ConnectionError,
        requests.Timeout,
        requests.exceptions.ChunkedEncodingError,
        requests.exceptions.ContentDecodingError,
    ) as error:
        raise _failure(error, _host(url)) from None


_CHECK = "Check this installation's network, and the API address if its environment sets one."


def _failure(error: requests.RequestException, host: str) -> Unavailable:
    """The failure, with `ambiguous` set if the vendor may have received the request.

    A connect timeout is both a timeout and a connection error. It comes first, because nothing was sent.
    """
    if isinstance(error, requests.ConnectTimeout):
        return _unavailable("connect_timeout", f"{host} could not be reached in time. {_CHECK}", error, False)
    if isinstance(error, requests.Timeout):
        return _unavailable("timeout", f"{host} did not respond in time.", error, True)
    if isinstance(error, requests.ConnectionError):
        if _never_left(error):
            return _unavailable("unreachable", f"{host} can't be reached. {_CHECK}", error, False)
        return _unavailable("connection_cut", f"The connection was closed before {host} responded.", error, True)
    return _unavailable("answer_cut", "The vendor's response ended before it was complete.", error, True)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def body(response: requests.Response) -> Any:
    """The JSON body, or None if there is no valid one (gateways answer with HTML, and some responses are empty)."""
    try:
        return response.json()
    except ValueError:
        return None


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait after `now`, from a Retry-After header in seconds or as an HTTP date; None if it has neither."""
    value = headers.get("Retry-After", "").strip()
    if not value:
        return None
    try:
        return max(0.0, float(value)) if math.isfinite(float(value)) else None
    except ValueError:
        pass
    try:
        retry_at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if retry_at.tzinfo is None:
        retry_at = retry_at.replace(tzinfo=UTC)
    return max(0.0, (retry_at - now).total_seconds())


def _never_left(error: requests.ConnectionError) -> bool:
    """Whether no connection was established, so that the vendor can't have processed the request."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, NewConnectionError) and not isinstance(reason, ReadTimeoutError)


def _unavailable(code: str, message: str, error: Exception, ambiguous: bool) -> Unavailable:
    return Unavailable(code, message, detail=type(error).__name__, ambiguous=ambiguous)
