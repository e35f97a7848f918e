"""The names that people give to things. They appear in lists, logs and emails, so they stay on one line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.core.exceptions import ValidationError
from django.db import models

from core.text.characters import is_one_line

MESSAGE = "A name can't contain line breaks or other control characters. Remove them, or type the name again."

if TYPE_CHECKING:
    from collections.abc import Callable

    _CharField = models.CharField[Any, Any]
else:
    _CharField = models.CharField


def validate_name(text: str) -> None:
    """Raises ValidationError if a name contains a control character."""
    if not is_one_line(text):
        raise ValidationError(MESSAGE, code="control_character")


def free_name(wanted: str, is_taken: Callable[[str], bool], length: int = 180) -> str:
    """`wanted` on one line, shortened to `length` characters, with a number from 2 if that name is taken."""
    name = " ".join(wanted.split())[:length] or "Unnamed"
    number = 1
    while is_taken(name if number == 1 else f"{name} {number}"):
        number += 1
    return name if number == 1 else f"{name} {number}"


class NameField(_CharField):
    """A name. In migrations it is the CharField that it is for the database."""

    default_validators = [validate_name]

    def deconstruct(self) -> Any:
        name, _, args, kwargs = super().deconstruct()
        return name, "django.db.models.CharField", args, kwargs
