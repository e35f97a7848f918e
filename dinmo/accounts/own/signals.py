"""Receivers for signals of every kind of sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver

from core.web.time_zone import CHOICE
from dinmo.accounts.models import Profile

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest


@receiver(user_logged_in)
def keep_choice(request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    """Stores the user's time zone in the new session, so that no page needs a query for it."""
    chosen = Profile.objects.filter(user_id=user.pk).values_list("time_zone", flat=True).first()
    request.session[CHOICE] = chosen or ""


@receiver(user_logged_in)
def record_session(request: HttpRequest, **_: Any) -> None:
    """Records the session, so that the user can end it. A test's session has no address."""
    if request.META.get("REMOTE_ADDR"):
        UserSession.objects.create_from_request(request)
