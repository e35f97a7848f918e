"""Template context for the page frame: name, styles, and the sidebar for signed-in users."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin

if TYPE_CHECKING:
    from django.http import HttpRequest

PLACES = ("/accounts/", "/setup/")
"""Pages that third-party views render. The others pass the frame themselves."""


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    # A request that was refused early has no user.
    known = hasattr(request, "user") and request.path_info.startswith(PLACES)
    return admin.site.each_context(request) if known else {}
