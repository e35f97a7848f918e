"""Sets everything up, soaks, settles and checks."""

from __future__ import annotations

import json
import random
import time
from contextlib import ExitStack
from io import StringIO
from itertools import islice
from typing import TYPE_CHECKING

from django.conf import settings
from django.core.management import call_command

from destinations.models import Budget
from dinmo.local.machine import exclusive_runtime, free_port
from tests.bench.setup.home import Home, finish
from tests.chaos import postgres
from tests.chaos.processes import Installation
from tests.chaos.run import SHOWN, serving
from tests.chaos.scenario import environment
from tests.soak import proof, sizes
from tests.soak.scenario import STEADY_WEB, WEB, Pages, Scenario, add_programs
from tests.soak.source import PARTS, Source, name, of, workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from tests.chaos.faults import FaultyVendor
    from tests.soak.memory import Memory

FAULT_RATES = {
    "throttled": 0.007,
    "throttled_bare": 0.007,
    "broken": 0.007,
    "refused": 0.007,
    "rejected": 0.006,
    "cut": 0.005,
    "cut_after": 0.005,
    "malformed": 0.005,
    "timeout": 0.001,
}
"""Together 5 % of the requests for records."""
NO_LIMITS = {"attio": {"reads_per_second": 0, "writes_per_second": 0}, "intercom": {"rate_limit_per_window": 0}}
LIMITS = {"attio": {"reads_per_second": 100, "writes_per_second": 25}, "intercom": {"rate_limit_per_window": 1666}}
AT_ONCE = 5_000
LEASE = {"RUN_LEASE_SECONDS": "15", "RUN_SWEEP_SECONDS": "5", "RUN_SLICE_SECONDS": "60"}
START_SECONDS = 60.0


def run(
    inherited: Mapping[str, str],
    ports: Mapping[str, int],
    database_port: int,
    minutes: float,
    source_size: tuple[int, float],
    seed: int,
    show: Callable[[str], None],
) -> bool:
    """Runs the whole soak test, and returns whether all checks passed.

    Args:
        ports: the port of each platform's simulator.
        database_port: the port for a temporary PostgreSQL server.
        source_size: the number of companies, and the percentage of them that changes each minute.
    """
    home = settings.VAR_DIR
    with ExitStack() as stack:
        stack.enter_context(exclusive_runtime(home))
        cluster = stack.enter_context(postgres.cluster(database_port))
        vendors = {
            slug: stack.enter_context(serving(slug, ports[slug], inherited["CHAOS_TOKEN"], seed, FAULT_RATES))
            for slug in PARTS
        }
        source = Source(database_port, *source_size, seed)
        call_command("migrate", interactive=False, verbosity=0)
        shared = environment(dict(inherited), home / "never") | LEASE
        _fill(home, shared, vendors, source, show)
        web = {WEB: free_port(), STEADY_WEB: free_port()}
        installation = Installation(home, shared, cluster)
        add_programs(installation, web)
        stack.callback(installation.stop)
        installation.keep_running()
        _apply(home, database_port, scheduled=True)
        time.sleep(START_SECONDS)
        scenario = Scenario(installation, source, vendors, random.Random(seed), show)
        with Pages(web[STEADY_WEB]) as pages:
            memory = scenario.run(minutes)
        show("  The time is up. Waiting for all runs to end …")
        _apply(home, database_port, scheduled=False)
        scenario.settle()
        again = scenario.settle()
        _show_results(scenario, memory, minutes, pages, show)
        violations = [
            *proof.check_equal(source.companies.values(), vendors),
            *proof.check_errors(vendors, scenario.kills.total()),
            *proof.check_idle(again),
            *proof.check_logs(home),
            *memory.growing(minutes),
            *(f"A page failed: {failure}." for failure in pages.failures),
        ]
    for sentence in islice(violations, SHOWN):
        show(f"  BROKEN: {sentence}")
    if len(violations) > SHOWN:
        show(f"  … and {len(violations) - SHOWN} more.")
    return not violations


def _fill(
    home: Path,
    shared: Mapping[str, str],
    vendors: Mapping[str, FaultyVendor],
    source: Source,
    show: Callable[[str], None],
) -> None:
    """Brings both vendors to the state of the source: Attio has the companies already, Intercom gets them unlimited."""
    began = time.monotonic()
    known = [
        {"domains": [one.domain], "name": one.name, "description": one.description}
        for one in of("attio", source.companies.values())
    ]
    for start in range(0, len(known), AT_ONCE):
        vendors["attio"].sandbox._switch({"records": {"companies": known[start : start + AT_ONCE]}})
    for slug, vendor in vendors.items():
        vendor.sandbox._switch(dict(NO_LIMITS[slug]))
    _apply(home, source.port, scheduled=False)
    bench = Home(home, shared)
    lanes = [[name(slug, part) for part in parts] for slug, parts in PARTS.items()]
    for process in [bench.begin("-m", "tests.soak.fill", *names) for names in lanes]:
        finish(process)
    for slug, vendor in vendors.items():
        vendor.sandbox._switch(dict(LIMITS[slug]))
        vendor.writes.clear()
        vendor.requests = 0
        vendor.sandbox.log.clear()
    # They remember the rate without limits.
    Budget.objects.all().delete()
    show(f"  {len(source.companies)} companies are at both vendors after {time.monotonic() - began:.0f} s.")


def _apply(home: Path, port: int, *, scheduled: bool) -> None:
    file = home / "workspace.yaml"
    file.write_text(json.dumps(workspace(port, scheduled=scheduled)))
    call_command("apply", str(file), stdout=StringIO())


def _show_results(
    scenario: Scenario, memory: Memory, minutes: float, pages: Pages, show: Callable[[str], None]
) -> None:
    for line in _results(scenario, pages):
        show(f"  {line}")
    show(memory.table(minutes))


def _results(scenario: Scenario, pages: Pages) -> Iterator[str]:
    yield f"rows changed: {scenario.changes}; killed (-9): {_listed(scenario.kills)}"
    for slug, vendor in scenario.vendors.items():
        share = vendor.faults / max(1, vendor.requests)
        yield f"{slug}: {vendor.requests} requests, {len(vendor.writes)} writes carried out"
        yield f"{slug}: {vendor.faults} faults ({share:.1%}): {_listed(vendor.injected)}"
    yield f"runs: {_listed(proof.runs_by_ending())}"
    yield f"changes: {_listed(proof.changes_by_outcome())}"
    yield f"pages: {pages.pages}"
    for table, (rows, size) in sizes.per_row().items():
        yield f"{table}: {rows} rows, {size:.0f} bytes each"


def _listed(counted: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counted.items()))
