"""Reports to `segments` which columns the activations use, and follows renamed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse

from activations import text_template
from activations.models import Activation, AttachContacts, FieldMapping
from core.audit import recording
from segments.integrity.registered_users import Use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segments.models import DataModel, Segment


class Activations:
    """A `segments.integrity.registered_users.User`."""

    def uses_of_model(self, model: DataModel) -> Iterator[Use]:
        yield from map(_use, _of_model(model))
        yield from map(_attached, AttachContacts.objects.filter(model=model).select_related("activation"))

    def uses_of_segment(self, segment: Segment) -> Iterator[Use]:
        return map(_use, Activation.objects.filter(segment=segment).prefetch_related("mappings"))

    def column_renamed(self, model: DataModel, before: str, after: str) -> None:
        activations = _of_model(model)
        mappings = FieldMapping.objects.filter(activation__in=activations)
        with recording(*activations):
            mappings.filter(column=before).update(column=after)
            for pk, template in mappings.exclude(template="").values_list("pk", "template"):
                mappings.filter(pk=pk).update(template=text_template.renamed(template, {before: after}))
        for setting in AttachContacts.objects.filter(model=model):
            _rename(setting, before, after)


def _of_model(model: DataModel) -> list[Activation]:
    return list(Activation.objects.filter(Q(model=model) | Q(segment__model=model)).prefetch_related("mappings"))


def _rename(setting: AttachContacts, before: str, after: str) -> None:
    setting.found_by = {name: after if column == before else column for name, column in setting.found_by.items()}
    if setting.company_column == before:
        setting.company_column = after
    setting.save(update_fields=["found_by", "company_column"])


def _attached(setting: AttachContacts) -> Use:
    """An activation that attaches rows of the model to records of a different one."""
    return Use(
        noun="activation",
        name=setting.activation.name,
        columns=frozenset(setting.columns),
        identified_by=frozenset(),
        url=_url(setting.activation),
    )


def _url(activation: Activation) -> str:
    return reverse("admin:activations_activation_change", args=[activation.pk])


def _use(activation: Activation) -> Use:
    return Use(
        noun="activation",
        name=activation.name,
        columns=frozenset(activation.columns),
        identified_by=frozenset([activation.match_column]),
        url=_url(activation),
    )
