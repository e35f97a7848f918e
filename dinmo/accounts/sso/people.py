"""The account for a user of the identity provider: found or created, with the roles of its groups."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.shortcuts import render

from dinmo.accounts.lookup import with_email
from dinmo.accounts.sso.roles import governed, group_names, roles

if TYPE_CHECKING:
    from collections.abc import Mapping

    from allauth.socialaccount.models import SocialLogin
    from django.http import HttpRequest

log = logging.getLogger(__name__)
NO_ROLE = (
    "None of your groups at the identity provider gives you a role here. "
    "Ask an administrator to add you to a group, or to map one of your groups to a role."
)
NO_SUCH_ROLE = (
    "Your groups give you a role that does not exist here. "
    "Ask an administrator to compare OIDC_ROLES and OIDC_DEFAULT_ROLE with the groups in DinMo."
)
NOT_VERIFIED = (
    "An account with your email address exists here, but the identity provider does not say that the address is "
    "verified as yours. Verify it there, or ask an administrator."
)
NO_EMAIL = "The identity provider sent no email address. Ask an administrator to release it for DinMo."
LONGEST_CAUSE = 300
SEVERAL = "More than one account has your email address. Ask an administrator to delete the others."


class Adapter(DefaultSocialAccountAdapter):
    """Finds, creates or refuses the account, without asking the user anything."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        claims = sociallogin.account.extra_data
        given = roles(
            group_names(claims.get(settings.OIDC_GROUP_CLAIM)), settings.OIDC_ROLES, settings.OIDC_DEFAULT_ROLE
        )
        try:
            with transaction.atomic():
                if not sociallogin.is_existing:
                    sociallogin.connect(request, _account(claims, given))
                apply(sociallogin.user, given)
        except Refused as refused:
            _take_roles(sociallogin.user)
            raise ImmediateHttpResponse(
                render(request, "accounts/refused.html", {"title": "No access", "text": str(refused)}, status=403)
            ) from None

    def on_authentication_error(self, request: HttpRequest, provider: Any, **details: Any) -> None:
        """Logs what was wrong, which the page does not show."""
        log.warning("A sign-in at the identity provider failed: %s", _cause(details))


class Refused(Exception):
    """The provider knows the person, who may not sign in here. The message is for the person."""


def apply(user: User, given: frozenset[str]) -> None:
    """Gives the account exactly these of the roles that the provider governs.

    Raises:
        Refused: there is no role, or one of them does not exist.
    """
    if not given:
        raise Refused(NO_ROLE)
    groups = list(Group.objects.filter(name__in=given))
    if len(groups) != len(given):
        raise Refused(NO_SUCH_ROLE)
    user.groups.remove(*user.groups.filter(name__in=_governed() - given))
    user.groups.add(*groups)
    if not user.is_staff:
        user.is_staff = True
        user.save(update_fields=["is_staff"])


def _account(claims: Mapping[str, Any], given: frozenset[str]) -> User:
    email = str(claims.get("email") or "")
    if not given:
        raise Refused(NO_ROLE)
    if not email:
        raise Refused(NO_EMAIL)
    found = with_email(email)
    if not found:
        return _new(email, claims)
    if claims.get("email_verified") is not True:
        raise Refused(NOT_VERIFIED)
    if len(found) > 1:
        raise Refused(SEVERAL)
    return found[0]


def _new(email: str, claims: Mapping[str, Any]) -> User:
    taken = User.objects.filter(username__iexact=email).exists()
    if taken:
        raise Refused(SEVERAL)
    user = User(username=email, email=email, is_staff=True)
    user.first_name = str(claims.get("given_name") or claims.get("name") or "")[:150]
    user.last_name = str(claims.get("family_name") or "")[:150]
    user.set_unusable_password()
    user.save()
    return user


def _take_roles(user: User | None) -> None:
    """Ends what the provider no longer grants, also in sessions that are still open."""
    if user and user.pk:
        user.groups.remove(*user.groups.filter(name__in=_governed()))


def _governed() -> frozenset[str]:
    return governed(settings.OIDC_ROLES, settings.OIDC_DEFAULT_ROLE)


def _cause(details: Mapping[str, Any]) -> str:
    exception = details.get("exception")
    return f"{type(exception).__name__}: {exception}"[:LONGEST_CAUSE] if exception else str(details.get("error"))
