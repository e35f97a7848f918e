"""PURE. The goals of the benchmarks: for each one its name, the target, what was reached, and whether it was met."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.pages.measure import LIMIT_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.adoption import Adopted
    from tests.bench.delivery import Delivered
    from tests.bench.pages.measure import Page
    from tests.bench.planning import Planned, WholeRun
    from tests.bench.reading import Read
    from tests.bench.suite import Results

SPREAD_MB = 25
"""How much the memory of two streams may differ, even for the same rows."""
MAX_HAND_WRITTEN_RATIO = 1.5
LEAST_FASTER = 20
"""How many times faster than writing it is to find out that nothing has to be written."""
Goal = tuple[str, str, str, bool]


def goals(results: Results) -> Iterator[Goal]:
    """Every goal as name, target, reached value, and whether it was met."""
    for planned in results.planned:
        yield from _planning(results, planned)
    for run in results.whole:
        yield _whole_run(run)
    for source in results.read:
        yield from _reading(source)
    for related in results.related:
        met = related.same and related.ratio <= MAX_HAND_WRITTEN_RATIO
        name = "postgres, related rows counted: × hand-written SQL"
        yield name, f"≤ {MAX_HAND_WRITTEN_RATIO}", f"{related.ratio:.2f}", met
    for delivered in results.delivered:
        yield from _delivery(delivered)
    for adopted in results.adopted:
        yield from _adoption(adopted)
    if results.pages:
        yield from _pages(results.pages)


def _planning(results: Results, planned: Planned) -> Iterator[Goal]:
    name = f"{planned.source} → {planned.database}, {planned.case} changed"
    memory = 250 if results.rows <= 1_000_000 else 500
    if (
        planned.source in ("postgres", "sqlite")
        and planned.case != "first"
        and (planned.source, planned.case) != ("sqlite", "100 %")
    ):
        limit = 12 if planned.case == "100 %" else 4
        yield f"{name}: × bare read", f"≤ {limit}", f"{planned.ratio:.1f}", planned.ratio <= limit
    if planned.source in ("csv", "parquet") and (same := _same_case(results, planned, "postgres")):
        yield f"{name}: × from PostgreSQL", "≤ 1", f"{planned.wall / same.wall:.2f}", planned.wall <= same.wall
    yield f"{name}: MB above idle", f"≤ {memory}", f"{planned.rss:.0f}", planned.rss <= memory
    if planned.orm:
        faster = planned.orm / planned.wall
        yield f"{name}: × faster than one lookup per row", "≥ 20", f"{faster:.0f}", planned.orm >= 20 * planned.wall


def _whole_run(run: WholeRun) -> Goal:
    name = f"{run.source} → {run.database}, run without changes: × plan, writes"
    return name, "≤ 1.3, 0", f"{run.ratio:.2f}, {run.writes}", run.ratio <= 1.3 and not run.writes


def _reading(source: Read) -> Iterator[Goal]:
    reached = f"{source.overhead * 1000:.0f}"
    yield f"{source.source}: preview overhead, ms", "≤ 100", reached, source.overhead <= 0.1
    limit = source.small_rss + SPREAD_MB
    name = f"{source.source}, all rows: MB above idle"
    yield name, f"≤ {limit:.0f}, as 100,000 rows", f"{source.rss:.0f}", source.rss <= limit


def _pages(pages: Sequence[Page]) -> Iterator[Goal]:
    quick, constant, answered = (
        sum(met) for met in zip(*((page.is_quick, page.is_constant, page.is_answered) for page in pages), strict=True)
    )
    number, slowest = len(pages), max(page.asked.p95 for page in pages)
    limit = f"≤ {LIMIT_SECONDS * 1000:.0f}"
    yield "pages: p95, ms", limit, f"{quick} of {number}, slowest {slowest * 1000:.0f}", quick == number
    yield "pages: as many queries as in a small installation", "all", f"{constant} of {number}", constant == number
    yield "pages: answered without an error", "all", f"{answered} of {number}", answered == number


def _delivery(delivered: Delivered) -> Iterator[Goal]:
    name = f"{delivered.service}, {delivered.what}, {delivered.workers} worker(s), {delivered.database}"
    if delivered.allowed:
        met = delivered.share >= 0.98 and delivered.refused <= delivered.writes * 0.005
        reached = f"{delivered.share:.1%}, {delivered.refused / delivered.writes:.1%}"
        yield f"{name}: share of {delivered.allowed:g}/s, 429s", "≥ 98 %, ≤ 0.5 %", reached, met
    elif delivered.workers == 1:
        yield f"{name}, no limit: /s", "≥ 300", f"{delivered.reached:.0f}", delivered.reached >= 300


def _adoption(adopted: Adopted) -> Iterator[Goal]:
    name, most = f"adopting, {adopted.database}", adopted.pages + 2
    met = adopted.lookups <= most and not adopted.writes and adopted.matched == adopted.rows
    yield f"{name}: lookups, writes", f"≤ {most}, 0", f"{adopted.lookups}, {adopted.writes}", met
    faster = adopted.writing / adopted.run
    yield f"{name}: × faster than writing", f"≥ {LEAST_FASTER}", f"{faster:.0f}", faster >= LEAST_FASTER


def _same_case(results: Results, planned: Planned, source: str) -> Planned | None:
    """The same case from a different source."""
    return next(
        (
            other
            for other in results.planned
            if (other.source, other.database, other.case) == (source, planned.database, planned.case)
        ),
        None,
    )
