"""The Django app of the audit log. Registers it with the lower layers."""

from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "dinmo.audit"
    verbose_name = "Audit log"

    def ready(self) -> None:
        import_module("dinmo.audit.connect")
