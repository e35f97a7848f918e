"""For migrations: gives a new permission to everybody who could do the same with an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings

if TYPE_CHECKING:
    from collections.abc import Iterable


def extend(apps: Any, permission: str, name: str, model: str, holders: Iterable[str]) -> None:
    """Gives a permission to the people and groups that have one of others. A new installation has none of them.

    Django creates permissions only after all migrations, so it is created here if nobody has it yet.

    Args:
        apps: those of the migration.
        permission: of the app and its codename, such as `activations.run_activation`.
        name: of the permission, as its model says it.
        model: the lowercase name of that model.
        holders: permissions, written in the same way.
    """
    permissions = apps.get_model("auth", "Permission").objects
    pairs = [holder.split(".") for holder in holders]
    held = [
        found.pk
        for app, codename in pairs
        for found in permissions.filter(content_type__app_label=app, codename=codename)
    ]
    if not held:
        return
    app, codename = permission.split(".")
    kind, _ = apps.get_model("contenttypes", "ContentType").objects.get_or_create(app_label=app, model=model)
    added, _ = permissions.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
    for group in apps.get_model("auth", "Group").objects.filter(permissions__in=held).distinct():
        group.permissions.add(added)
    for user in apps.get_model(settings.AUTH_USER_MODEL).objects.filter(user_permissions__in=held).distinct():
        user.user_permissions.add(added)
