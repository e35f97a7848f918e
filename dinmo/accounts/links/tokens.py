"""Secret tokens in links, stored as digests, and the form that accepts one."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.core.exceptions import ValidationError
from django.shortcuts import render

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.contrib.auth.models import User
    from django.http import HttpRequest, HttpResponse

BYTES = 32
DIFFERENT = "The passwords don't match. Enter them again."


def new_token() -> str:
    """A random token of 256 bits."""
    return secrets.token_urlsafe(BYTES)


def digest(token: str) -> str:
    """The digest that is stored for a token. Tokens are random, so a plain digest can't be reversed."""
    return sha256(token.encode()).hexdigest()


class TokenForm(forms.Form):
    """A new password, authorized by a token. A script fills in the token from the URL fragment."""

    token = forms.CharField(
        label="Token", max_length=200, widget=forms.TextInput({"autocomplete": "off", "data-token": ""})
    )
    password1 = forms.CharField(
        label="Password", max_length=200, strip=False, widget=forms.PasswordInput({"autocomplete": "new-password"})
    )
    password2 = forms.CharField(
        label="Confirm password",
        max_length=200,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = password_validators_help_text_html()

    def owner(self) -> User | None:
        """The user for the password validators; None if the token is not valid."""
        raise NotImplementedError

    def clean_token(self) -> str:
        return str(self.cleaned_data["token"]).strip().lstrip("#")

    def clean_password2(self) -> str:
        second: str = self.cleaned_data["password2"]
        if self.cleaned_data.get("password1") not in (None, second):
            raise ValidationError(DIFFERENT, code="different")
        return second

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            try:
                validate_password(cleaned["password1"], self.owner())
            except ValidationError as error:
                self.add_error("password1", error)
        return cleaned


class NewAccountForm(TokenForm):
    """The name and password of a new account."""

    first_name = forms.CharField(
        label="First name", max_length=150, required=False, widget=forms.TextInput({"autocomplete": "given-name"})
    )
    last_name = forms.CharField(
        label="Last name", max_length=150, required=False, widget=forms.TextInput({"autocomplete": "family-name"})
    )
    field_order = ["token", "email", "username", "first_name", "last_name", "password1", "password2"]

    def names(self) -> dict[str, str]:
        """The person's names, as fields of a user."""
        return {name: self.cleaned_data[name] for name in ("first_name", "last_name")}


def answer(
    request: HttpRequest, form: TokenForm, act: Callable[[], HttpResponse | None], refusal: str, **words: str
) -> HttpResponse:
    """Renders the form, or performs its action and returns the response.

    Args:
        act: does what a valid form asks for. Returns None if its token is not valid.
        refusal: what the page says then.
        words: the title of the page, the text above the form and the name of its button.
    """
    if form.is_valid():
        if response := act():
            return response
        form.add_error("token", refusal)
    return render(request, "accounts/with_token.html", {"form": form, **words})
