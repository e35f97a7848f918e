"""Users signed in by a trusted proxy, which sends their name in a header. Off unless PROXY_USER_HEADER is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, login, logout
from django.contrib.auth.backends import ModelBackend

from dinmo.accounts.lookup import by_name
from dinmo.accounts.proxies.addresses import came_from_proxy

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse


class ProxyPeople(ModelBackend):
    """Identifies sessions that began with the header. Checks no password."""

    def authenticate(self, *_: Any, **credentials: Any) -> None:
        """Accepts no credentials."""


BACKEND = f"{ProxyPeople.__module__}.{ProxyPeople.__qualname__}"


class ProxyUser:
    """Middleware that signs in the user named by the proxy, and signs out when the proxy no longer names one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.PROXY_USER_HEADER:
            follow(request, named(request))
        return self.get_response(request)


def named(request: HttpRequest) -> User | None:
    """The account that a trusted proxy names by email address or username."""
    if not came_from_proxy(request):
        return None
    user = by_name(request.headers.get(settings.PROXY_USER_HEADER, ""))
    return user if user and user.is_active and user.is_staff else None


def follow(request: HttpRequest, user: User | None) -> None:
    """Assigns the session to `user`. Sessions that began with a password or single sign-on stay as they are."""
    current = request.user
    if current.is_authenticated and current != user and request.session.get(BACKEND_SESSION_KEY) == BACKEND:
        logout(request)
    if user and not request.user.is_authenticated:
        login(request, user, backend=BACKEND)
