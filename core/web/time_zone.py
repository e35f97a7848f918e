"""Times in the viewer's time zone: the one that the person chose, or else the one that the browser reports."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

COOKIE = "time_zone"
CHOICE = "time_zone"
"""Where a session keeps what the person chose."""


class ViewerTimeZone:
    """Middleware that shows times in the chosen zone, in that of the cookie otherwise, and in UTC without either."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        name = request.session.get(CHOICE) or request.COOKIES.get(COOKIE, "")
        with timezone.override(zone(name)):
            return self.get_response(request)


def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The time zone of that name; None if there is none, for a name that anybody can send."""
    # ZoneInfo opens a file of that name, so only names from its own list may reach it.
    return zoneinfo.ZoneInfo(name) if name in names() else None


@cache
def names() -> frozenset[str]:
    """Every time zone that this machine knows."""
    return frozenset(zoneinfo.available_timezones())
