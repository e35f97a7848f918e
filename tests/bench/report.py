"""PURE but for what the machine is: results as Markdown tables, and what was aimed at beside what was reached."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tests.bench.delivery import Delivered
    from tests.bench.planning import Planned
    from tests.bench.suite import Results

PACKAGES = ("django", "psycopg", "pyarrow", "polars", "duckdb", "numpy", "requests")
SPREAD_MB = 25
"""Two streams of the same rows may differ by so much."""
MOST_BY_HAND = 1.5
INTRODUCTION = """# Benchmarks

Written by `make bench`. Ratios are the result: everything in one table was measured side by side in one run, each case in a fresh
process, as the median of its repetitions. Seconds only say how fast the machine was.
"""


def planning(results: Results) -> str:
    """The tables of planning."""
    head = (
        "source",
        "baseline in",
        "changed",
        "plan s",
        "bare read s",
        "ratio",
        "CPU s",
        "MB above idle",
        "statements / 1,000 rows",
        "counts",
    )
    rows = [
        (
            found.source, found.database, found.case, f"{found.wall:.2f}", f"{found.bare:.2f}", f"{found.ratio:.1f}", f"{found.cpu:.2f}",
            f"{found.rss:.0f}", f"{found.statements:.2f}", "exact" if found.exact else f"WRONG {found.counts}",
        )
        for found in results.planned
    ]  # fmt: skip
    whole = [
        (run.source, run.database, f"{run.wall:.2f}", f"{run.plan:.2f}", f"{run.ratio:.2f}", str(run.writes))
        for run in results.whole
    ]
    size = [
        (found.source, found.database, f"{found.bytes_per_record:.0f}")
        for found in results.planned
        if found.bytes_per_record
    ]
    return "\n\n".join(
        [
            f"An idle worker takes {results.idle:.0f} MB.",
            table(head, rows),
            "A whole run without changes, against the simulator, beside its plan:",
            table(("source", "baseline in", "run s", "plan s", "ratio", "requests that write"), whole),
            "Bytes of the baseline for each record, with its indexes:",
            table(("source", "baseline in", "bytes"), size),
            "Others on the same SQLite file:",
            table(("what", "s", "times ours"), list(_others(results))),
        ]
    )


def delivering(results: Results) -> str:
    """The table of delivering."""
    head = (
        "service", "baseline in", "writes", "workers", "allowed /s", "reached /s", "share", "429s", "writes / changed record",
        "CPU s / 10,000", "MB above idle",
    )  # fmt: skip
    return table(head, [_delivered(found, results.idle) for found in results.delivered])


def reading(results: Results) -> str:
    """The tables of reading."""
    head = (
        "source", "preview ms", "by its driver ms", "beyond ms", "first of a process ms", "all rows s", "MB above idle", "MB of 100,000",
    )  # fmt: skip
    rows = [
        (
            found.source, *(f"{seconds * 1000:.0f}" for seconds in (found.preview, found.own, found.beyond, found.first)),
            f"{found.seconds:.2f}", f"{found.rss:.0f}", f"{found.few_rss:.0f}",
        )
        for found in results.read
    ]  # fmt: skip
    related = [
        (
            f"{found.companies:,}", f"{found.orders:,}", f"{found.ours:.2f}", f"{found.by_hand:.2f}", f"{found.ratio:.2f}",
            "the same" if found.same else "WRONG",
        )
        for found in results.related
    ]  # fmt: skip
    return "\n\n".join(
        [
            f"The first 20 rows, and all rows as a run reads them. An idle worker takes {results.idle:.0f} MB; MB are above that.",
            table(head, rows),
            "Companies with at least two orders over 100, counted in PostgreSQL without an index:",
            table(("companies", "orders", "ours s", "by hand s", "ratio", "counts"), related),
        ]
    )


def goals(results: Results) -> Iterator[tuple[str, str, str, bool]]:
    """What is aimed at, the aim, what was reached, and whether that is enough."""
    memory = 250 if results.rows <= 1_000_000 else 500
    for found in results.planned:
        name = f"{found.source} → {found.database}, {found.case} changed"
        if (
            found.source in ("postgres", "sqlite")
            and found.case != "first"
            and (found.source, found.case) != ("sqlite", "100 %")
        ):
            most = 12 if found.case == "100 %" else 4
            yield f"{name}: × bare read", f"≤ {most}", f"{found.ratio:.1f}", found.ratio <= most
        if found.source in ("csv", "parquet") and (like := _same(results, found, "postgres")):
            yield f"{name}: × from PostgreSQL", "≤ 1", f"{found.wall / like.wall:.2f}", found.wall <= like.wall
        yield f"{name}: MB above idle", f"≤ {memory}", f"{found.rss:.0f}", found.rss <= memory
        if found.orm:
            yield (
                f"{name}: × faster than a look-up for each row",
                "≥ 20",
                f"{found.orm / found.wall:.0f}",
                found.orm >= 20 * found.wall,
            )
    for run in results.whole:
        name = f"{run.source} → {run.database}, run without changes"
        yield (
            f"{name}: × plan, writes",
            "≤ 1.3, 0",
            f"{run.ratio:.2f}, {run.writes}",
            run.ratio <= 1.3 and not run.writes,
        )
    for source in results.read:
        yield (
            f"{source.source}: preview beyond the source's own time, ms",
            "≤ 100",
            f"{source.beyond * 1000:.0f}",
            source.beyond <= 0.1,
        )
        enough = source.few_rss + SPREAD_MB
        yield (
            f"{source.source}, all rows: MB above idle",
            f"≤ {enough:.0f}, as 100,000 rows",
            f"{source.rss:.0f}",
            source.rss <= enough,
        )
    for counted in results.related:
        fine = counted.same and counted.ratio <= MOST_BY_HAND
        yield "postgres, related rows counted: × by hand", f"≤ {MOST_BY_HAND}", f"{counted.ratio:.2f}", fine
    for sent in results.delivered:
        name = f"{sent.service}, {sent.what}, {sent.workers} worker(s), {sent.database}"
        if sent.allowed:
            fine = sent.share >= 0.98 and sent.refused <= sent.writes * 0.005
            yield (
                f"{name}: share of {sent.allowed:g}/s, 429s",
                "≥ 98 %, ≤ 0.5 %",
                f"{sent.share:.1%}, {sent.refused / sent.writes:.1%}",
                fine,
            )
        elif sent.workers == 1:
            yield f"{name}, no limit: /s", "≥ 300", f"{sent.reached:.0f}", sent.reached >= 300


def summary(results: Results) -> str:
    """The goals as a table."""
    return table(
        ("goal", "aim", "reached", ""),
        [(name, aim, reached, "yes" if fine else "NO") for name, aim, reached, fine in goals(results)],
    )


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """PURE. An aligned Markdown table."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    texts = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([texts[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *texts[1:]])


def machine(server: str) -> str:
    """What it was measured on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
    names = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    load = f"Load average before the start: {os.getloadavg()[0]:.1f}; with more than a few tenths, ratios say less."
    return f"{os.cpu_count()} cores ({model}), {platform.system()}, Python {platform.python_version()}, {_postgres(server)}{names}. {load}"


def written(before: str, sections: dict[str, str]) -> str:
    """PURE. The document with these sections new or in the place of those of the same title."""
    parts = before.split("\n## ")[1:]
    kept = dict(part.split("\n", 1) for part in parts) | {title: f"\n{text}\n" for title, text in sections.items()}
    return INTRODUCTION + "".join(f"\n## {title}\n{kept[title].rstrip()}\n" for title in sorted(kept))


def _delivered(found: Delivered, idle: float) -> tuple[str, ...]:
    return (
        found.service, found.database, found.what, str(found.workers), f"{found.allowed:g}" if found.allowed else "no limit",
        f"{found.reached:.1f}", f"{found.share:.1%}" if found.allowed else "", str(found.refused),
        f"{found.writes / max(1, found.accepted):.3f}", f"{found.cpu / max(1, found.writes) * 10_000:.1f}", f"{found.rss - idle:.0f}",
    )  # fmt: skip


def _others(results: Results) -> Iterator[tuple[str, str, str]]:
    orm = next((found for found in results.planned if found.orm), None)
    if orm:
        yield (
            "a look-up for each row (a sample, extrapolated), against the plan with 1 % changed",
            f"{orm.orm:.0f}",
            f"{orm.orm / orm.wall:.0f}",
        )
    run = next((run for run in results.whole if run.source == "sqlite"), None)
    if results.drt and run:
        yield (
            "drt, a whole process to a file, against a whole process without changes",
            f"{results.drt:.1f}",
            f"{results.drt / run.process:.1f}",
        )
    elif results.no_drt:
        yield f"drt: {results.no_drt}", "", ""


def _same(results: Results, like: Planned, source: str) -> Planned | None:
    return next(
        (
            found
            for found in results.planned
            if (found.source, found.database, found.case) == (source, like.database, like.case)
        ),
        None,
    )


def _postgres(server: str) -> str:
    if not server:
        return ""
    with psycopg.connect(server) as database:
        return f"PostgreSQL {database.info.server_version // 10_000}.{database.info.server_version % 10_000}, "
