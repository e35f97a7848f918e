"""Password reset by an emailed link with Django's token, which a password change invalidates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.forms import ResetPasswordForm, UserTokenForm
from allauth.account.internal.flows.password_reset import finalize_password_reset, reset_password
from allauth.account.views import PasswordResetView
from allauth.decorators import rate_limit
from django.conf import settings
from django.http import Http404
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from dinmo.accounts.links.tokens import TokenForm, answer
from dinmo.accounts.lookup import with_email
from dinmo.mail import is_configured

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse, HttpResponseBase

NOT_VALID = "This link has expired or was already used. Request a new one on the sign-in page."


class ForgottenForm(ResetPasswordForm):
    """The email address of the account whose password was forgotten."""

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        self.users = [user for user in with_email(email) if user.is_active]
        return email


class Forgotten(PasswordResetView):
    """The page that requests an email address. The response doesn't reveal whether it has an account."""

    form_class = ForgottenForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not settings.PASSWORD_SIGN_IN:
            raise Http404
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "mail": is_configured()}


class NewPasswordForm(TokenForm):
    """A new password for an existing account."""

    def owner(self) -> User | None:
        account, _, key = self.cleaned_data["token"].partition("-")
        checked = UserTokenForm({"uidb36": account, "key": key})
        found: User | None = checked.reset_user if checked.is_valid() else None
        return found if found and found.is_active else None


@never_cache
@sensitive_post_parameters()
@rate_limit(action="reset_password_from_key")
def page(request: HttpRequest) -> HttpResponse:
    """The page that the emailed link opens."""
    if not settings.PASSWORD_SIGN_IN:
        raise Http404
    form = NewPasswordForm(request.POST or None)

    def act() -> HttpResponse | None:
        user = form.owner()
        if user is None:
            return None
        reset_password(user, form.cleaned_data["password1"])
        finalize_password_reset(request, user)
        return redirect("account_new_password_done")

    return answer(request, form, act, NOT_VALID, title="Choose a new password", button="Save the password")
