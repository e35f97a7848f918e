"""The tables of this app: connections, destinations with their fields, and request budgets of vendor workspaces."""

from __future__ import annotations

import re
from typing import Any

from django.db import models

from core.health import Health
from core.secrets import EncryptedJSONField
from core.text.names import NameField

_SAFE_ADDRESS = re.compile(r"https://[a-z0-9.-]+(:\d+)?(/[^\s\"'<>\\]*)?", re.IGNORECASE)


class Connection(Health):
    """An account on a platform, with its encrypted credential. Several destinations can share one."""

    name = NameField(max_length=200, unique=True)
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
        """Resets the workspace too, because changed settings may belong to a different one."""
        super().forget_health()
        self.workspace_name, self.workspace_facts = "", {}

    @property
    def settings(self) -> dict[str, Any]:
        """Plain configuration and secrets combined, as `Platform.client` expects them."""
        return {**self.config, **self.secrets}

    @property
    def logo_url(self) -> str:
        """The address of the workspace's logo, or "" unless it is safe to load: over HTTPS, with no secret in it."""
        url = str(self.workspace_facts.get("logo_url") or "")
        secret = any(value in url for value in self.secrets.values() if isinstance(value, str) and value)
        return url if _SAFE_ADDRESS.fullmatch(url) and not secret else ""


class Destination(models.Model):
    """A connection with one of its platform's services, such as "Our Attio · synchronize companies"."""

    name = NameField(max_length=200, unique=True)
    connection = models.ForeignKey(Connection, models.PROTECT, related_name="destinations")
    service = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Discovery(models.Model):
    """The fields of one service as last discovered, for one connection.

    `settings_mark` is a keyed hash of the connection's settings at that time. If it differs, the fields may belong to a
    different workspace.
    """

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
    """The requests that a vendor's workspace allows, shared by all runs and workers.

    Turns have been assigned up to the time `next_at` (seconds since 1970). A lot of n turns takes the next n / `rate`
    seconds, so that the lots of different processes leave no gaps and never overlap. For example, at 25 requests per
    second, a lot of 5 moves `next_at` forward by 0.2 seconds.
    """

    name = models.CharField(max_length=300, unique=True)
    rate = models.FloatField()
    next_at = models.FloatField(default=0)
    blocked_until = models.FloatField(default=0, db_default=0)
    """Until when the vendor accepts no more requests (seconds since 1970), if that is too long to wait for."""

    def __str__(self) -> str:
        return self.name
