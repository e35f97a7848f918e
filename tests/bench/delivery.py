"""Delivery to the simulators: how much of the allowed rate is used, and at what cost."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from destinations.registry import services
from tests.bench.setup.home import Home, control, measured, opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.bench.setup.databases import Databases

LATENCY_SECONDS = 0.05
SERVICES = ("attio.companies", "intercom.companies")
_ATTRIBUTE_TYPES = {
    "plan": "text",
    "seats": "number",
    "mrr": "number",
    "score": "number",
    "active": "checkbox",
    "founded_on": "date",
    "seen_at": "timestamp",
}
ATTIO_ATTRIBUTES = [{"api_slug": name, "type": kind, "title": name} for name, kind in _ATTRIBUTE_TYPES.items()]
COLUMNS = ("plan", "seats", "mrr", "score", "active", "founded_on", "seen_at")
RECORD_WRITE = re.compile(r"/v2/objects/companies/records(/(?!query$)[^/]+)?|/companies(/(?!list$)[^/]+)?")
WRITING = ("POST", "PUT", "PATCH")
UNLIMITED = {"attio": {"reads_per_second": 0, "writes_per_second": 0}, "intercom": {"rate_limit_per_window": 0}}


@dataclass(frozen=True)
class Delivered:
    """One measurement.

    Args:
        allowed: writes per second that the vendor allows, or 0 for no limit.
        reached: writes per second, from the first to the last one in the simulator's log.
        refused: requests that were answered with 429.
        cpu: CPU seconds of all workers together.
        rss: peak memory of the largest worker, in MB.
    """

    service: str
    database: str
    what: str
    workers: int
    allowed: float
    reached: float
    refused: int
    writes: int
    others: int
    accepted: int
    cpu: float
    rss: float

    @property
    def share(self) -> float:
        """The share of the allowed rate that was reached."""
        return self.reached / self.allowed if self.allowed else 0.0


def measure(
    scratch: Databases, directory: Path, service: str, workers: int, seconds: float, unlimited: bool
) -> Iterator[Delivered]:
    """Measures a first run that creates every company, then a run that changes two fields of each.

    Args:
        seconds: duration of one run at the allowed rate, or at 400 requests per second if there is no limit.
    """
    slug = service.partition(".")[0]
    allowed = 0.0 if unlimited else services[service].limits.writes
    rows = max(1, round((allowed or 400) * seconds / workers))
    with opened(directory, scratch.create("delivery")) as home:
        set_up(home, slug, workers, rows)
        control(
            home,
            slug,
            "POST",
            "switches",
            {"latency_seconds": LATENCY_SECONDS, **(UNLIMITED[slug] if unlimited else {})},
        )
        yield _round(home, service, scratch.kind, "create", workers, allowed, unlimited)
        _write(home, workers, rows, "all")
        yield _round(home, service, scratch.kind, "update", workers, allowed, unlimited)


def pace(log: Sequence[dict[str, Any]]) -> tuple[float, int, int, int]:
    """PURE. Accepted writes per second from the first to the last one, responses with 429, writes, other requests."""
    writes = [entry for entry in log if entry["method"] in WRITING and RECORD_WRITE.fullmatch(entry["path"])]
    times = sorted(entry["at"] for entry in writes if entry["status"] < 300)
    refused = sum(entry["status"] == 429 for entry in log)
    rate = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0
    return rate, refused, len(writes), len(log) - len(writes)


def _round(
    home: Home, service: str, database: str, what: str, workers: int, allowed: float, unlimited: bool
) -> Delivered:
    slug = service.partition(".")[0]
    control(home, slug, "DELETE", "requests")
    started = [
        home.begin_case("activate", name=f"Activation {number}", unlimited=unlimited) for number in range(workers)
    ]
    results = [measured(process) for process in started]
    reached, refused, writes, others = pace(control(home, slug, "GET", "requests"))
    accepted = sum(result["counts"]["accepted"] for result in results)
    cpu, rss = sum(result["cpu"] for result in results), max(result["rss"] for result in results)
    return Delivered(service, database, what, workers, allowed, reached, refused, writes, others, accepted, cpu, rss)


def set_up(home: Home, slug: str, workers: int, rows: int) -> None:
    """An installation with one activation for each worker, and that number of rows for each of them."""
    home.manage("migrate", "--verbosity", "0")
    _write(home, workers, rows, "none")
    control(home, slug, "POST", "switches", {"attributes": ATTIO_ATTRIBUTES} if slug == "attio" else {})
    path = home.directory / "workspace.yaml"
    path.write_text(json.dumps(workspace(slug, workers)))
    home.manage("apply", str(path))


def _write(home: Home, workers: int, rows: int, changed: str) -> None:
    path = home.sources / "companies.sqlite3"
    path.unlink(missing_ok=True)
    parts = [
        {
            "where": str(path),
            "table": f"companies_{number}",
            "companies": {"rows": rows, "first": 1 + number * rows, "changed": changed, "bad_rows": False},
        }
        for number in range(workers)
    ]
    home.measure("write_source", kind="sqlite", parts=parts)


def workspace(slug: str, workers: int) -> dict[str, Any]:
    """PURE. The workspace file: one activation per worker, each with its own companies, all to one vendor workspace."""
    match = {"from": "domain", "to": "domains"} if slug == "attio" else {"from": "id", "to": "company_id"}
    named = [{"from": "name", "to": "name"}]
    fields: dict[str, Any] = {"fields": [*named, *({"from": column, "to": column} for column in COLUMNS)]}
    if slug == "intercom":
        fields = {"fields": [*named, {"from": "plan", "to": "plan"}], "custom_attributes": list(COLUMNS[1:])}
    connection = {"name": "Vendor", "platform": slug, "token": "${BENCH_TOKEN}"}
    return {
        "sources": [{"name": "Source", "engine": "sqlite", "path": "companies.sqlite3"}],
        "models": [
            {"name": f"Companies {number}", "source": "Source", "table": f"companies_{number}", "primary_key": "id"}
            for number in range(workers)
        ],
        "connections": [connection | ({"region": "us"} if slug == "intercom" else {})],
        "destinations": [{"name": "Companies", "connection": "Vendor", "service": f"{slug}.companies"}],
        "activations": [
            {
                "name": f"Activation {number}",
                "model": f"Companies {number}",
                "destination": "Companies",
                "mode": "upsert",
                "match": match,
            }
            | fields
            for number in range(workers)
        ],
    }
