"""Adapts allauth: no sign-up, links with the public address, and encrypted secrets."""

from __future__ import annotations

import logging
from threading import Thread
from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.shortcuts import redirect
from django.urls import reverse

from core.secrets import cipher
from dinmo.mail import is_configured

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.core.mail import EmailMessage
    from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)


class AccountAdapter(DefaultAccountAdapter):
    """Allows no sign-up: accounts are created by invitation, by single sign-on or on the users screen."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Does nothing: allauth would lock out the owner of the account as well. `LockOut` counts attempts."""

    def pre_login(self, request: HttpRequest, user: AbstractUser, **options: Any) -> HttpResponse | None:
        """Returns the page that explains why the account has no access; None if it has."""
        response: HttpResponse | None = super().pre_login(request, user, **options)
        return response or (None if user.is_staff else redirect("account_inactive"))

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Omits messages such as “Successfully signed in”, which the page makes obvious."""

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link in the email. The key follows #, so that it is neither sent to the server nor logged."""
        return f"{settings.PUBLIC_URL}{reverse('account_new_password')}#{key}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sends an email from a thread, so that the response time doesn't reveal whether an address has an account."""
        # Without a mail server, the message would be logged with its link.
        if is_configured():
            message = self.render_mail(template_prefix, email, {**context, "email": email})
            Thread(target=_send, args=[message], name="mail", daemon=True).start()


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts the secrets of second factors with the key of connection secrets."""

    def encrypt(self, text: str) -> str:
        return cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return cipher().decrypt(encrypted_text.encode()).decode()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as error:
        # Without the address, which is personal data.
        log.warning("An email about an account could not be sent: %s", type(error).__name__)
