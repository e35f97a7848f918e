"""Starts an activation for real: from then on it is no draft, and its schedules start runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Activation
from activations.setup import schedules

if TYPE_CHECKING:
    from collections.abc import Iterable


def turn_on(activations: Iterable[Activation]) -> None:
    """Turns drafts into activations whose schedules start runs. Others stay as they are."""
    for activation in activations:
        if activation.is_draft:
            activation.is_draft = False
            Activation.objects.filter(pk=activation.pk).update(is_draft=False)
            schedules.sync_all(activation)
