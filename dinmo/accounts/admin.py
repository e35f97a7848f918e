"""The screen of open invitations. Unregisters the screens of libraries, whose tables hold secrets or need none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialToken
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils import timezone
from unfold.admin import ModelAdmin

from core.audit import Verb, announce
from core.web.formats import moment
from core.web.lists import BoundedList
from core.web.screens import pill
from dinmo.accounts.links.invitations import TAKEN, is_taken, send
from dinmo.accounts.models import Invitation
from dinmo.mail import is_configured
from dinmo.permissions.fields import RoleField

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.db.models import QuerySet
    from django.http import HttpRequest, HttpResponse
    from django.utils.safestring import SafeString

for model in (EmailAddress, Authenticator, SocialAccount, SocialApp, SocialToken, UserSession):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


class InvitationForm(forms.ModelForm):
    """The email address of the new user, and the role of the account."""

    role = RoleField(
        label="Role", help_text="Without a role, the user sees no data until an administrator assigns one."
    )

    class Meta:
        model = Invitation
        fields = ["email", "role"]

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if is_taken(email):
            raise ValidationError(TAKEN, code="taken")
        return email


@admin.register(Invitation)
class InvitationAdmin(BoundedList, ModelAdmin):
    """Open invitations, which can be resent or withdrawn."""

    form = InvitationForm
    list_display = ["email", "role", "state", "sent", "invited_by"]
    list_display_links = None
    list_select_related = ["role", "invited_by"]
    search_fields = ["email"]
    actions = ["send_again", "withdraw"]
    empty_title = "No open invitations"
    empty_text = "Invite users by email. Each chooses a password with a link that can be used once."

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Replaces *Delete* with *Withdraw*."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """Has no *Save and view*: an invitation has no page."""
        context = {
            "show_save_and_continue": False,
            "save_label": "Send invitation" if is_configured() else "Create link",
        }
        return super().add_view(request, form_url, {**(extra_context or {}), **context})

    @admin.display(description="State", ordering="expires_at")
    def state(self, obj: Invitation) -> SafeString:
        return pill("Open", "good") if obj.expires_at > timezone.now() else pill("Expired", "warn")

    @admin.display(description="Sent", ordering="sent_at")
    def sent(self, obj: Invitation) -> SafeString | str:
        return moment(obj.sent_at)

    @admin.action(description="Send again", permissions=["add"])
    def send_again(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> HttpResponse | None:
        return self._send(request, list(invitations))

    @admin.action(description="Withdraw", permissions=["delete"])
    def withdraw(self, request: HttpRequest, invitations: QuerySet[Invitation]) -> None:
        withdrawn = list(invitations)
        with transaction.atomic():
            for each in withdrawn:
                announce(Verb.DELETED, each)
            invitations.delete()
        count = len(withdrawn)
        messages.success(request, f"Withdrew {count:,} invitation{'' if count == 1 else 's'}.")

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        """Does nothing: `response_add` saves the invitation, because it has to show the link."""

    def log_addition(self, request: HttpRequest, obj: Invitation, message: Any) -> Any:
        """Does nothing: the invitation has no ID yet."""

    def response_add(self, request: HttpRequest, obj: Invitation, post_url_continue: str | None = None) -> HttpResponse:
        return self._send(request, [obj]) or redirect("admin:accounts_invitation_changelist")

    def _send(self, request: HttpRequest, invitations: list[Invitation]) -> HttpResponse | None:
        """Sends each invitation. Without a mail server, shows the links once instead."""
        sender: User = request.user  # type: ignore[assignment]
        links = [(each.email, send(each, sender, timezone.now())) for each in invitations]
        if shown := [(email, link) for email, link in links if link]:
            context = {**self.admin_site.each_context(request), "title": "Invitation", "links": shown}
            return render(request, "accounts/invitation_links.html", context)
        messages.success(request, f"Sent {len(links):,} invitation{'' if len(links) == 1 else 's'}.")
        return None

    def has_change_permission(self, request: HttpRequest, obj: Invitation | None = None) -> bool:
        return False
