"""Columns that lists share: a name with its logo, links to what uses a row, and the result of the last check."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.urls import reverse
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


def users(page: str, through: str, obj: Any, count: int) -> SafeString | str:
    """How many rows use this one, linked to their list.

    Args:
        page: the list, e.g. `segments_datamodel`.
        through: the field of its rows that refers to `obj`.
    """
    if not count:
        return "None"
    return format_html('<a class="d-link" href="{}">{}</a>', _filtered(page, through, obj), f"{count:,}")


def uncounted_users(page: str, through: str, obj: Any, noun: str) -> SafeString:
    """A link to the rows that use this one, for lists that can't count them. `page` and `through` as in `users`.

    Args:
        noun: the plural of what is linked, for screen readers.
    """
    text = '<a class="d-link" href="{}">Show<span class="d-hidden"> {} of {}</span></a>'
    return format_html(text, _filtered(page, through, obj), noun, obj)


def _filtered(page: str, through: str, obj: Any) -> str:
    return f"{reverse(f'admin:{page}_changelist')}?{through}__id__exact={obj.pk}"


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
