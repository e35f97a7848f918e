"""Unfold settings: title and styles of every screen. Loaded by the Django settings, so it imports no model."""

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
        for name in ("theme", "screens", "lists", "start", "editor", "run", "timeline", "overview", "docs", "accounts")
    ],
    "SCRIPTS": [
        lambda _request, name=name: static(f"dinmo/{name}.js") for name in ("screens", "shell", "timeline/search")
    ],
    "SIDEBAR": {"show_search": False, "show_all_applications": False, "navigation": "dinmo.navigation.navigation"},
    # They are in theme.css, because the content security policy allows no styles in the markup.
    "COLORS": lambda _request: {},
}
