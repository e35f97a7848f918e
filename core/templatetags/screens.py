"""What every page shows alike: logos, links to the documentation, numbers, times and pills."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil

from core.web.logos import logo as drawn_logo
from core.web.screens import pill as colored_pill

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()
NOTHING = "\N{EN DASH}"
SOON_SECONDS = 60
"""Up to which a moment is “just now” or “in a moment”."""


@register.simple_tag
def logo(slug: str, size: int = 24, alt: str | None = None) -> SafeString:
    """The drawing of an engine, platform or service, such as `postgres` or `attio.companies`.

    Args:
        size: width and height in CSS pixels.
        alt: what a screen reader says instead of its name; "" beside the name, so that it isn't said twice.
    """
    return drawn_logo(slug, size, alt)


@register.simple_tag
def docs(page: str, anchor: str = "", about: str = "") -> SafeString:
    """A link to a page of the documentation that this installation serves.

    Args:
        page: the name of a file in `docs/`, without its ending.
        anchor: the heading to scroll to.
        about: completes the accessible name “Help about …”; the page's name if empty.
    """
    url = reverse("docs", args=[page]) + (f"#{anchor}" if anchor else "")
    return format_html(
        '<a class="d-help" href="{}" aria-label="Help about {}"><span class="material-symbols-outlined"'
        ' aria-hidden="true">info</span></a>',
        url,
        about or page.replace("-", " "),
    )


@register.simple_tag
def pill(text: str, tone: str = "calm") -> SafeString:
    """A colored label. The tone is good, bad, warn, busy or calm."""
    return colored_pill(text, tone)


@register.filter
def number(value: Any) -> str:
    """A number with separators: 2,998. A dash if there is none."""
    return NOTHING if value is None or value == "" else number_format(value, use_l10n=True, force_grouping=True)


@register.filter
def moment(value: datetime | date | None) -> SafeString | str:
    """A time in the viewer's time zone: 29 Nov 2026, 14:05. A dash if there is none."""
    if value is None:
        return NOTHING
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), _words(value))


@register.filter
def ago(value: datetime | None) -> SafeString | str:
    """How long ago or ahead a time is, with the time itself as the tooltip. A dash if there is none."""
    if value is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', value.isoformat(), _words(value), relative(value, timezone.now())
    )


def relative(value: datetime, now: datetime) -> str:
    """PURE. “5 minutes ago”, “in 2 hours”, “just now” or “in a moment”."""
    seconds = (now - value).total_seconds()
    if abs(seconds) < SOON_SECONDS:
        return "just now" if seconds >= 0 else "in a moment"
    if seconds >= 0:
        return f"{timesince(value, now, depth=1)} ago"
    return f"in {timeuntil(value, now, depth=1)}"


def _words(value: datetime | date) -> str:
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value) if timezone.is_aware(value) else value, "DATETIME_FORMAT")
    return date_format(value, "DATE_FORMAT")
