"""The choice of an activation to compare records with the destination first: its field, and what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from destinations.registry import services

if TYPE_CHECKING:
    from activations.models import Activation
    from destinations.contract import Service


class ComparingField(forms.Form):
    """A form with the choice. `before` is the activation as it is stored; None if it is new."""

    before: Activation | None = None
    compare_first = forms.TypedChoiceField(
        choices=((True, "Compare first"), (False, "Send everything")),
        coerce=lambda chosen: chosen == "True",
        empty_value=None,
        required=False,
        widget=forms.RadioSelect,
        label="Before a record is written for the first time",
    )

    def clean_compare_first(self) -> bool | None:
        """The choice; None if nobody made a different one than what the service does anyway."""
        chosen: bool | None = self.cleaned_data["compare_first"]
        destination = self.cleaned_data.get("destination")
        service = services.all.get(destination.service) if destination else None
        is_open = self.before is None or self.before.compare_first is None
        return None if is_open and service and chosen == service.compares_by_default else chosen


def meanings(service: Service) -> dict[str, Any]:
    """PURE. What a service does unless somebody chooses, and what each choice means; empty if it can't compare."""
    if not service.compares:
        return {}
    (one, many), vendor, batch = service.record_nouns, service.platform.label, service.limits.find_batch
    cost = f"up to {batch:,} with one request" if batch > 1 else "which costs one more request for each"
    first = (
        f"New {many} are read in {vendor} first, {cost}. Only fields that differ are sent, and nothing if a {one} has "
        "all values already."
    )
    everything = f"All fields of every new {one} are sent, even if {vendor} has the same values already."
    return {"default": str(service.compares_by_default), "words": {"True": first, "False": everything}}
