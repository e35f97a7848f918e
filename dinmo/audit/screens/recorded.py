"""One entry for each form that is saved, for admin pages that are not a ScreenAdmin."""

from __future__ import annotations

from typing import Any

from core.audit import recording


class RecordedForm:
    """A mixin for a ModelAdmin, whose form saves an object first and its links after that."""

    def _changeform_view(self, *args: Any, **kwargs: Any) -> Any:
        with recording():
            return super()._changeform_view(*args, **kwargs)  # type: ignore[misc]
