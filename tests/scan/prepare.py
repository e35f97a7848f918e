"""Fills a new installation: people of two roles, the demo, and a trigger token. Prints the token."""

from __future__ import annotations

import os

import django

django.setup()

from django.contrib.auth.models import Group, User  # noqa: E402

from activations.models import Activation  # noqa: E402
from activations.runs import tokens  # noqa: E402
from dinmo.demo import loading  # noqa: E402
from dinmo.permissions.table import Role  # noqa: E402

password = os.environ["SCAN_PASSWORD"]
User.objects.create_superuser("admin", "admin@example.com", password)
viewer = User.objects.create_user("viewer", "viewer@example.com", password, is_staff=True)
viewer.groups.add(Group.objects.get(name=Role.VIEWER))
loading.load()
first = Activation.objects.order_by("pk").first()
assert first
print(tokens.create(first, "scan", "scan")[1])
