"""A copy of an activation. It is a draft, so it starts nothing before a person has looked at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from activations.models import Activation, AttachContacts
from core.audit import recording
from core.text.names import free_name

if TYPE_CHECKING:
    from django.db.models import Model

SETTLED = {"slot", "backfill", "planned_at"}
"""What runs have stored on a field mapping. The copy has had no run."""
COUNTED = {"start_afresh", "next_slot", "match_slot", "next_run_number", "created_at"}
"""What an activation's own history decides."""
FIRED = {"task", "anchored_at", "settled_until", "signal", "signal_at", "signal_problem"}
"""What beat has done with a schedule."""


def duplicate(activation: Activation) -> Activation:
    """Copies an activation with its field mappings and schedules, without its runs and its sync history."""
    name = free_name(f"{activation.name} (copy)", lambda taken: Activation.objects.filter(name=taken).exists())
    with transaction.atomic(), recording():
        copy = Activation.objects.create(**{**_values(activation, COUNTED), "name": name, "is_draft": True})
        for mapping in activation.mappings.all():
            copy.mappings.create(**{**_values(mapping, SETTLED), "activation": copy})
        for schedule in activation.schedules.all():
            copy.schedules.create(**{**_values(schedule, FIRED), "activation": copy})
        for attached in AttachContacts.objects.filter(activation=activation):
            AttachContacts.objects.create(**{**_values(attached, set()), "activation": copy})
    return copy


def _values(row: Model, without: set[str]) -> dict[str, object]:
    """The row's own fields by name."""
    fields = (field for field in row._meta.concrete_fields if not field.primary_key and field.name not in without)
    return {field.name: getattr(row, field.name) for field in fields}
