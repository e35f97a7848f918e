"""The forms of users and groups, and the words for accounts that may not sign in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from unfold.forms import UserChangeForm, UserCreationForm

from dinmo.accounts.rights import RightsField, offered
from dinmo.permissions.fields import RolesField

ACCESS = "May use DinMo"
NO_ACCESS = f"This account may not use DinMo yet. Ask an administrator to tick “{ACCESS}” on the page of the account."
BLOCKED = "This account is blocked. Ask an administrator to tick “May sign in” on the page of the account."
WORDS = {
    "is_active": ("May sign in", "Untick this instead of deleting an account."),
    "is_staff": (ACCESS, "Without this, the account can sign in nowhere."),
    "is_superuser": ("Administrator", "May do everything, also manage users. The rights below don't matter then."),
    "groups": ("Roles", "The account has all rights of its roles and groups."),
    "user_permissions": ("Single rights", "In addition to those of its roles and groups."),
}


class NewUserForm(UserCreationForm):
    """A new account may use the application unless somebody unticks it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name(self)
        if "is_staff" in self.fields:
            self.fields["is_staff"].initial = True


class UserForm(UserChangeForm):
    """An account, with rights in the words of the screens and without its password."""

    groups = RolesField(required=False)
    user_permissions = RightsField(required=False)

    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name(self)
        if "user_permissions" in self.fields:
            self.fields["user_permissions"].queryset = offered(self.instance.user_permissions.all())


class GroupForm(forms.ModelForm):
    """A group, with rights in the words of the screens."""

    permissions = RightsField(required=False, label="Rights")

    class Meta:
        model = Group
        fields = ["name", "permissions"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kept = self.instance.permissions.all() if self.instance.pk else Permission.objects.none()
        self.fields["permissions"].queryset = offered(kept)  # type: ignore[attr-defined]


def name(form: forms.BaseForm) -> None:
    """Gives the fields of an account labels and help texts in plain words."""
    for field, (label, text) in WORDS.items():
        if field in form.fields:
            form.fields[field].label, form.fields[field].help_text = label, text
