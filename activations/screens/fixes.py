"""Where a person can do something about what made a run fail: links, by what has to work again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.urls import reverse

from activations.models import Run, SystemPause
from core.health import Health

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import Activation

CREDENTIALS = ("token_", "scope_missing", "unauthorized", "http_401", "http_403", "forbidden", "encryption_key_lost")
"""Beginnings of codes after which a new credential helps."""
ATTRIBUTES = ("match_field", "nothing_to_send", "attribute_missing", "attribute_read_only", "custom_attribute")
"""Codes that are about attributes of the destination. Reading them again shows whether it is still so."""
IDENTITY = ("identity_changed", "workspace_changed")


@dataclass(frozen=True)
class Link:
    """A link to where something can be done about a cause."""

    label: str
    href: str


def fixes(run: Run) -> Iterator[Link]:
    """Links for a failed run: what helps with its error first, then the activation."""
    if run.state != Run.State.FAILED:
        return
    yield from links(run.activation, run.culprit, run.problem_code or run.error_code)
    yield Link("Open the activation", reverse("admin:activations_activation_change", args=[run.activation_id]))


def links(activation: Activation, culprit: str, code: str) -> Iterator[Link]:
    """Links that help with an error.

    Args:
        culprit: a value of `SystemPause.Cause`; "" if it is not known.
    """
    model, connection = activation.data_model, activation.destination.connection
    if culprit == SystemPause.Cause.CONNECTION or connection.health == Health.State.FAILED:
        label = "Enter a new credential" if code.startswith(CREDENTIALS) else "Test the connection"
        yield Link(label, reverse("admin:destinations_connection_change", args=[connection.pk]))
    if culprit == SystemPause.Cause.SOURCE or model.source.health == Health.State.FAILED:
        yield Link("Test the source", reverse("admin:segments_source_change", args=[model.source_id]))
    if model.problem:
        yield Link("Open the model", reverse("admin:segments_datamodel_change", args=[model.pk]))
    if code.startswith(ATTRIBUTES):
        attributes = reverse("admin:destinations_destination_fields", args=[activation.destination_id])
        yield Link("Refresh the attributes", attributes)
    if code.startswith((*ATTRIBUTES, *IDENTITY)):
        page = reverse("admin:activations_activation_change", args=[activation.pk])
        yield Link("Open the mapping", f"{page}?step=mapping")
