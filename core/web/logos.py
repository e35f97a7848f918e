"""Logos: the drawing in each plug-in's folder, or a tile with its first letter."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.utils.html import format_html
from django.utils.module_loading import import_string
from django.utils.safestring import SafeString

if TYPE_CHECKING:
    from core.plugins import Registry

TILE = '<svg viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#64748b"/>{}</svg>'
LETTER = (
    '<text x="16" y="22" text-anchor="middle" font-size="17" font-weight="600" fill="#fff"'
    ' font-family="system-ui, sans-serif">{}</text>'
)


def logo(slug: str, size: int = 24, alt: str | None = None) -> SafeString:
    """The drawing of a plug-in.

    Args:
        slug: of an engine, platform or service. An unknown one gets a tile with its first letter.
        size: width and height in CSS pixels.
        alt: the text equivalent; the plug-in's name if None. "" makes the drawing decoration.
    """
    drawing, label = _drawing(slug)
    text = label if alt is None else alt
    sized = SafeString(drawing.replace("<svg ", f'<svg width="{size:d}" height="{size:d}" focusable="false" ', 1))
    if not text:
        return format_html('<span class="d-mark" aria-hidden="true">{}</span>', sized)
    return format_html('<span class="d-mark" role="img" aria-label="{}">{}</span>', text, sized)


@cache
def _drawing(slug: str) -> tuple[str, str]:
    """The SVG of a plug-in, which is a file of this repository, and its name."""
    for name in settings.LOGO_REGISTRIES:
        registry: Registry[Any] = import_string(name)
        if slug in registry.all:
            path = registry.icon(slug)
            label = str(registry.all[slug].label)
            return (path.read_text().strip() if path else _tile(label)), label
    return _tile(slug), slug


def _tile(label: str) -> str:
    return str(format_html(TILE, format_html(LETTER, label[:1].upper())))
