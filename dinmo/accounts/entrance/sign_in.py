"""The sign-in page, with a password or an identity provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.forms import LoginForm
from allauth.account.views import LoginView
from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponseRedirect
from django.urls import reverse

from dinmo.accounts.forms import BLOCKED, NO_ACCESS
from dinmo.accounts.links.setup import is_needed
from dinmo.mail import is_configured

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractUser
    from django.http import HttpRequest, HttpResponseBase

WRONG = "Incorrect email, username or password. Try again."


class SignInForm(LoginForm):
    """The form for a password. If the password is right but the account has no access, it explains why."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"] = forms.CharField(
            label="Email or username",
            max_length=254,
            widget=forms.TextInput({"autocomplete": "username", "autofocus": ""}),
        )
        self.fields["password"].help_text = ""
        self.order_fields(["login", "password"])

    def add_prefix(self, field_name: str) -> str:
        """The HTML name of a field. Programs and password managers expect `username`."""
        return super().add_prefix("username" if field_name == "login" else field_name)

    def clean(self) -> dict[str, Any]:
        try:
            cleaned: dict[str, Any] = super().clean()
        except ValidationError as error:
            raise ValidationError(WRONG, code="wrong") from error
        if self.user:
            check_access(self.user)
        return cleaned


def check_access(user: AbstractUser) -> None:
    """Raises ValidationError with a message for the user if the account has no access."""
    if not user.is_active:
        raise ValidationError(BLOCKED, code="blocked")
    if not user.is_staff:
        raise ValidationError(NO_ACCESS, code="no_access")


class SignIn(LoginView):
    """The sign-in page. Redirects users who are already signed in to the page they requested."""

    template_name = "accounts/sign_in.html"
    form_class = SignInForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "POST" and not settings.PASSWORD_SIGN_IN:
            raise PermissionDenied
        if request.method == "GET" and admin.site.has_permission(request):
            return HttpResponseRedirect(self.get_next_url() or reverse(settings.LOGIN_REDIRECT_URL))
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {
            **admin.site.each_context(self.request),
            **super().get_context_data(**kwargs),
            "title": "Sign in",
            "next": self.get_next_url() or "",
            "passwords": settings.PASSWORD_SIGN_IN,
            "may_reset": settings.PASSWORD_SIGN_IN and is_configured(),
            "provider": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
            "setup_needed": is_needed(),
            "stranger": NO_ACCESS if self.request.user.is_authenticated else "",
        }
