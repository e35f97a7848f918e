"""The names that people give to things. They appear in lists, logs and emails, so they stay on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from core.text.characters import is_one_line

MESSAGE = "A name can't contain line breaks or other control characters. Remove them, or type the name again."

if TYPE_CHECKING:
    _CharField = models.CharField[Any, Any]
else:
    _CharField = models.CharField


def validate_name(text: str) -> None:
    """Raises ValidationError if a name contains a control character."""
    if not is_one_line(text):
        raise ValidationError(MESSAGE, code="control_character")


class NameField(_CharField):
    """A name. In migrations it is the CharField that it is for the database."""

    default_validators = [validate_name]

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
