"""Columns that lists share: a name with its logo, and the result of the last check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.utils.html import format_html

from core.web.formats import ago
from core.web.logos import logo
from core.web.screens import HEALTH_TONES, pill

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

LOGO_SIZE = 24


def named(slug: str, name: Any) -> SafeString:
    """A name beside the logo of a plug-in."""
    return format_html('<span class="d-named">{}<span>{}</span></span>', logo(slug, LOGO_SIZE, ""), name)


class HealthColumns:
    """The columns of rows that are checked: whether they work, with the reason if they don't, and since when."""

    @admin.display(description="State", ordering="health")
    def health_column(self, obj: Any) -> SafeString:
        reason = obj.health_message if obj.health == obj.State.FAILED else ""
        line = format_html('<div class="d-muted d-cause" title="{}">{}</div>', reason, reason) if reason else ""
        state = pill(obj.get_health_display(), HEALTH_TONES[obj.health])
        return format_html('<div class="d-state">{}{}</div>', state, line)

    @admin.display(description="Checked", ordering="health_at")
    def checked_column(self, obj: Any) -> SafeString | str:
        return ago(obj.health_at) if obj.health_at else "Never"
