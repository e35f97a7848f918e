"""Authentication backends: the lockout after failed attempts, then the password."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.auth_backends import AuthenticationBackend
from axes.backends import AxesStandaloneBackend
from django.conf import settings

from dinmo.accounts.lookup import by_name

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.http import HttpRequest


class LockOut(AxesStandaloneBackend):
    """Blocks an address after too many wrong passwords for one account."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> None:
        """Raises PermissionDenied if attempts are blocked."""
        # Commands and tests have no request.
        if request is not None:
            super().authenticate(request, **credentials)


class Passwords(AuthenticationBackend):
    """Accepts a username or an email address with the password, unless only single sign-on is allowed."""

    def authenticate(self, request: HttpRequest | None, **credentials: Any) -> AbstractBaseUser | None:
        if not settings.PASSWORD_SIGN_IN:
            return None
        name = str(credentials.get("username") or credentials.get("email") or "")
        known = by_name(name)
        # allauth looks for addresses in lowercase only.
        return super().authenticate(
            request, username=known.username if known else name, password=credentials.get("password")
        )
