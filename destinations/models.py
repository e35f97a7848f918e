"""What is written to: connections, destinations with their fields, and the request budgets of the vendors' workspaces."""

from __future__ import annotations

import re
from typing import Any

from django.db import models

from core.health import Health
from core.secrets import EncryptedJSONField

_SAFE_ADDRESS = re.compile(r"https://[a-z0-9.-]+(:\d+)?(/[^\s\"'<>\\]*)?", re.IGNORECASE)


class Connection(Health):
    """An account at a platform, with its encrypted credential. One connection serves several destinations."""

    name = models.CharField(max_length=200, unique=True)
    platform = models.CharField(max_length=40)
    config = models.JSONField(default=dict, blank=True)
    secrets = EncryptedJSONField(default=dict, blank=True, editable=False)
    workspace_id = models.CharField(max_length=200, blank=True, editable=False)
    workspace_name = models.CharField(max_length=400, blank=True, editable=False)
    workspace_facts = models.JSONField(default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def forget_health(self) -> None:
        """Whose workspace other settings open is not known either."""
        super().forget_health()
        self.workspace_name, self.workspace_facts = "", {}

    @property
    def settings(self) -> dict[str, Any]:
        """Plain configuration and secrets together, as the platform takes them."""
        return {**self.config, **self.secrets}

    @property
    def logo_url(self) -> str:
        """Where the workspace's logo is, as the vendor says; "" unless a page may load it: by https, and holding nothing secret."""
        url = str(self.workspace_facts.get("logo_url") or "")
        secret = any(value in url for value in self.secrets.values() if isinstance(value, str) and value)
        return url if _SAFE_ADDRESS.fullmatch(url) and not secret else ""


class Destination(models.Model):
    """A connection with one of its platform's services, e.g. "Our Attio · synchronize companies"."""

    name = models.CharField(max_length=200, unique=True)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="destinations")
    service = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Discovery(models.Model):
    """The fields of one service as a connection's vendor had them last; `settings_mark` tells which settings it was asked with."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="discoveries")
    service = models.CharField(max_length=80)
    fields = models.JSONField(default=list)
    found_at = models.DateTimeField()
    settings_mark = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "service"], name="discovery_once")]

    def __str__(self) -> str:
        return f"{self.connection} · {self.service}"


class Budget(models.Model):
    """The requests that a vendor's workspace allows, shared by every run and worker.

    `next_at` is the moment (seconds since 1970) up to which requests have been handed out: a lot of n requests takes the
    n / `rate` seconds behind it, so that lots of any process follow one another without a gap and without overlap.
    """

    name = models.CharField(max_length=300, unique=True)
    rate = models.FloatField()
    next_at = models.FloatField(default=0)

    def __str__(self) -> str:
        return self.name
