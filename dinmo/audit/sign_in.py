"""Records sign-ins, failed sign-ins, sign-outs and changes of second factors."""

from __future__ import annotations

from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed, authenticator_reset
from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Q

from core import audit
from core.audit import Actor, Kind, Verb

FACTORS = "Two-factor authentication"
UNKNOWN = "Unknown account"
"""Replaces a username that doesn't exist, because it may be a password typed into the wrong field."""


def connect() -> None:
    """Connects the signals of Django and allauth, which all ways to sign in send."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit")
    user_logged_out.connect(_signed_out, dispatch_uid="audit")
    user_login_failed.connect(_failed, dispatch_uid="audit")
    authenticator_added.connect(_factor_added, dispatch_uid="audit")
    authenticator_reset.connect(_factor_added, dispatch_uid="audit")
    authenticator_removed.connect(_factor_removed, dispatch_uid="audit")


def _signed_in(user: Any, request: Any = None, **_: object) -> None:
    audit.identify(person(user, address_of(request)))
    audit.announce(Verb.SIGNED_IN, user)


def _signed_out(user: Any, request: Any = None, **_: object) -> None:
    if user is not None:
        audit.identify(person(user, address_of(request)))
        audit.announce(Verb.SIGNED_OUT, user)


def _failed(credentials: dict[str, Any], request: Any = None, **_: object) -> None:
    users = get_user_model()
    name = str(credentials.get("username") or credentials.get("email") or "")
    named = Q(**{users.USERNAME_FIELD: name}) | Q(email__iexact=name)
    known = users._default_manager.filter(named).first() if name else None
    actor = Actor(Kind.PERSON, known.get_username() if known else UNKNOWN, address=address_of(request))
    audit.identify(actor)
    audit.announce(Verb.SIGN_IN_FAILED, known)


def _factor_added(user: Any, authenticator: Any, **_: object) -> None:
    audit.announce(Verb.CHANGED, user, {FACTORS: ("", authenticator.get_type_display())})


def _factor_removed(user: Any, authenticator: Any, **_: object) -> None:
    audit.announce(Verb.CHANGED, user, {FACTORS: (authenticator.get_type_display(), "")})


def person(user: Any, address: str) -> Actor:
    """The actor for a user who is signed in."""
    return Actor(Kind.PERSON, user.get_username(), user.pk, address)


def address_of(request: Any) -> str:
    """The client address of a request; "" if there is none."""
    return str(request.META.get("REMOTE_ADDR") or "") if request is not None else ""
