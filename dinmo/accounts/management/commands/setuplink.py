"""`manage.py setuplink`: logs a new link for creating the first administrator."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand
from django.db import connection

from dinmo.accounts.links.setup import announce


class Command(BaseCommand):
    help = "Logs a new link for creating the first administrator if no account exists."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        # A database without tables has its own message, at `/readyz` and in `doctor`.
        if User._meta.db_table in connection.introspection.table_names():
            announce()
