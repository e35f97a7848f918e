"""Why no schedule starts a run of an activation now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from segments.sources import drift

if TYPE_CHECKING:
    from activations.models import Activation


def reason(activation: Activation) -> str:
    """The reason; "" if schedules start runs. A hold by the system ends once its cause is fixed."""
    if activation.paused:
        return "Paused by a person."
    cause = drift.held(activation.rows, activation.columns)
    return f"On hold. {cause}" if cause else ""
