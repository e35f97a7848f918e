"""Invitations: a link to create an account, sent by email or, without a mail server, shown once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from core.audit import Verb, announce
from dinmo.accounts.links.tokens import NewAccountForm, answer, digest, new_token
from dinmo.accounts.lookup import by_name, with_email
from dinmo.accounts.models import Invitation
from dinmo.mail import is_configured

if TYPE_CHECKING:
    from datetime import datetime

    from django.http import HttpRequest, HttpResponse

VALID_FOR = timedelta(days=7)
ONCE = "The link can be used once and expires in 7 days."
TAKEN = "An account with this email address already exists."
NOT_VALID = (
    "This invitation is no longer valid: it was used, withdrawn or sent again, or is older than 7 days. "
    "Ask for a new one."
)


def send(invitation: Invitation, sender: User | None, now: datetime) -> str:
    """Saves an invitation with a new link, which invalidates the previous one, and emails it if possible.

    Returns:
        The link, to be shown once; "" if it was sent.
    """
    token = new_token()
    invitation.digest, invitation.invited_by = digest(token), sender
    invitation.sent_at, invitation.expires_at = now, now + VALID_FOR
    with transaction.atomic():
        invitation.save()
        announce(Verb.INVITED, invitation, {"Role": ("", str(invitation.role))} if invitation.role else {})
    link = f"{settings.PUBLIC_URL}{reverse('invitation')}#{token}"
    if not is_configured():
        return link
    text = f"You have been invited to DinMo. Create your account here:\n\n{link}\n\n{ONCE}\n"
    send_mail("Your invitation to DinMo", text, None, [invitation.email])
    return ""


class AcceptForm(NewAccountForm):
    """The account of an invited user. The email address is also the username."""

    def invitation(self) -> Invitation | None:
        found = Invitation.objects.filter(digest=digest(self.cleaned_data["token"]), expires_at__gt=timezone.now())
        return found.select_related("role").first()

    def owner(self) -> User | None:
        invited = self.invitation()
        return User(username=invited.email, email=invited.email, **self.names()) if invited else None


def accept(form: AcceptForm) -> User | None:
    """Creates the account. Returns None if the invitation is not valid or was used in the meantime."""
    with transaction.atomic():
        invited, user = form.invitation(), form.owner()
        if invited is None or user is None or is_taken(invited.email):
            return None
        # If two transactions delete the same row, only one of them finds it.
        used, _ = Invitation.objects.filter(pk=invited.pk, digest=invited.digest).delete()
        if not used:
            return None
        user.is_staff = True
        user.set_password(form.cleaned_data["password1"])
        user.save()
        user.groups.set([invited.role] if invited.role else [])
        return user


def is_taken(email: str) -> bool:
    """Whether an account has this email address, or this name."""
    return by_name(email) is not None or bool(with_email(email))


@never_cache
@sensitive_post_parameters()
def page(request: HttpRequest) -> HttpResponse:
    """The page that the link opens."""
    if not settings.PASSWORD_SIGN_IN:
        raise Http404
    form = AcceptForm(request.POST or None)

    def act() -> HttpResponse | None:
        user = accept(form)
        return perform_login(request, user, redirect_url=reverse("admin:index")) if user else None

    text = "You have been invited. Choose a password to create your account. You will sign in with your email address."
    return answer(request, form, act, NOT_VALID, title="Welcome to DinMo", text=text, button="Create my account")
