"""Limits on sign-in attempts: what they are counted by, and the page that shows how long to wait."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from allauth.core import context
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.base.forms import AuthenticateForm
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.shortcuts import render
from django.utils import timezone

from dinmo.accounts.lookup import LONGEST_NAME, by_name
from dinmo.accounts.proxies.addresses import remote_address

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

RATE_WAIT = timedelta(minutes=1)
"""How long a limit per address lasts. Limits per account last as long as a lockout."""


def account(_request: HttpRequest, credentials: dict[str, Any] | None) -> str:
    """The username that axes counts an attempt by, regardless of how the name was spelled."""
    given = credentials or {}
    name = str(given.get("username") or given.get("email") or "").strip()[:LONGEST_NAME]
    known = by_name(name)
    return known.username if known else name.casefold()


def locked_out(request: HttpRequest, _response: HttpResponse, credentials: dict[str, Any]) -> HttpResponse:
    """The response to an attempt during a lockout."""
    mine = AccessAttempt.objects.filter(username=account(request, credentials), ip_address=remote_address(request))
    now = timezone.now()
    last = mine.aggregate(last=Max("attempt_time"))["last"] or now
    return too_many(request, remaining(last, settings.AXES_COOLOFF_TIME, now))


def remaining(last: datetime, lock: timedelta, now: datetime) -> timedelta:
    """How much of a lockout that began at `last` remains, at least one second."""
    return max(last + lock - now, timedelta(seconds=1))


def too_many(request: HttpRequest, wait: timedelta = RATE_WAIT) -> HttpResponse:
    """A response with status 429 and how long to wait. allauth uses it for its rate limits too."""
    minutes = -(-int(wait.total_seconds()) // 60)
    page = {**admin.site.each_context(request), "title": "Too many attempts", "minutes": minutes}
    response = render(request, "accounts/too_many.html", page, status=429)
    response["Retry-After"] = str(int(wait.total_seconds()))
    return response


class SecondFactorForm(AuthenticateForm):
    """The code of a second factor. After too many wrong codes, the response shows how long to wait."""

    def clean_code(self) -> str:
        try:
            return str(super().clean_code())
        except ValidationError as error:
            if error.code == "too_many_login_attempts":
                raise ImmediateHttpResponse(too_many(context.request, settings.AXES_COOLOFF_TIME)) from None
            raise
