"""The table printed at the end of the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Run
from tests.chaos.repeats import EXPIRED_LEASE, Repeats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.chaos.faults import FaultyVendor
    from tests.chaos.scenario import Kill


def table(
    title: str,
    kills: Sequence[Kill],
    repeats: Repeats,
    vendors: Mapping[str, FaultyVendor],
    in_flight: Mapping[str, int],
    seconds: float,
) -> str:
    """Kills by target and failpoint with their repeats, and a summary of runs, requests and faults.

    Args:
        in_flight: how many records each activation may have in flight.
    """
    groups: dict[str, list[int]] = {}
    for kill in kills:
        groups.setdefault(f"{kill.target}, {kill.point or 'any time'}", []).append(repeats.of(kill))
    lines = [title, f"  {'killed (-9)':<28} {'kills':>6} {'repeats':>8} {'mean':>6} {'max':>5}"]
    rows = [*sorted(groups.items()), ("all", [number for numbers in groups.values() for number in numbers])]
    lines += [
        f"  {name:<28} {len(n):>6} {sum(n):>8} {sum(n) / max(1, len(n)):>6.2f} {max(n, default=0):>5}"
        for name, n in rows
    ]
    return "\n".join([*lines, *_summary(repeats, vendors, in_flight), f"  {seconds:.0f} s"])


def _summary(repeats: Repeats, vendors: Mapping[str, FaultyVendor], in_flight: Mapping[str, int]) -> Iterator[str]:
    states: dict[str, int] = {}
    for state in Run.objects.order_by("state").values_list("state", flat=True):
        states[state] = states.get(state, 0) + 1
    yield "  runs: " + ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in states.items())
    for name, vendor in vendors.items():
        requests = f"{vendor.requests} requests, {vendor.faults} with injected faults"
        yield f"  {name}: {requests}, {len(vendor.writes)} writes carried out"
    yield f"  repeats after an answer lost to a fault, or a second request that a fault failed: {repeats.by_fault}"
    starved = sum(number for (kill, _), number in repeats.by_kill.items() if kill.target == EXPIRED_LEASE)
    yield f"  repeats after a lease that expired while its worker was alive: {starved}"
    limits = ", ".join(f"{name} {number}" for name, number in in_flight.items())
    worst = max(repeats.by_kill.values(), default=0)
    yield f"  maximum records in flight: {limits}; most repeats of one activation after one kill: {worst}"
