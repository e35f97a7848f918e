"""The page for a user's own name, email address and time zone. A new email address has to be confirmed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.shortcuts import redirect, render
from django.urls import reverse

from core.web.time_zone import CHOICE, names
from dinmo.accounts.models import Profile
from dinmo.mail import is_configured

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

SALT = "accounts.email"
LINK_SECONDS = 60 * 60
TAKEN = "This email address belongs to a different account."
NO_MAIL = "No mail server is configured, so a new email address can't be confirmed. Ask an administrator to change it."
BROWSER_ZONE = ("", "My browser's time zone")


class ProfileForm(forms.ModelForm):
    """The settings that users can change for their own account."""

    time_zone = forms.ChoiceField(
        required=False,
        label="Time zone",
        help_text="For all times on screens. Other browsers use it from the next sign-in.",
    )

    class Meta:
        model = User
        fields = ["first_name", "last_name", "email"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones: Any = self.fields["time_zone"]
        zones.choices = [BROWSER_ZONE, *((name, name.replace("_", " ")) for name in sorted(names()))]
        self.fields["email"].label = "Email address"
        if not is_configured():
            self.fields["email"].disabled = True
            self.fields["email"].help_text = NO_MAIL

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"])
        if email and User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise ValidationError(TAKEN, code="taken")
        return email


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The page of the user's own account."""
    user: User = request.user  # type: ignore[assignment]
    chosen = Profile.objects.filter(user=user).values_list("time_zone", flat=True).first() or ""
    before = user.email
    form = ProfileForm(request.POST or None, instance=user, initial={"time_zone": chosen})
    if form.is_valid():
        save(request, form, before)
        return redirect("profile")
    return render(request, "accounts/profile.html", {"title": "Your account", "form": form})


def save(request: HttpRequest, form: ProfileForm, before: str) -> None:
    """Saves a valid form. A new email address is sent a link first, because it identifies the account."""
    user: User = form.instance
    after, user.email = user.email, before
    user.save(update_fields=["first_name", "last_name"])
    zone = form.cleaned_data["time_zone"]
    Profile.objects.update_or_create(user=user, defaults={"time_zone": zone})
    request.session[CHOICE] = zone
    if after == before:
        messages.success(request, "Saved.")
        return
    send_mail("Confirm your email address for DinMo", _text(user, after), None, [after])
    messages.success(request, f"Saved. To confirm the new email address, open the link sent to {after}.")


@login_required
def confirm(request: HttpRequest) -> HttpResponse:
    """The page that the emailed link opens. Only the user who requested the change can confirm it."""
    user: User = request.user  # type: ignore[assignment]
    if request.method == "POST":
        confirmed = new_email(user, request.POST.get("token", ""))
        if confirmed:
            user.email = confirmed
            user.save(update_fields=["email"])
            messages.success(request, f"Your email address is now {confirmed}.")
        else:
            messages.error(request, "This link has expired or was already used. Enter the new email address again.")
        return redirect("profile")
    return render(request, "accounts/confirm_email.html", {"title": "Confirm your email address"})


def new_email(user: User, token: str) -> str:
    """The email address that a token confirms for this account; "" if it confirms none, or no longer."""
    try:
        pk, before, after = signing.loads(token.strip().lstrip("#"), salt=SALT, max_age=LINK_SECONDS)
    except (signing.BadSignature, ValueError):
        return ""
    taken = User.objects.filter(email__iexact=after).exclude(pk=user.pk).exists()
    return str(after) if (pk, before) == (user.pk, user.email) and not taken else ""


def _text(user: User, address: str) -> str:
    token = signing.dumps([user.pk, user.email, address], salt=SALT)
    link = f"{settings.PUBLIC_URL}{reverse('confirm_email')}#{token}"
    return f"Confirm the new email address of your DinMo account. This link expires in an hour:\n\n{link}\n"
