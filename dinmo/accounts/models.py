"""Models for accounts besides Django's users: profiles, invitations, the setup token and shared limits."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth.models import Group
from django.db import models


class Profile(models.Model):
    """A user's own settings."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True)
    time_zone = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return str(self.user)


class Invitation(models.Model):
    """An email address that can create an account with a secret link once. Accepting or withdrawing deletes it."""

    email = models.EmailField("email address", unique=True)
    role = models.ForeignKey(Group, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", editable=False
    )
    sent_at = models.DateTimeField("sent", editable=False)
    expires_at = models.DateTimeField("expires", editable=False)

    class Meta:
        ordering = ["email"]

    def __str__(self) -> str:
        return self.email


class SetupToken(models.Model):
    """The token for creating the first administrator. At most one exists."""

    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"Token of {self.created_at:%Y-%m-%d %H:%M}"


class SharedValue(models.Model):
    """A row of Django's database cache, which counts attempts across all web processes."""

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "accounts_shared_value"

    def __str__(self) -> str:
        return self.cache_key
