"""The fields of the limits of warnings in the form of an activation. An empty field switches its limit off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldBooleanSwitchWidget

from activations import warning_kinds as kinds

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS = {"percent": ", in percent", "records": ", in records", "minutes": ", in minutes", "times": "", "switch": ""}
FIRST = ("rejected_percent", "invalid_percent", "size_change_percent", "stale_intervals", "run_minutes", "empty")
"""The limits that the form shows first. The others are under “More limits”."""


def initial(thresholds: Mapping[str, kinds.Value]) -> dict[str, kinds.Value]:
    """The values that the fields show."""
    return kinds.effective(thresholds)


def thresholds(cleaned: Mapping[str, Any]) -> dict[str, kinds.Value]:
    """What an activation stores, from a submitted form."""
    return kinds.differing({key: cleaned[key] for key in kinds.DEFAULTS if key in cleaned})


def groups(form: forms.BaseForm) -> dict[str, list[forms.BoundField]]:
    """The fields of the form: those to show first, and the others."""
    keys = {"first": FIRST, "more": [key for key in kinds.DEFAULTS if key not in FIRST]}
    return {name: [form[key] for key in group if key in form.fields] for name, group in keys.items()}


def _field(limit: kinds.Limit) -> forms.Field:
    common: dict[str, Any] = {"required": False, "label": limit.label + UNITS[limit.unit], "help_text": limit.help}
    if limit.unit == "switch":
        return forms.BooleanField(widget=UnfoldBooleanSwitchWidget(), **common)
    return forms.IntegerField(
        min_value=0, max_value=limit.most, widget=UnfoldAdminIntegerFieldWidget(attrs={"placeholder": "off"}), **common
    )


class LimitFields(forms.Form):
    """A form with a field for each limit."""


LimitFields.declared_fields = {limit.key: _field(limit) for limit in kinds.limits()}
LimitFields.base_fields = LimitFields.declared_fields
