"""One person of every kind, with what the table says that they can do."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission, User

from dinmo.permissions.entry_points import NOBODY, PUBLIC, SIGNED_IN, TOKEN, Entry
from dinmo.permissions.table import TABLE, Role

VALUES = "see_values"


@dataclass(frozen=True)
class Person:
    """Somebody who requests addresses.

    Args:
        role: None if they have none.
        values: whether they may see the values of records; None if that is as the role has it.
    """

    name: str
    role: Role | None = None
    values: bool | None = None
    is_anonymous: bool = False
    is_superuser: bool = False

    def can(self) -> set[str]:
        """The rows of the table that they have."""
        if self.is_superuser:
            return set(TABLE)
        found = {name for name, each in TABLE.items() if self.role in each.roles}
        return found if self.values is None else found - {VALUES} | ({VALUES} if self.values else set())

    def may(self, entry: Entry, method: str) -> bool:
        """Whether the table lets them use an address."""
        needed = entry.get if method == "GET" else entry.post
        if needed in (NOBODY, TOKEN):
            return False
        if self.is_anonymous or needed == PUBLIC:
            return needed == PUBLIC
        return needed == SIGNED_IN or set(needed.split()) <= self.can()

    def create(self) -> User | None:
        """Their account; None for somebody who has none."""
        if self.is_anonymous:
            return None
        user = User.objects.create_user(self.name, is_staff=True, is_superuser=self.is_superuser)
        if self.role and self.values is False:
            user.user_permissions.set(Group.objects.get(name=self.role).permissions.exclude(codename="view_values"))
        elif self.role:
            user.groups.add(Group.objects.get(name=self.role))
            user.user_permissions.set(Permission.objects.filter(codename="view_values") if self.values else ())
        return user


PEOPLE = [
    Person("anonymous", is_anonymous=True),
    Person("no-role"),
    *(Person(role.lower(), role) for role in Role),
    Person("viewer-with-values", Role.VIEWER, values=True),
    *(Person(f"{role.lower()}-without-values", role, values=False) for role in Role if role != Role.VIEWER),
    Person("superuser", is_superuser=True),
]
