"""The reason for which an activation's schedules start no runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import SystemPause
from segments.sources import drift

if TYPE_CHECKING:
    from activations.models import Activation


DRAFT = "A draft: it was never started, so its schedules start no runs."


def reason(activation: Activation) -> str:
    """The reason, or "" if schedules start runs. What the system paused resumes automatically once its cause works."""
    if activation.is_draft:
        return DRAFT
    if activation.paused:
        return "Paused by a person."
    found = paused_by_system(activation)
    return f"Paused by the system. {found}" if found else ""


def paused_by_system(activation: Activation) -> str:
    """Why the system paused the activation, or is about to because its source changed; "" if it did not."""
    pause = system_pause(activation)
    return words(pause) if pause else cause(activation)


def system_pause(activation: Activation) -> SystemPause | None:
    """The activation's pause by the system. None if there is none."""
    try:
        return activation.system_pause
    except SystemPause.DoesNotExist:
        return None


def words(pause: SystemPause) -> str:
    """What has to work again, by its name, and what is wrong with it."""
    activation = pause.activation
    if pause.cause == SystemPause.Cause.SOURCE:
        return f"The source “{activation.data_model.source.name}” is not working. {pause.message}"
    if pause.cause == SystemPause.Cause.CONNECTION:
        return f"The connection “{activation.destination.connection.name}” is not working. {pause.message}"
    return pause.message


def cause(activation: Activation) -> str:
    """What changed in the source and lets every run fail, whether it is paused or not; "" if nothing did."""
    return drift.held(activation.rows, activation.columns)
