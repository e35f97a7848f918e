"""Runs the proof on one database: sets everything up, runs the scenario, and checks the result."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path

from django.conf import settings
from django.core.management import call_command

from activations.models import Activation, Change, Run
from activations.runs.lease import TAKEN_OVER
from destinations.sandbox.http_server import Server
from destinations.sandbox.registry import sandboxes
from dinmo.local.machine import exclusive_runtime
from tests.chaos import adoption, postgres, proof, repeats, report
from tests.chaos.faults import FAULT_RATES, FaultyVendor
from tests.chaos.processes import Installation
from tests.chaos.scenario import Kill, Scenario, environment
from tests.chaos.source import MAX_COUNT, Shop

WORKSPACE = Path(__file__).with_name("workspace.yaml")
UNKNOWN_EVERY = 10
SHOWN = 40
_TAKEN_OVER = re.compile(rf"(\S+ \S+) WARNING \S+ Run (\d+) {TAKEN_OVER}")

Show = Callable[[str], None]


def run(
    inherited: dict[str, str],
    ports: dict[str, int],
    kills: int,
    seed: int,
    seconds: float,
    database_port: int,
    show: Show,
) -> bool:
    """Runs the whole proof on one database, and returns whether all checks passed.

    Args:
        ports: the port of each platform's simulator.
        seconds: the time limit for the kills.
        database_port: the port for a temporary PostgreSQL server, or 0 for SQLite.
    """
    started_at = time.monotonic()
    with _running_scenario(inherited, ports, seed, database_port, show) as scenario:
        scenario.kill(kills, seconds)
        show(f"  {len(scenario.kills)} kills done. Repairing the source and waiting for all runs to end …")
        scenario.settle()
        again = scenario.settle()
        scenario.installation.keep_running()
        title = f"{'PostgreSQL' if database_port else 'SQLite'}, seed {seed}"
        violations = list(_check(scenario, kills, again, title, time.monotonic() - started_at, show))
    for sentence in islice(violations, SHOWN):
        show(f"  BROKEN: {sentence}")
    if len(violations) > SHOWN:
        show(f"  … and {len(violations) - SHOWN} more.")
    return not violations


def known_accounts() -> list[str]:
    """The IDs of the companies that exist in Intercom from the start. The update activation skips all others."""
    return [f"app-{number}" for number in range(1, MAX_COUNT + 1) if number % UNKNOWN_EVERY]


def expiries(home: Path) -> list[Kill]:
    """When workers took over runs whose lease had expired, according to their logs."""
    names = dict(Run.objects.values_list("pk", "activation__name"))
    lines = [line for log in home.glob("worker-*.log") for line in log.read_text(errors="replace").splitlines()]
    matches = [match for match in map(_TAKEN_OVER.match, lines) if match]
    return [
        Kill(_timestamp(match[1]), repeats.EXPIRED_LEASE, "", frozenset({names.get(int(match[2]), "")}))
        for match in matches
    ]


def _timestamp(logged: str) -> float:
    return datetime.strptime(logged, "%Y-%m-%d %H:%M:%S,%f").astimezone().timestamp()


def _check(scenario: Scenario, wanted: int, again: list[Run], title: str, seconds: float, show: Show) -> Iterator[str]:
    attio, intercom, bulk = (scenario.vendors[name].sandbox.state() for name in ("attio", "intercom", "bulk"))
    writes = [write for vendor in scenario.vendors.values() for write in vendor.writes]
    changes = Change.objects.select_related("run__activation")
    keys = repeats.record_keys(attio, intercom, bulk)
    attempts = list(repeats.by_change(writes, changes, keys))
    failures = [failure for vendor in scenario.vendors.values() for failure in vendor.failures]
    explained = repeats.explain(attempts, scenario.kills, expiries(settings.VAR_DIR), failures)
    longest = {name: vendor.longest_seconds for name, vendor in scenario.vendors.items()}
    in_flight = {
        name: proof.max_in_flight(name, longest)
        for name in Activation.objects.order_by("pk").values_list("name", flat=True)
    }
    show(report.table(title, scenario.kills, explained, scenario.vendors, in_flight, seconds))
    if len(scenario.kills) < wanted:
        yield f"Only {len(scenario.kills)} of {wanted} kills were done within the time limit."
    yield from proof.check_values(scenario.shop.live.values(), attio, intercom, set(known_accounts()))
    yield from proof.check_duplicates(attio, intercom)
    yield from proof.check_bulk(scenario.shop.live.values(), bulk)
    yield from adoption.check_policies(
        scenario.shop.live.values(),
        scenario.seeds,
        adoption.held(attio, intercom, bulk),
        repeats.by_record(writes, keys),
    )
    yield from proof.check_runs_ended()
    yield from proof.check_accepted(attempts)
    yield from proof.check_repeats(explained, longest)
    yield from proof.check_idle_runs(again)


@contextmanager
def _running_scenario(
    inherited: dict[str, str], ports: dict[str, int], seed: int, database_port: int, show: Show
) -> Iterator[Scenario]:
    home = settings.VAR_DIR
    failpoint_file = home / "kill_at"
    with ExitStack() as stack:
        stack.enter_context(exclusive_runtime(home))
        cluster = stack.enter_context(postgres.cluster(database_port)) if database_port else None
        vendors = {
            slug: stack.enter_context(serving(slug, port, inherited["CHAOS_TOKEN"], seed))
            for slug, port in ports.items()
        }
        vendors["intercom"].sandbox._switch({"companies": [{"company_id": account} for account in known_accounts()]})
        shop = Shop(home / "shop.sqlite3", seed)
        seeds = adoption.seed(vendors, shop.live)
        installation = Installation(home, environment(inherited, failpoint_file), cluster)
        stack.callback(installation.stop)
        call_command("migrate", interactive=False, verbosity=0)
        installation.keep_running()
        call_command("apply", str(WORKSPACE), verbosity=0)
        yield Scenario(installation, shop, vendors, random.Random(seed), failpoint_file, show, seeds)


@contextmanager
def serving(
    slug: str, port: int, token: str, seed: int, rates: Mapping[str, float] = FAULT_RATES
) -> Iterator[FaultyVendor]:
    """Serves a simulator. Its faults are off."""
    vendor = FaultyVendor(sandboxes[slug](token), random.Random(f"{slug} {seed}"), rates)
    with Server(vendor.sandbox, port, vendor.handle) as server:
        # Killed clients drop their connections, which is not worth a traceback.
        server.http.handle_error = lambda request, client_address: None  # type: ignore[method-assign]
        yield vendor
