"""The configuration of an activation from its model instances, whether they are saved or about to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations.models import Generation, Record
from activations.setup.identity import Identity
from activations.setup.spec import ActivationSpec, AttachSpec, MappingSpec
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from activations.models import Activation, AttachContacts


def spec(activation: Activation, mappings: Sequence[MappingSpec] | None = None) -> ActivationSpec:
    """The activation's configuration. `mappings`, if given, replace the saved ones."""
    model, destination = activation.data_model, activation.destination
    return ActivationSpec(
        service=services[destination.service],
        platform=destination.connection.platform,
        model_kind=model.kind,
        mode=activation.mode,
        columns=model.column_types(),
        match_column=activation.match_column,
        match_field=activation.match_field,
        mappings=saved_mappings(activation) if mappings is None else mappings,
        computed=[field.name for field in model.computed_fields()],
        workspace=destination.connection.workspace_id,
        model=model.pk,
        primary_key=model.primary_key,
        attach=attach_spec(getattr(activation, "attach_contacts", None)),
    )


def attach_spec(setting: AttachContacts | None) -> AttachSpec | None:
    """The people that are attached to hidden records, from the saved setting or one that is about to be saved."""
    if setting is None:
        return None
    return AttachSpec(
        model=setting.model.name,
        columns=setting.model.column_types(),
        company_column=setting.company_column,
        found_by=setting.found_by,
        at_most=setting.at_most,
    )


def saved_mappings(activation: Activation) -> list[MappingSpec]:
    """The field mappings of a saved activation."""
    return [
        MappingSpec(
            mapping.target,
            mapping.column,
            mapping.value,
            mapping.custom_attribute,
            mapping.country,
            mapping.template,
            mapping.round_to_whole,
            mapping.policy,
        )
        for mapping in activation.mappings.all()
    ]


def current_generation(activation: Activation) -> Generation | None:
    """The generation that records are accepted into; None before the first run."""
    return activation.generations.exclude(number=Generation.EMPTY).first()


def accepted_identity(activation: Activation) -> Identity | None:
    """What the records of the sync history belong to; None if it holds none."""
    generation = current_generation(activation)
    if generation is None or not Record.objects.filter(generation=generation).exists():
        return None
    return Identity.parse(generation.identity)
