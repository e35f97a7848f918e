"""Registers the screens with the Django admin, which imports this module."""

from activations.screens.activation_admin import ActivationAdmin
from activations.screens.alerts.channel_admin import AlertChannelAdmin
from activations.screens.alerts.warning_admin import WarningAdmin
from activations.screens.run.run_admin import RunAdmin
from activations.screens.timeline.records_admin import ChangeAdmin

__all__ = ["ActivationAdmin", "AlertChannelAdmin", "ChangeAdmin", "RunAdmin", "WarningAdmin"]
