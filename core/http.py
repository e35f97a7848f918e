"""HTTP to vendors: one session factory, limits for every response, and failures classified by what happens next."""

from __future__ import annotations

import io
import logging
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, NewConnectionError, ReadTimeoutError

from core.errors import Problem, Unavailable
from core.network import observers
from core.network.transport import Adapter, Session

if TYPE_CHECKING:
    from collections.abc import Mapping

    from urllib3 import BaseHTTPResponse

CONNECT_SECONDS = 5
READ_SECONDS = 15
"""How long a response may take until it is complete, once its request was sent."""
MOST_BYTES = 16 * 2**20
"""The size of the largest response that is read, decompressed."""
DEEPEST_JSON = 100
LONGEST_WAIT_SECONDS = 36 * 3600.0
"""The longest wait that a vendor can request. Daily limits end sooner, even by a clock that is hours off."""
_CHUNK_BYTES = 2**16

# At DEBUG level, urllib3 logs complete URLs, and the URLs of lookups contain values of records.
logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)


def session(pool: int = 10) -> requests.Session:
    """A keep-alive session for up to `pool` threads. It takes no proxy or certificate from the environment."""
    http = Session()
    http.trust_env = False
    adapter = Adapter(pool_connections=2, pool_maxsize=pool, max_retries=0)
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
    data: bytes | None = None,
) -> requests.Response:
    """Sends one request and returns the response, whatever its HTTP status.

    Args:
        json: the body, to be written as JSON.
        data: the body, byte by byte. Its content type is in `headers`.

    The response is complete and in memory, decompressed. It has at most `MOST_BYTES`, and arrived within
    `READ_SECONDS`.

    Raises:
        Unavailable: no usable response arrived; `ambiguous` unless the request certainly never left.
        Misconfigured: the network policy does not permit the address.
        requests.RequestException: no request can be built with this address or these headers.
    """
    raw = requests.Request(method, url, headers=dict(headers), params=params, json=json, data=data)
    request = http.prepare_request(raw)
    sending = observers.sending(request)
    try:
        response = _response(http, request, _host(url))
    except Problem:
        observers.answered(sending, None)
        raise
    observers.answered(sending, response.status_code, response.content)
    return response


def _response(http: requests.Session, request: requests.PreparedRequest, host: str) -> requests.Response:
    """The complete response. Raises as `send`."""
    try:
        response = http.send(request, timeout=(CONNECT_SECONDS, READ_SECONDS), allow_redirects=False, stream=True)
        response.raw = io.BytesIO(_read(response.raw, host))
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
        raise
    except (requests.RequestException, HTTPError) as error:
        raise _failure(error, host) from None
    return response


def _read(raw: BaseHTTPResponse, host: str) -> bytes:
    """The decompressed body. Reading stops at the limit, so that a small compressed response can't fill the memory."""
    received = bytearray()
    try:
        for chunk in raw.stream(_CHUNK_BYTES, decode_content=True):
            received += chunk
            if len(received) > MOST_BYTES:
                message = f"The response of {host} is larger than {MOST_BYTES >> 20} MB, so it was not read."
                raise Unavailable("answer_too_large", message, ambiguous=True)
    except ValueError as error:
        raw.close()
        raise _unavailable("answer_malformed", f"The response of {host} is malformed.", error, True) from None
    except BaseException:
        raw.close()
        raise
    raw.release_conn()
    return bytes(received)


_CHECK = "Check this installation's network, and the API address if its environment sets one."


def _failure(error: requests.RequestException | HTTPError, host: str) -> Unavailable:
    """The failure, with `ambiguous` set if the vendor may have received the request.

    A connect timeout is both a timeout and a connection error. It comes first, because nothing was sent.
    """
    if isinstance(error, requests.ConnectTimeout):
        return _unavailable("connect_timeout", f"{host} could not be reached in time. {_CHECK}", error, False)
    if isinstance(error, requests.Timeout | ReadTimeoutError):
        return _unavailable("timeout", f"{host} did not respond in time.", error, True)
    if isinstance(error, requests.ConnectionError):
        if _never_left(error):
            return _unavailable("unreachable", f"{host} can't be reached. {_CHECK}", error, False)
        return _unavailable("connection_cut", f"The connection was closed before {host} responded.", error, True)
    if isinstance(error, requests.exceptions.InvalidHeader):
        return _unavailable("answer_malformed", f"The response of {host} has invalid headers.", error, True)
    return _unavailable("answer_cut", "The vendor's response ended before it was complete.", error, True)


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def body(response: requests.Response) -> Any:
    """The JSON body, or None if there is no valid one (gateways answer with HTML, and some responses are empty).

    JSON that is nested more than `DEEPEST_JSON` levels deep is not valid here. Characters that no database stores are
    replaced: NUL, and halves of surrogate pairs.
    """
    try:
        parsed = response.json()
    except (ValueError, RecursionError):
        return None
    content = response.content
    if content.count(b"[") + content.count(b"{") > DEEPEST_JSON or b"\\u" in content:
        try:
            return _storable(parsed, DEEPEST_JSON)
        except RecursionError:
            return None
    return parsed


def _storable(value: Any, levels: int) -> Any:
    """The value with text that can be stored. Raises RecursionError if it is nested deeper than `levels`."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.replace("\0", "\ufffd").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if levels == 0 and isinstance(value, list | dict):
        raise RecursionError
    if isinstance(value, list):
        return [_storable(item, levels - 1) for item in value]
    if isinstance(value, dict):
        return {_storable(key, levels): _storable(item, levels - 1) for key, item in value.items()}
    return value


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait after `now`, from a Retry-After header in seconds or as an HTTP date; None if it has neither.

    At most `LONGEST_WAIT_SECONDS`.
    """
    seconds = _seconds(headers.get("Retry-After", "").strip(), now)
    return None if seconds is None else min(max(0.0, seconds), LONGEST_WAIT_SECONDS)


def _seconds(text: str, now: datetime) -> float | None:
    try:
        number = float(text)
        return number if math.isfinite(number) else None
    except ValueError:
        moment = date(text)
        return (moment - now).total_seconds() if moment else None


def date(text: str) -> datetime | None:
    """The moment of an HTTP date, such as the `Date` header; None if it is not valid."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _never_left(error: requests.ConnectionError) -> bool:
    """Whether no connection was established, so that the vendor can't have processed the request."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return isinstance(reason, NewConnectionError) and not isinstance(reason, ReadTimeoutError)


def _unavailable(code: str, message: str, error: Exception, ambiguous: bool) -> Unavailable:
    return Unavailable(code, message, detail=type(error).__name__, ambiguous=ambiguous)
