"""The summary on an activation's own page: what it does, when, and how its last run ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from activations.models import SkippedSlot
from activations.runs.outages import latest_run
from activations.screens.attached import notes
from activations.screens.editor import words
from activations.screens.review.page import mapped, schedule_sentence
from activations.screens.run import page as run_page
from activations.screens.run.sentence import sentence
from destinations.registry import services

if TYPE_CHECKING:
    from activations.models import Activation

SHOWN_SLOTS = 3


def summary(activation: Activation) -> dict[str, Any]:
    """What the template of the summary shows."""
    last = latest_run(activation)
    if last:
        last.activation = activation
    return {
        "platform_label": services[activation.destination.service].platform.label,
        "mode_words": words.mode_words(activation.mode, services[activation.destination.service]),
        **mapped(activation),
        "attached": notes.in_words(activation),
        "schedule": schedule_sentence(activation),
        "skipped": SkippedSlot.objects.filter(schedule__activation=activation)[:SHOWN_SLOTS],
        "signal_problems": [each.signal_problem for each in activation.schedules.all() if each.signal_problem],
        "last_run": last,
        "last_sentence": sentence(run_page.facts(last)) if last else "",
    }
