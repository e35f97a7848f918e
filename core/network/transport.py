"""The connections of `core.http`, which only go to allowed addresses and have a deadline for each whole response."""

from __future__ import annotations

import io
import time
from functools import partial
from http.client import HTTPException, HTTPResponse, parse_headers
from typing import TYPE_CHECKING, Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from core.network import policy

if TYPE_CHECKING:
    import socket

SWITCHING_PROTOCOLS = 101
MOST_INTERIM_RESPONSES = 16
"""The maximum number of 1xx responses before the final response."""
MOST_RAW_BYTES = 32 * 2**20
"""The maximum size of a response as transmitted, including headers. For example, a chunk of size -1 never ends."""


class Session(requests.Session):
    """A session that ignores redirects, and never parses their target."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class Adapter(HTTPAdapter):
    """Uses connections with a deadline."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}


class _DeadlineReader(io.RawIOBase):
    """Reads one response, with the time left until the deadline as the timeout of each read.

    The timeout of a socket restarts with every byte, so a server that sends a byte every few seconds could keep the
    connection open forever.
    """

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline = deadline
        self._received = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("The response was not complete in time.")
        if self._received > MOST_RAW_BYTES:
            raise OSError("The response is too large.")
        self._sock.settimeout(left)
        number = self._raw.readinto(buffer)
        self._received += number or 0
        return number

    def close(self) -> None:
        if not self.closed:
            self._raw.close()
        super().close()


class _Response(HTTPResponse):
    """A response with a deadline. Interim responses, such as 103 Early Hints, are skipped."""

    def __init__(self, deadline: float, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(self.fp.detach(), sock, deadline))

    def _read_status(self) -> tuple[str, int, str]:
        # The standard library skips only 100 Continue, and returns 102 and 103 as if they were the final response.
        for _ in range(MOST_INTERIM_RESPONSES):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200 or status == SWITCHING_PROTOCOLS:
                return version, status, reason
            parse_headers(self.fp)
        raise HTTPException("Too many interim responses.")


class _CheckedMixin:
    """Connects only to addresses allowed by the network policy, and doesn't resolve the name again."""

    _dns_host: Any
    port: Any

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            addresses = policy.resolve(name.strip("[]"), self.port or 0)
        except (OSError, UnicodeError) as error:
            raise NameResolutionError(name, self, error) from error  # type: ignore[arg-type]
        try:
            return self._first_of(addresses)
        finally:
            self._dns_host = name

    def _first_of(self, addresses: tuple[str, ...]) -> socket.socket:
        for place, address in enumerate(addresses, 1):
            self._dns_host = address
            try:
                connection: socket.socket = super()._new_conn()  # type: ignore[misc]
            except (ConnectTimeoutError, NewConnectionError):
                if place == len(addresses):
                    raise
            else:
                return connection
        raise NewConnectionError(self, "The name has no address.")  # type: ignore[arg-type]


class _DeadlineMixin:
    """Starts the deadline when a request is sent. The read timeout applies to the whole response."""

    timeout: Any
    response_class: Any

    def getresponse(self) -> Any:
        seconds = self.timeout if isinstance(self.timeout, int | float) else float("inf")
        self.response_class = partial(_Response, time.monotonic() + seconds)
        return super().getresponse()  # type: ignore[misc]


class _Connection(_CheckedMixin, _DeadlineMixin, HTTPConnection):
    pass


class _SecureConnection(_CheckedMixin, _DeadlineMixin, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
