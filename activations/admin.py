"""Registers the screens with the Django admin, which imports this module."""

from activations.screens.activation_admin import ActivationAdmin
from activations.screens.run.run_admin import RunAdmin
from activations.screens.timeline.records_admin import ChangeAdmin
from activations.screens.warning_admin import WarningAdmin

__all__ = ["ActivationAdmin", "ChangeAdmin", "RunAdmin", "WarningAdmin"]
