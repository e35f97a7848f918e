"""The reason for which an activation's schedules start no runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segments.sources import drift

if TYPE_CHECKING:
    from activations.models import Activation


DRAFT = "A draft: it was never started, so its schedules start no runs."


def reason(activation: Activation) -> str:
    """The reason, or "" if schedules start runs. A hold ends automatically once its cause is fixed."""
    if activation.is_draft:
        return DRAFT
    if activation.paused:
        return "Paused by a person."
    found = cause(activation)
    return f"On hold. {found}" if found else ""


def cause(activation: Activation) -> str:
    """What changed in the source and puts the activation on hold, whether it is paused or not; "" if nothing did."""
    return drift.held(activation.rows, activation.columns)
