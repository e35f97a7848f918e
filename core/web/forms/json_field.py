"""A form field for JSON that an editor on the page writes, and the check that a JSON value can be stored."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError

if TYPE_CHECKING:
    from collections.abc import Iterator

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""What PostgreSQL can't store in text: null characters, and halves of a surrogate pair."""


class EditorField(forms.JSONField):
    """A JSON value from an editor. Whatever else is submitted becomes an error, and the editor shows what is stored."""

    def to_python(self, value: Any) -> Any:
        try:
            parsed = super().to_python(value)
        except RecursionError:
            raise self._invalid(value) from None
        if not is_storable(parsed):
            raise self._invalid(value)
        return parsed

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            self.to_python(data)
        except ValidationError:
            return initial() if callable(initial) else initial
        return super().bound_data(data, initial)

    def _invalid(self, value: Any) -> ValidationError:
        return ValidationError(self.error_messages["invalid"], code="invalid", params={"value": value})


def is_storable(value: Any) -> bool:
    """Whether every database can store the value as JSON: finite numbers, valid text, not too deeply nested."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return not any(UNSTORABLE.search(text) for text in _texts(value))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for item in value.items() for part in item for text in _texts(part))
    elif isinstance(value, list | tuple):
        yield from (text for part in value for text in _texts(part))
