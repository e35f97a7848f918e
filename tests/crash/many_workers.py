"""Several workers on PostgreSQL share the limit of a connection, add up over connections, and may be killed."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from activations.delivery.places import Places
from destinations.registry import services
from destinations.sandbox.access import token_of
from destinations.sandbox.registry import sandboxes
from dinmo.local import programs
from dinmo.local.machine import free_port
from dinmo.local.processes import kill_session
from tests.chaos import postgres
from tests.crash.workers import ACTIVATION, CONNECTIONS, companies, running, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from destinations.sandbox.base import Sandbox
    from destinations.sandbox.wire import Reply, Request
    from tests.crash.workers import Workers

LIMIT = 25
"""Writes per second that Attio allows a workspace."""
LATENCY_SECONDS = 0.05
WINDOW_SECONDS = 10.0
BUNCHED_SECONDS = 0.5
"""How much of a delay may arrive in a window at once: 0.2 s that a lane makes up for, and 0.3 s of a busy machine.

The simulator itself enforces the limit as Attio does. Two workers that share nothing would reach twice the limit.
"""
SHARED_COUNT = 300
COUNT = 150
SECOND_BEGINS = 10_001
"""The ID of the first company of the second activation."""
SHARED = f"""
sources: [{{name: Shop, engine: sqlite, path: shop.sqlite3}}]
models: [{{name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}}]
segments:
  - {{name: Low, model: Companies, where: {{all: [{{field: id, is: less_than, value: {SECOND_BEGINS}}}]}}}}
  - {{name: High, model: Companies, where: {{all: [{{field: id, is: at_least, value: {SECOND_BEGINS}}}]}}}}
{CONNECTIONS}
activations:
{(ACTIVATION % ("One", "Low")).replace("model:", "segment:")}
{(ACTIVATION % ("Two", "High")).replace("model:", "segment:")}
"""
NAMES = [f"Activation {number}" for number in range(4)]
ONE_PROCESS = ("--concurrency", "1")
BEAT_READY = "beat"
"""What beat logs when it starts."""
SHORT_LEASES = {"RUN_LEASE_SECONDS": "3", "RUN_SWEEP_SECONDS": "1"}

pytestmark = [
    pytest.mark.crash,
    pytest.mark.slow,
    pytest.mark.skipif(postgres.binaries() is None, reason="PostgreSQL is not installed (initdb was not found)"),
]


def test_two_workers_keep_to_the_limit_of_one_connection_and_use_it(tmp_path: Path) -> None:
    rows = [*companies(SHARED_COUNT), *companies(SHARED_COUNT, SECOND_BEGINS)]
    with database() as url, running(tmp_path, rows, SHARED, environment={"DATABASE_URL": url}) as workers:
        for number in range(2):
            workers.start(programs.worker(), f"worker-{number}", *ONE_PROCESS)
        workers.request_all()
        await_end(workers, ["One", "Two"])
        vendor = workers.installation.sandbox
        # The simulator allows what Attio allows, and refuses the rest.
        assert len(writes(vendor)) == len(writes(vendor, status=200)) == 2 * SHARED_COUNT
        times = moments(vendor)
        second, ten = in_window(times, 1.0), in_window(times, WINDOW_SECONDS)
        print(f"\nbusiest second: {second} of {LIMIT}; busiest 10 s: {ten} of {WINDOW_SECONDS * LIMIT:.0f}")
        print(f"whole delivery: {rate(times):.1f}/s, {rate(times) / LIMIT:.1%} of the limit")
        assert interleaved(vendor) > SHARED_COUNT / 2
        assert ten <= (WINDOW_SECONDS + BUNCHED_SECONDS) * LIMIT
        assert rate(times) >= 0.8 * LIMIT


def test_second_worker_raises_throughput_over_several_connections(tmp_path: Path) -> None:
    reached = []
    with several_connections(tmp_path) as (workers, vendors):
        for number in range(2):
            workers.insert(companies(COUNT, number * COUNT))
            workers.start(programs.worker(), f"worker-{number}", *ONE_PROCESS)
            began = time.time()
            workers.request_all()
            wait_until(lambda: len(all_writes(vendors)) == (number + 1) * len(NAMES) * COUNT, "the deliveries")  # noqa: B023
            reached.append(rate([at for _, at in all_writes(vendors) if at > began]))
            await_end(workers, NAMES)
    print(f"\n{reached[0]:.1f}/s with one worker, {reached[1]:.1f}/s with two: × {reached[1] / reached[0]:.2f}")
    assert reached[1] / reached[0] >= 1.5


def test_killed_worker_loses_nothing_and_repeats_only_what_was_in_flight(tmp_path: Path) -> None:
    with several_connections(tmp_path, SHORT_LEASES) as (workers, vendors):
        started = [workers.start(programs.worker(), f"worker-{number}", *ONE_PROCESS) for number in range(2)]
        workers.start(programs.beat(tmp_path), ready=BEAT_READY)
        workers.insert(companies(COUNT))
        workers.request_all()
        wait_until(lambda: len(all_writes(vendors)) > COUNT, "the first deliveries")
        kill_session(started[0])
        await_end(workers, NAMES)
        in_flight = Places(services["attio.companies"].limits.writes, 2 * LATENCY_SECONDS).free
        repeats = 0
        for vendor in vendors.values():
            sent = Counter(name for name, _ in writes(vendor, status=200))
            assert set(sent) == {name for _, name, _ in companies(COUNT)}
            assert len(vendor.state()["records"]) == COUNT
            repeats += sent.total() - COUNT
        print(f"\n{repeats} of {len(NAMES) * COUNT} writes were repeated, at most {in_flight} were in flight")
        assert repeats <= in_flight
        runs = [run for name in NAMES for run in workers.runs(name)]
        assert [(run["state"], run["accepted"], run["unknown"]) for run in runs] == [("succeeded", COUNT, 0)] * 4
        assert sum(run["takeovers"] for run in runs) >= 1


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database in a PostgreSQL server of its own."""
    port = free_port()
    with postgres.cluster(port):
        yield postgres.url(port)


@contextmanager
def several_connections(
    home: Path, environment: Mapping[str, str] | None = None
) -> Iterator[tuple[Workers, dict[str, Sandbox]]]:
    """Four connections to a workspace each, with an activation for each. There are no companies and no workers yet."""
    vendors = {f"t{number}": sandboxes["attio"](f"t{number}") for number in range(len(NAMES))}
    for vendor in vendors.values():
        vendor.latency_seconds = LATENCY_SECONDS

    def respond(request: Request) -> Reply:
        return vendors[token_of(request)].handle(request)

    variables = {f"TOKEN_{number}": token for number, token in enumerate(vendors)}
    with (
        database() as url,
        running(
            home,
            [],
            workspace(len(NAMES)),
            respond,
            {"DATABASE_URL": url, **variables, **(environment or {})},
        ) as workers,
    ):
        yield workers, vendors


def workspace(connections: int) -> str:
    """Four activations of the same companies, spread over this number of connections."""
    lines = ["sources: [{name: Shop, engine: sqlite, path: shop.sqlite3}]", "models:"]
    lines += ["  - {name: Companies, source: Shop, kind: custom, table: companies, primary_key: id}", "connections:"]
    lines += [f'  - {{name: Attio {n}, platform: attio, token: "${{TOKEN_{n}}}"}}' for n in range(connections)]
    lines += ["destinations:"]
    lines += [f"  - {{name: To {n}, connection: Attio {n}, service: attio.companies}}" for n in range(connections)]
    activations = [
        (ACTIVATION % (name, "Companies")).replace("destination: Attio companies", f"destination: To {n}")
        for n, name in enumerate(NAMES)
    ]
    return "\n".join([*lines, "activations:", *activations])


def await_end(workers: Workers, names: list[str]) -> None:
    wait_until(lambda: all(workers.state(name) == "succeeded" for name in names), "the deliveries")


def writes(vendor: Sandbox, status: int = 0) -> list[tuple[str, float]]:
    """The name of the company in each write of a vendor's log, and when it came; only those with a status."""
    return [
        (entry["body"]["data"]["values"]["name"], entry["at"])
        for entry in list(vendor.log)
        if entry["method"] in ("PUT", "POST", "PATCH")
        and not entry["path"].endswith("/query")
        and status in (0, entry["status"])
    ]


def all_writes(vendors: Mapping[str, Sandbox]) -> list[tuple[str, float]]:
    """The writes of all vendors."""
    return [write for vendor in vendors.values() for write in writes(vendor)]


def moments(vendor: Sandbox) -> list[float]:
    """When the writes came, in order."""
    return sorted(at for _, at in writes(vendor))


def rate(times: list[float]) -> float:
    """Writes per second, from the first to the last."""
    return (len(times) - 1) / (max(times) - min(times))


def interleaved(vendor: Sandbox) -> int:
    """How many writes of one activation came between the first and the last one of the other."""
    numbers = [(int(name.rpartition(" ")[2]) >= SECOND_BEGINS, at) for name, at in writes(vendor)]
    ones, twos = ([at for second, at in numbers if second is which] for which in (False, True))
    return sum(min(twos) < at < max(twos) for at in ones)


def in_window(times: list[float], seconds: float) -> int:
    """The largest number of writes within so many seconds, wherever they begin."""
    begin, most = 0, 0
    for end, at in enumerate(times):
        while times[begin] <= at - seconds:
            begin += 1
        most = max(most, end - begin + 1)
    return most
