"""Numbers and times as every page shows them."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.timesince import timesince, timeuntil

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

NOTHING = "\N{EN DASH}"
SOON_SECONDS = 60
"""Up to which a moment is “just now” or “in a moment”."""


def number(value: Any) -> str:
    """A number with separators: 2,998. A dash if there is none."""
    return NOTHING if value is None or value == "" else number_format(value, use_l10n=True, force_grouping=True)


def moment(value: datetime | date | None) -> SafeString | str:
    """A time in the viewer's time zone: 29 Nov 2026, 14:05. A dash if there is none."""
    if value is None:
        return NOTHING
    return format_html('<time datetime="{}">{}</time>', value.isoformat(), _words(value))


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
