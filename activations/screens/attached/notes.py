"""How many records of an activation are hidden, and whether it attaches anybody to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Sum

from activations.models import AttachContacts
from activations.setup import spec_from_db
from activations.storage import hidden_records
from destinations.registry import services

if TYPE_CHECKING:
    from activations.models import Activation


def attaches(activation: Activation) -> AttachContacts | None:
    """The people that the activation attaches; None if it attaches nobody."""
    return AttachContacts.objects.filter(activation=activation).select_related("model").first()


def in_words(activation: Activation) -> str:
    """What the activation attaches, in one sentence; "" if it attaches nobody."""
    setting, service = attaches(activation), services[activation.destination.service]
    if setting is None or service.reveals is None:
        return ""
    one, many = service.reveals.nouns
    number = f"one {one}" if setting.at_most == 1 else f"up to {setting.at_most} {many}"
    return f"Attach {number} of {setting.model} to each {service.record_nouns[0]} that is hidden"


def still_hidden(activation: Activation) -> int:
    """How many of its records the destination does not show yet, as far as its answers said.

    Of a destination whose hidden records can't be made visible, only those that runs created are counted.
    """
    if services[activation.destination.service].reveals is None:
        return activation.runs.aggregate(number=Sum("hidden"))["number"] or 0
    generation = spec_from_db.current_generation(activation)
    return hidden_records.open_in(generation.pk).count() if generation else 0
