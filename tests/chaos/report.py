"""The table at the end of the proof."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Run
from tests.chaos.repeats import LAPSE, Repeats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tests.chaos.story import Kill
    from tests.chaos.weather import Weather


def table(
    title: str,
    kills: Sequence[Kill],
    repeats: Repeats,
    weathers: Mapping[str, Weather],
    most: Mapping[str, int],
    seconds: float,
) -> str:
    """Kills by target and point with their repeats, and what happened around them.

    Args:
        most: how many requests each activation may have in flight.
    """
    groups: dict[str, list[int]] = {}
    for kill in kills:
        groups.setdefault(f"{kill.target}, {kill.point or 'any moment'}", []).append(repeats.of(kill))
    lines = [title, f"  {'killed (-9)':<28} {'kills':>6} {'repeats':>8} {'mean':>6} {'max':>5}"]
    rows = [*sorted(groups.items()), ("all", [number for numbers in groups.values() for number in numbers])]
    lines += [
        f"  {name:<28} {len(n):>6} {sum(n):>8} {sum(n) / max(1, len(n)):>6.2f} {max(n, default=0):>5}"
        for name, n in rows
    ]
    return "\n".join([*lines, *_around(repeats, weathers, most), f"  {seconds:.0f} s"])


def _around(repeats: Repeats, weathers: Mapping[str, Weather], most: Mapping[str, int]) -> Iterator[str]:
    states: dict[str, int] = {}
    for state in Run.objects.order_by("state").values_list("state", flat=True):
        states[state] = states.get(state, 0) + 1
    yield "  runs: " + ", ".join(f"{number} {state.replace('_', ' ')}" for state, number in states.items())
    for name, weather in weathers.items():
        yield f"  {name}: {weather.requests} requests, {weather.faults} of them in bad weather, {len(weather.writes)} writes carried out"
    yield f"  repeats after an answer that the weather lost, or a second request that it failed: {repeats.by_weather}"
    starved = sum(number for (kill, _), number in repeats.by_kill.items() if kill.target == LAPSE)
    yield f"  repeats after a lease that ended while its worker lived: {starved}"
    allowed = ", ".join(f"{name} {number}" for name, number in most.items())
    worst = max(repeats.by_kill.values(), default=0)
    yield f"  requests in flight at most: {allowed}; most repeats of one activation after one kill: {worst}"
