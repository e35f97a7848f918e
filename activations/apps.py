"""The app's name on screens, and what it registers with the apps below."""

from importlib import import_module

from django.apps import AppConfig

from segments.integrity.registered_users import register


class ActivationsConfig(AppConfig):
    name = "activations"
    verbose_name = "Activation"

    def ready(self) -> None:
        register("activations.setup.column_users.Activations")
        import_module("activations.pauses.noticed")
