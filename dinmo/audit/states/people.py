"""Users and groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils.text import capfirst

from dinmo.accounts.forms import WORDS
from dinmo.audit.states.fields import plain
from dinmo.audit.wording import Secret
from dinmo.permissions.labels import label

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.contrib.auth.models import Group, User

USER_FIELDS = ("username", "first_name", "last_name", "email", "is_active", "is_staff", "is_superuser")


def user(row: User) -> Iterator[tuple[str, Any]]:
    for field in row._meta.concrete_fields:
        if field.name in USER_FIELDS:
            title = WORDS[field.name][0] if field.name in WORDS else capfirst(str(field.verbose_name))
            yield title, getattr(row, field.name)
    yield "Password", Secret(row.password)
    yield "Groups", sorted(row.groups.values_list("name", flat=True))
    yield WORDS["user_permissions"][0], _permissions(row.user_permissions)


def group(row: Group) -> Iterator[tuple[str, Any]]:
    yield from plain(row)
    yield "Permissions", _permissions(row.permissions)


def _permissions(granted: Any) -> list[str]:
    return sorted(label(permission) for permission in granted.order_by().select_related("content_type"))
