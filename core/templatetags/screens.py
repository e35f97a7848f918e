"""What every page shows alike: logos, links to the documentation, numbers, times and pills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import template
from django.urls import reverse
from django.utils.html import format_html

from core.web import filters, formats
from core.web.error_pages import help_path
from core.web.logos import logo as drawn_logo
from core.web.screens import pill as colored_pill

if TYPE_CHECKING:
    from django.utils.safestring import SafeString

register = template.Library()
register.simple_tag(filters.links, name="filter_links")
register.filter("number", formats.number)
register.filter("moment", formats.moment)
register.filter("ago", formats.ago)


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
    """A link to a page of the documentation that this installation serves, in a new tab: a form may be half filled in.

    Args:
        page: the name of a file in `docs/`, without its ending.
        anchor: the heading to scroll to.
        about: completes the accessible name “Help about …”; the page's name if empty.
    """
    url = reverse("docs", args=[page]) + (f"#{anchor}" if anchor else "")
    return format_html(
        '<a class="d-help" href="{}" target="_blank" rel="noopener" aria-label="Help about {} (opens a new tab)">'
        '<span class="material-symbols-outlined" aria-hidden="true">info</span></a>',
        url,
        about or page.replace("-", " "),
    )


@register.simple_tag
def error_code(code: str) -> SafeString:
    """An error code, as a link to what the documentation says about it."""
    return format_html('<a class="d-link" href="{}"><code>{}</code></a>', help_path(code), code)


@register.simple_tag
def pill(text: str, tone: str = "calm") -> SafeString:
    """A colored label. The tone is good, bad, warn, busy or calm."""
    return colored_pill(text, tone)
