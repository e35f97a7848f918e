"""Form fields for roles: built-in roles first, each with a description, then other groups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.models import Group
from django.db.models import Case, IntegerField, Value, When

from dinmo.permissions.table import Role


class RoleField(forms.ModelChoiceField):
    """One role, or none, as radio buttons."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            queryset=_roles_first(),
            widget=forms.RadioSelect,
            required=False,
            blank=True,
            empty_label="No role yet",
            **options,
        )

    def label_from_instance(self, obj: Group) -> str:
        return _described(obj)


class RolesField(forms.ModelMultipleChoiceField):
    """Checkboxes for the groups of a user."""

    def __init__(self, **options: Any) -> None:
        given = {name: options[name] for name in ("required", "initial") if name in options}
        super().__init__(queryset=_roles_first(), widget=forms.CheckboxSelectMultiple, label="Roles", **given)

    def label_from_instance(self, obj: Group) -> str:
        return _described(obj)


def _described(group: Group) -> str:
    return f"{group.name}: {Role(group.name).words}" if group.name in set(Role) else group.name


def _roles_first() -> Any:
    places = [When(name=role, then=Value(place)) for place, role in enumerate(Role)]
    place = Case(*places, default=Value(len(places)), output_field=IntegerField())
    return Group.objects.order_by(place, "name")
