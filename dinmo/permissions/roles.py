"""The groups of the built-in roles, which always have exactly the permissions in the table."""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db.models import Q

from dinmo.permissions.table import Role, permissions_of


def fill(using: str = "default", **_: Any) -> None:
    """Creates missing groups, and resets those that differ from the table. Other groups are left alone.

    Runs after all migrations, because that is when Django creates permissions.
    """
    for role in Role:
        group, _created = Group.objects.using(using).get_or_create(name=role)
        wanted = set(_rows(using, role))
        if set(group.permissions.values_list("pk", flat=True)) != wanted:
            group.permissions.set(wanted)


def is_built_in(group: Group | None) -> bool:
    """Whether a group is a built-in role, which can't be changed."""
    return group is not None and group.name in set(Role)


def _rows(using: str, role: Role) -> list[int]:
    pairs = (permission.split(".") for permission in permissions_of(role))
    wanted = reduce(or_, (Q(content_type__app_label=app, codename=codename) for app, codename in pairs))
    return list(Permission.objects.using(using).filter(wanted).values_list("pk", flat=True))
