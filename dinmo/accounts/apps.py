"""The Django app of accounts."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "dinmo.accounts"
    verbose_name = "Accounts"

    def ready(self) -> None:
        # Receives the signal of signing in.
        import_module(f"{self.name}.own.signals")
