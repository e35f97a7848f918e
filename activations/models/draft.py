"""A draft: what a person has entered for an activation and not saved yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from activations.models.activation import Activation


class Draft(models.Model):
    """The unsaved fields of the activation editor, of one person, for one activation or for a new one."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    activation = models.ForeignKey(Activation, models.CASCADE, null=True, related_name="drafts")
    data = models.JSONField(default=dict, help_text="The fields of the form: each name with the list of its values.")
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-updated_at"]

    def __str__(self) -> str:
        name = (self.data.get("name") or [""])[0]
        return str(name) or "Untitled activation"
