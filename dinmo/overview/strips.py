"""The activations with their states and a strip of their last runs: the worst first, one page at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.core.paginator import Page, Paginator
from django.db.models import OuterRef, Q, Subquery
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString

from activations.alerts.words import READ, run_tone, run_words
from activations.models import Activation, Run
from core.web.screens import pill

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from activations.alerts.state import State

RUNS = 30
ROWS = 10
SEVERITY = {"bad": 0, "warn": 1, "busy": 2, "good": 3, "calm": 4}
WORDS = {"good": "succeeded", "warn": "with exceptions", "bad": "failed", "busy": "in progress", "calm": "cancelled"}
SHOWN = ("pk", "activation_id", "number", "created_at", *READ)
"""What is read of each run. Rows of these are read several times as fast as hundreds of whole runs."""


@dataclass(frozen=True)
class Bar:
    """One run in the strip, with the values of `SHOWN`."""

    run: Any
    tone: str
    words: str


@dataclass(frozen=True)
class Strip:
    """An activation with its last runs, the oldest first.

    Args:
        drawing: the bars as links. Drawn here, because a template takes several times as long for hundreds.
        summary: the strip in words, for who can't see it.
    """

    activation: Activation
    state: State
    pill: SafeString
    bars: Sequence[Bar]
    drawing: SafeString
    summary: str

    @property
    def last(self) -> Bar | None:
        return self.bars[-1] if self.bars else None

    @property
    def gap(self) -> range:
        """Places for the runs that it does not have yet."""
        return range(RUNS - len(self.bars))


def page(
    activations: Iterable[Activation], states: Mapping[int, State], number: str | None, *, with_runs: bool
) -> tuple[Page, list[Strip]]:
    """One page of activations.

    Args:
        with_runs: whether the viewer may see runs.
    """
    ordered = sorted(activations, key=lambda one: (SEVERITY[states[one.pk].tone], one.name.casefold()))
    shown = Paginator(ordered, ROWS).get_page(number)
    runs = _runs([activation.pk for activation in shown]) if with_runs else {}
    return shown, [_strip(activation, states[activation.pk], runs.get(activation.pk, [])) for activation in shown]


def summary(tones: Iterable[str]) -> str:
    """PURE. The last runs in words, e.g. "Last 30 runs: 28 succeeded, 2 failed"."""
    counts = Counter(tones)
    if not counts:
        return "No runs yet"
    parts = [f"{counts[tone]} {WORDS[tone]}" for tone in ("good", "warn", "bad", "busy", "calm") if counts[tone]]
    total = counts.total()
    return f"Last {total} runs: {', '.join(parts)}" if total > 1 else f"One run: {parts[0].partition(' ')[2]}"


def _runs(activations: Sequence[int]) -> dict[int, list[Any]]:
    """The last runs of each activation, the oldest first. Dry runs and tests of one record are left out."""
    whole = Run.objects.filter(**Run.WHOLE)
    # Two looks into an index for each activation, however many runs it has.
    oldest = Subquery(whole.filter(activation=OuterRef("pk")).order_by("-pk").values("pk")[RUNS - 1 : RUNS])
    starts = Activation.objects.filter(pk__in=activations).order_by().values_list("pk", oldest)
    shown = reduce(or_, [Q(activation=activation, pk__gte=start or 0) for activation, start in starts], Q(pk=None))
    found: dict[int, list[Any]] = {}
    for run in whole.filter(shown).order_by("pk").values_list(*SHOWN, named=True):
        found.setdefault(run.activation_id, []).append(run)
    return found


def _strip(activation: Activation, state: State, runs: Sequence[Any]) -> Strip:
    bars = [Bar(run, run_tone(run), run_words(run)) for run in runs]
    words = summary(bar.tone for bar in bars)
    return Strip(activation, state, pill(state.label, state.tone), bars, _drawing(bars), words)


def _drawing(bars: Iterable[Bar]) -> SafeString:
    runs = reverse("admin:activations_run_changelist")
    links = (
        f'<a class="d-bar-{bar.tone}" tabindex="-1" href="{runs}{bar.run.pk}/change/" '
        f'title="Run {bar.run.number}: {escape(bar.words)}"></a>'
        for bar in bars
    )
    return SafeString("".join(links))
