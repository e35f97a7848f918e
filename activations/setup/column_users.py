"""Reports to `segments` which columns the activations use, and follows renamed columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.urls import reverse

from activations import text_template
from activations.models import Activation, FieldMapping
from segments.integrity.registered_users import Use

if TYPE_CHECKING:
    from collections.abc import Iterator

    from segments.models import DataModel, Segment


class Activations:
    """A `segments.integrity.registered_users.User`."""

    def uses_of_model(self, model: DataModel) -> Iterator[Use]:
        return map(_use, _of_model(model))

    def uses_of_segment(self, segment: Segment) -> Iterator[Use]:
        return map(_use, Activation.objects.filter(segment=segment).prefetch_related("mappings"))

    def column_renamed(self, model: DataModel, before: str, after: str) -> None:
        mappings = FieldMapping.objects.filter(activation__in=_of_model(model))
        mappings.filter(column=before).update(column=after)
        for pk, template in mappings.exclude(template="").values_list("pk", "template"):
            mappings.filter(pk=pk).update(template=text_template.renamed(template, {before: after}))


def _of_model(model: DataModel) -> list[Activation]:
    return list(Activation.objects.filter(Q(model=model) | Q(segment__model=model)).prefetch_related("mappings"))


def _use(activation: Activation) -> Use:
    return Use(
        noun="activation",
        name=activation.name,
        columns=frozenset(activation.columns),
        identified_by=frozenset([activation.match_column]),
        url=reverse("admin:activations_activation_change", args=[activation.pk]),
    )
