"""Requests pages through Django's test client: the time of the server, without a network."""

from __future__ import annotations

import statistics
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from tests.bench.pages.addresses import Address


@dataclass(frozen=True)
class Asked:
    """One page: the seconds that its requests took, and the number of its database queries.

    Args:
        cpu: the CPU time of this process, as a median. The database's own is not in it.
        database: the time spent waiting for the database, as a median.
    """

    page: str
    url: str
    status: int
    median: float
    p95: float
    longest: float
    cpu: float
    database: float
    queries: int


@dataclass(frozen=True)
class _Times:
    """The seconds of one request."""

    wall: float
    cpu: float
    database: float


def ask(addresses: Iterable[Address], times: int) -> list[dict[str, Any]]:
    """Requests each page once, once more to count its queries, then `times` times. Returns the arguments of `Asked`."""
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    client.force_login(User.objects.get())
    return [asdict(_asked(client, address, times)) for address in addresses]


def percentile(ordered: Sequence[float], share: float) -> float:
    """PURE. The value that this share of the values, in ascending order, doesn't exceed."""
    return ordered[max(0, -(-round(share * 100) * len(ordered) // 100) - 1)]


def _asked(client: Client, address: Address, times: int) -> Asked:
    # The first request compiles templates, loads what a process keeps, and stores the health of a connection.
    _send(client, address)
    with CaptureQueriesContext(connection) as queries:
        response = _send(client, address)
        number = len(queries)
    measured = [_timed(client, address) for _ in range(times)]
    seconds = sorted(one.wall for one in measured)
    return Asked(
        address.page,
        address.url,
        response.status_code,
        statistics.median(seconds),
        percentile(seconds, 0.95),
        seconds[-1],
        statistics.median(one.cpu for one in measured),
        statistics.median(one.database for one in measured),
        number,
    )


def _timed(client: Client, address: Address) -> _Times:
    waiting = _Waiting()
    with connection.execute_wrapper(waiting):
        wall, cpu = time.perf_counter(), time.process_time()
        _send(client, address)
        return _Times(time.perf_counter() - wall, time.process_time() - cpu, waiting.seconds)


def _send(client: Client, address: Address) -> Any:
    """The response. Of one that is streamed, the first part."""
    if address.body is None:
        response = client.get(address.url)
    else:
        response = client.post(address.url, address.body, content_type="application/json")
    if response.streaming:
        next(iter(response), b"")
    return response


class _Waiting:
    """Adds up how long statements take."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self, execute: Callable[..., Any], *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            self.seconds += time.perf_counter() - began
