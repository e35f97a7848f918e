"""Writes one entry per saved form, for admin classes that don't extend ScreenAdmin."""

from __future__ import annotations

from typing import Any

from core.audit import recording


class RecordedForm:
    """A mixin for a ModelAdmin. Its form saves an object first, and then its many-to-many relations."""

    def _changeform_view(self, *args: Any, **kwargs: Any) -> Any:
        with recording():
            return super()._changeform_view(*args, **kwargs)  # type: ignore[misc]
