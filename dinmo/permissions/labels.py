"""The words that screens and the audit log use for Django's permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.text import capfirst

if TYPE_CHECKING:
    from django.contrib.auth.models import Permission

ACTIONS = ("view", "add", "change", "delete")


def label(permission: Permission) -> str:
    """For example “Sources: view”. Reads the permission's content type."""
    return ": ".join(filter(None, parts(permission)))


def parts(permission: Permission) -> tuple[str, str]:
    """The objects of a permission and the action: `("Sources", "view")`. The action is empty if it is not known."""
    action, _, about = permission.codename.partition("_")
    model = permission.content_type.model_class()
    if action in ACTIONS and model is not None and about == model._meta.model_name:
        return str(capfirst(model._meta.verbose_name_plural)), action
    subject, _, action = permission.name.partition(": ")
    return subject, action
