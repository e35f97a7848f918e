"""Notices that what the system paused an activation for was changed or works again, and has it checked soon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.utils import timezone

from activations.models import Activation, SystemPause
from core.health import Health
from destinations.models import Connection
from segments.models import DataModel, Segment, Source

if TYPE_CHECKING:
    from django.db.models import Model

SETTINGS = {"config", "secrets"}
PROVES_NOTHING = ("source_timeout", "source_deadline")
"""Codes of failures after which a test of the source succeeds: it is the model's query that takes too long."""


@receiver(post_save, sender=Source)
@receiver(post_save, sender=Connection)
def side_saved(instance: Any, update_fields: frozenset[str] | None, **_: object) -> None:
    """A source or a connection has new settings, or a test of it succeeded."""
    waiting = SystemPause.objects.filter(_concerned(instance))
    if update_fields is None or SETTINGS & update_fields:
        waiting.update(next_check_at=timezone.now())
    elif "health" in update_fields and instance.health == Health.State.OK:
        # A test that succeeds proves nothing if a run failed in spite of one.
        waiting = waiting.filter(trials=0, next_check_at__gt=timezone.now()).exclude(code__in=PROVES_NOTHING)
        waiting.exclude(cause=SystemPause.Cause.CONFIGURATION).update(next_check_at=timezone.now())


@receiver(post_save, sender=Activation)
@receiver(post_save, sender=DataModel)
@receiver(post_save, sender=Segment)
def configuration_saved(instance: Any, update_fields: frozenset[str] | None, **_: object) -> None:
    """A person saved what a run depends on."""
    if update_fields is None:
        SystemPause.objects.filter(_concerned(instance)).update(next_check_at=timezone.now())


def _concerned(instance: Model) -> Q:
    """The pauses of activations that depend on a row."""
    if isinstance(instance, Activation):
        return Q(activation=instance)
    if isinstance(instance, Connection):
        return Q(activation__destination__connection=instance)
    if isinstance(instance, Segment):
        return Q(activation__segment=instance)
    path = "model" if isinstance(instance, DataModel) else "model__source"
    return Q(**{f"activation__{path}": instance}) | Q(**{f"activation__segment__{path}": instance})
