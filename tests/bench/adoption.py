"""Adopting companies that Attio has already: the run reads them and writes nothing. Beside what bounds it."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core import http
from destinations.services.attio.records import LIMITS
from tests.bench import delivery, report
from tests.bench.setup.data import Companies
from tests.bench.setup.home import TOKEN, Home, control, opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.bench.setup.databases import Databases

MOST_ROWS = 100_000
PAGE = 500
"""Records in one answer of Attio."""
AT_ONCE = 2_000
READERS = 4
"""How many lookups a run has in flight."""
DECIMALS = Decimal("0.0001")


@dataclass(frozen=True)
class Adopted:
    """One measurement. Times are in seconds.

    Args:
        run: the whole run, with reading the source.
        bare: the same lookups without a run: sent, received and parsed.
        writes_per_second: reached by a run that sends everything, over a sample of rows.
        cpu: CPU seconds of the run.
        rss: its peak memory in MB.
    """

    database: str
    rows: int
    matched: int
    lookups: int
    writes: int
    run: float
    bare: float
    writes_per_second: float
    cpu: float
    rss: float

    @property
    def writing(self) -> float:
        """How long writing all rows takes at the rate that was reached."""
        return self.rows / self.writes_per_second

    @property
    def pages(self) -> int:
        """How many full pages of answers the companies fill."""
        return -(-self.rows // PAGE)

    @property
    def limit(self) -> float:
        """How long requesting these pages takes at least at the rate that Attio allows."""
        return self.pages / LIMITS.reads


def measure(scratch: Databases, directory: Path, rows: int, seconds: float) -> Adopted:
    """Measures a first run of companies that all exist, the bare lookups, and a run that sends everything.

    Args:
        seconds: duration of the run that sends everything.
    """
    sample = max(2, round(LIMITS.writes * seconds))
    with opened(directory, scratch.create("adoption")) as home:
        _set_up(home, rows, sample)
        control(home, "attio", "POST", "switches", {"latency_seconds": delivery.LATENCY_SECONDS})
        bare = _bare(home, rows)
        adopted = home.measure("activate", name="Activation 0")
        control(home, "attio", "DELETE", "requests")
        home.measure("activate", name="Activation 1")
        reached, *_ = delivery.pace(control(home, "attio", "GET", "requests"))
    counts = adopted["counts"]
    return Adopted(
        scratch.kind,
        rows,
        counts["matched"],
        adopted["requests"]["lookup"],
        adopted["requests"]["write"],
        adopted["wall"],
        bare,
        reached,
        adopted["cpu"],
        adopted["rss"],
    )


def table(adopted: Iterable[Adopted], idle: float) -> str:
    """PURE. The results as Markdown. `idle`: the memory of an idle worker in MB."""
    head = (
        "baseline in",
        "companies",
        "already there",
        "lookups",
        "writes",
        "run s",
        "bare lookups s",
        "× bare",
        "limit of reads s",
        "× limit",
        "writing all s",
        "× faster",
        "CPU s / 10,000",
        "MB above idle",
    )
    return report.table(head, [_row(result, idle) for result in adopted])


def _set_up(home: Home, rows: int, sample: int) -> None:
    home.manage("migrate", "--verbosity", "0")
    path = home.sources / "companies.sqlite3"
    sizes = [{"rows": rows, "first": 1}, {"rows": sample, "first": 1 + rows}]
    parts = [
        {"where": str(path), "table": f"companies_{number}", "companies": {**size, "bad_rows": False}}
        for number, size in enumerate(sizes)
    ]
    home.measure("write_source", kind="sqlite", parts=parts)
    control(home, "attio", "POST", "switches", {"attributes": delivery.ATTIO_ATTRIBUTES})
    for records in _stored(Companies(rows, bad_rows=False)):
        control(home, "attio", "POST", "switches", {"records": {"companies": records}})
    workspace = delivery.workspace("attio", len(sizes))
    workspace["activations"][1]["compare_first"] = False
    file = home.directory / "workspace.yaml"
    file.write_text(json.dumps(workspace))
    home.manage("apply", str(file))


def _stored(companies: Companies) -> Iterator[list[dict[str, Any]]]:
    """The companies as Attio holds them, some thousands at a time."""
    for batch in companies.batches():
        for start in range(0, batch.num_rows, AT_ONCE):
            yield [_record(row) for row in batch.slice(start, AT_ONCE).to_pylist()]


def _record(row: dict[str, Any]) -> dict[str, Any]:
    """PURE. One company in the form in which Attio stores it."""
    values = {
        "domains": [row["domain"]],
        "name": row["name"],
        "plan": row["plan"],
        "seats": row["seats"],
        "mrr": None if row["mrr"] is None else float(row["mrr"]),
        "score": float(Decimal(str(row["score"])).quantize(DECIMALS)),
        "active": row["active"],
        "founded_on": row["founded_on"].isoformat(),
        "seen_at": row["seen_at"] and row["seen_at"].isoformat(),
    }
    return {name: value for name, value in values.items() if value is not None}


def _bare(home: Home, rows: int) -> float:
    """Seconds for lookups of as many companies, without a run."""
    address = f"{home.environment['ATTIO_API_URL']}/v2/objects/companies/records/query"
    domains = [company["domains"][0] for batch in _stored(Companies(rows, bad_rows=False)) for company in batch]

    def look_up(start: int) -> int:
        clauses = [{"domains": {"domain": {"$eq": domain}}} for domain in domains[start : start + LIMITS.find_batch]]
        with http.session() as session:
            answer = session.post(
                address, json={"filter": {"$or": clauses}}, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=60
            )
        return len(answer.json()["data"])

    began = time.perf_counter()
    with ThreadPoolExecutor(READERS) as pool:
        assert sum(pool.map(look_up, range(0, rows, LIMITS.find_batch))) == rows
    return time.perf_counter() - began


def _row(result: Adopted, idle: float) -> tuple[str, ...]:
    return (
        result.database,
        f"{result.rows:,}",
        f"{result.matched:,}",
        str(result.lookups),
        str(result.writes),
        f"{result.run:.1f}",
        f"{result.bare:.1f}",
        f"{result.run / result.bare:.1f}",
        f"{result.limit:.1f}",
        f"{result.run / result.limit:.1f}",
        f"{result.writing:,.0f}",
        f"{result.writing / result.run:.0f}",
        f"{result.cpu / result.rows * 10_000:.1f}",
        f"{result.rss - idle:.0f}",
    )
