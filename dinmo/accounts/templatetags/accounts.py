"""Styled form fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.forms import CheckboxInput

if TYPE_CHECKING:
    from django.forms import BoundField
    from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def drawn(field: BoundField) -> SafeString:
    """The input of a field, styled. Text inputs of third-party forms have no style of their own."""
    if isinstance(field.field.widget, CheckboxInput):
        return field.as_widget()
    field.field.widget.attrs.pop("placeholder", None)
    return field.as_widget(attrs={"class": "d-input"})
