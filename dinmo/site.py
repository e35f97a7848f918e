"""Unfold settings: title, styles and colors of every screen. Loaded by the Django settings, so it imports no model."""

from __future__ import annotations

from typing import Any

from django.templatetags.static import static

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "DinMo",
    "SITE_HEADER": "DinMo",
    "SITE_SUBHEADER": "Data where teams work",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SITE_FAVICONS": [{"rel": "icon", "type": "image/svg+xml", "href": lambda _request: static("dinmo/icon.svg")}],
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "dinmo.overview.page.context",
    "STYLES": [
        lambda _request, name=name: static(f"dinmo/{name}.css")
        for name in ("screens", "lists", "start", "editor", "run", "timeline", "overview", "docs")
    ],
    "SCRIPTS": [
        lambda _request, name=name: static(f"dinmo/{name}.js") for name in ("screens", "shell", "timeline/search")
    ],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "dinmo.navigation.navigation"},
    "COLORS": {
        "primary": {
            "50": "oklch(97.7% .014 236)",
            "100": "oklch(94.6% .033 237)",
            "200": "oklch(90.1% .058 240)",
            "300": "oklch(82.8% .101 245)",
            "400": "oklch(70.7% .145 250)",
            "500": "oklch(62.3% .17 255)",
            "600": "oklch(54.6% .185 259)",
            "700": "oklch(48.8% .18 260)",
            "800": "oklch(42.4% .155 262)",
            "900": "oklch(37.9% .12 263)",
            "950": "oklch(28.2% .08 264)",
        }
    },
}
