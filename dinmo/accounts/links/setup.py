"""Creation of the first administrator with a one-time token that the web process logs at startup."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from allauth.account.utils import perform_login
from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.db import transaction
from django.http import Http404
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from dinmo.accounts.links.tokens import NewAccountForm, answer, digest, new_token
from dinmo.accounts.models import SetupToken

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

log = logging.getLogger(__name__)
WHERE = "The end of the link that the web process logs at startup. To log a new one, run manage.py setuplink."
USED = "This token is not valid. Use the newest one in the log: each new token replaces the previous one."


def is_needed() -> bool:
    """Whether no account exists yet."""
    return not User.objects.exists()


def issue() -> str:
    """A new token, which invalidates the previous one."""
    token = new_token()
    with transaction.atomic():
        SetupToken.objects.all().delete()
        SetupToken.objects.create(digest=digest(token))
    return token


def announce() -> None:
    """Logs how to create the first administrator, if there is no account yet."""
    if is_needed():
        address = f"{settings.PUBLIC_URL}{reverse('setup')}"
        log.warning("No account exists yet. Create the first administrator at %s#%s", address, issue())


class SetupForm(NewAccountForm):
    """The first administrator."""

    username = forms.CharField(
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        initial="admin",
        widget=forms.TextInput({"autocomplete": "username"}),
    )
    email = forms.EmailField(label="Email address", widget=forms.EmailInput({"autocomplete": "email"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["token"].help_text = WHERE

    def owner(self) -> User:
        return User(username=self.cleaned_data["username"], email=self.cleaned_data["email"], **self.names())


def create(form: SetupForm) -> User | None:
    """Creates the administrator. Returns None if the token is not valid or was used in the meantime.

    Of two transactions that delete the same token, the database lets only one find it.
    """
    with transaction.atomic():
        used, _ = SetupToken.objects.filter(digest=digest(form.cleaned_data["token"])).delete()
        if not used or not is_needed():
            return None
        user = form.owner()
        user.is_staff = user.is_superuser = True
        user.set_password(form.cleaned_data["password1"])
        user.save()
        return user


@never_cache
@sensitive_post_parameters()
def page(request: HttpRequest) -> HttpResponse:
    """The page that creates the first administrator. Returns 404 once an account exists."""
    if not is_needed():
        raise Http404
    form = SetupForm(request.POST or None)

    def act() -> HttpResponse | None:
        user = create(form)
        return perform_login(request, user, redirect_url=reverse("admin:index")) if user else None

    text = "No account exists yet. Create the account of the first administrator."
    return answer(request, form, act, USED, title="Set up DinMo", text=text, button="Create administrator")
