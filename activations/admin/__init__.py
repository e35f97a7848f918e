"""Screens of activations, runs, changes and warnings."""

from activations.admin.activation import ActivationAdmin
from activations.admin.run import ChangeAdmin, RunAdmin
from activations.admin.warning import WarningAdmin

__all__ = ["ActivationAdmin", "ChangeAdmin", "RunAdmin", "WarningAdmin"]
