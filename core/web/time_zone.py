"""Times in the viewer's time zone, which the browser reports in a cookie."""

from __future__ import annotations

import zoneinfo
from functools import cache
from typing import TYPE_CHECKING

from django.utils import timezone

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

COOKIE = "time_zone"


class ViewerTimeZone:
    """Middleware that shows times in the zone of the cookie, and in UTC if the cookie names none."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(zone(request.COOKIES.get(COOKIE, ""))):
            return self.get_response(request)


def zone(name: str) -> zoneinfo.ZoneInfo | None:
    """The time zone of that name; None if there is none, for a name that anybody can send."""
    # ZoneInfo opens a file of that name, so only names from its own list may reach it.
    return zoneinfo.ZoneInfo(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(zoneinfo.available_timezones())
