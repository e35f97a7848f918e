"""How allauth behaves here: nobody signs up, links have the public address, and secrets are encrypted."""

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
    """Accounts begin with an invitation, at the identity provider or on the page of users."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Does nothing: allauth would lock an account for everybody, also for its owner. `LockOut` counts attempts."""

    def pre_login(self, request: HttpRequest, user: AbstractUser, **options: Any) -> HttpResponse | None:
        """The page that says why somebody may not sign in, however they proved who they are; None if they may."""
        response: HttpResponse | None = super().pre_login(request, user, **options)
        return response or (None if user.is_staff else redirect("account_inactive"))

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Leaves out messages such as “Successfully signed in”: the page shows it."""

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of an email. What comes after # is neither sent to the server nor logged."""
        return f"{settings.PUBLIC_URL}{reverse('account_new_password')}#{key}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Sends an email from a thread, so that no response takes longer for an address that has an account."""
        # Without a mail server, the message would be logged with its link.
        if is_configured():
            message = self.render_mail(template_prefix, email, {**context, "email": email})
            Thread(target=_send, args=[message], name="mail", daemon=True).start()


class SecondFactorAdapter(DefaultMFAAdapter):
    """Encrypts the secrets of second factors with the key that encrypts those of connections."""

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
