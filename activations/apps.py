"""The app's name on screens, and what it registers with the apps below."""

from django.apps import AppConfig

from segments.integrity.users import register


class ActivationsConfig(AppConfig):
    name = "activations"
    verbose_name = "Activation"

    def ready(self) -> None:
        register("activations.setup.data_use.Activations")
