"""The forms of users and groups, and the messages for accounts without access."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group, Permission, User
from unfold.forms import UserChangeForm, UserCreationForm

from dinmo.accounts.permission_fields import PermissionsField, offered
from dinmo.permissions.fields import RolesField

ACCESS = "Can use DinMo"
NO_ACCESS = f"This account can't use DinMo yet. Ask an administrator to turn on “{ACCESS}” for it."
BLOCKED = "This account is blocked. Ask an administrator to turn on “Can sign in” for it."
WORDS = {
    "is_active": ("Can sign in", "Turn this off instead of deleting the account."),
    "is_staff": (ACCESS, "Required for every screen. Off for accounts that are not set up yet."),
    "is_superuser": (
        "Administrator",
        "Can do everything, including managing users. Roles and permissions are ignored.",
    ),
    "groups": ("Roles", "The account has all permissions of its roles and groups."),
    "user_permissions": ("Individual permissions", "In addition to those of the roles and groups."),
}


class NewUserForm(UserCreationForm):
    """A new account can use the application unless that is turned off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name(self)
        if "is_staff" in self.fields:
            self.fields["is_staff"].initial = True


class UserForm(UserChangeForm):
    """An account, with permissions in plain words and without its password."""

    groups = RolesField(required=False)
    user_permissions = PermissionsField(required=False)

    class Meta:
        model = User
        fields = "__all__"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name(self)
        if "user_permissions" in self.fields:
            self.fields["user_permissions"].queryset = offered(self.instance.user_permissions.all())


class GroupForm(forms.ModelForm):
    """A group, with permissions in plain words."""

    permissions = PermissionsField(required=False, label="Permissions")

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
