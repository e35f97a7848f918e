"""The Django app. Fills the roles after each migration, once Django has created the permissions."""

from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PermissionsConfig(AppConfig):
    name = "dinmo.permissions"
    verbose_name = "Permissions"

    def ready(self) -> None:
        post_migrate.connect(import_module("dinmo.permissions.roles").fill, sender=self)
