"""How the pages of runs and activations show states and lengths of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.alerts.words import run_tone, run_words
from core.web.screens import pill

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from django.utils.safestring import SafeString

    from activations.alerts.state import State
    from activations.models import Run
    from destinations.contract import Service


def run_pill(run: Run) -> SafeString:
    """The run's state as a colored pill."""
    compares = run.dry_run and run.state == run.State.DELIVERING
    return pill("Comparing" if compares else run_words(run), run_tone(run))


def state_pill(state: State) -> SafeString:
    """The state of an activation as a colored pill."""
    return pill(state.label, state.tone)


def hidden_note(service: Service, number: int, *, attaches: bool) -> str:
    """How many records are not visible at the destination yet, why, and what to do; "" if there are none.

    Args:
        attaches: the activation makes them visible itself, as soon as it can.
    """
    if not number:
        return ""
    one, many = service.record_nouns
    hidden = f"{number:,} {many} are" if number > 1 else f"1 {one} is"
    return f"{hidden} not visible at the destination yet. {service.hidden_note} {_remedy(service, attaches)}".strip()


def _remedy(service: Service, attaches: bool) -> str:
    if service.reveals is None:
        return ""
    one, many = service.reveals.nouns
    if attaches:
        return f"No known {one} could be attached to them yet. They are tried again in later runs."
    return f"To attach {many} that are there already, edit this activation and choose the people under “Mapping”."


def duration(run: Run, now: datetime) -> str:
    """How long the run took, or has taken so far."""
    if run.started_at is None:
        return ""
    held_since = run.compared_at if run.state == run.State.HELD else None
    return in_words((run.finished_at or held_since or now) - run.started_at)


def in_words(length: timedelta) -> str:
    """A length of time, e.g. `3 min 5 s`."""
    seconds = max(0, int(length.total_seconds()))
    if seconds < 60:
        return f"{seconds} s" if seconds else "under 1 s"
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s"
