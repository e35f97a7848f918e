"""The sidebar shows each person what they may open, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import RequestFactory

from dinmo.navigation import navigation

if TYPE_CHECKING:
    from activations.models import Activation

pytestmark = pytest.mark.django_db


def titles(user: User) -> dict[str, list[str]]:
    request = RequestFactory().get("/admin/")
    request.user = user
    return {group["title"]: [item["title"] for item in group["items"]] for group in navigation(request)}


def test_superuser_sees_daily_work_before_set_up_and_operations_last() -> None:
    assert titles(User.objects.create_superuser("ops")) == {
        "": ["Overview", "Get started"],
        "Sync": ["Activations", "Runs", "Records", "Warnings", "Alert channels"],
        "Data": ["Sources", "Models", "Segments"],
        "Destinations": ["Connections", "Destinations"],
        "Help": ["Documentation"],
        "Operations": ["Users", "Groups", "Invitations", "Periodic tasks", "Audit log"],
    }


def test_groups_without_anything_to_open_are_left_out() -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__in=["view_run", "view_user"]))
    assert titles(viewer) == {
        "": ["Overview"],
        "Sync": ["Runs"],
        "Help": ["Documentation"],
        "Operations": ["Users"],
    }


def test_open_warnings_are_counted(one_of_each: Activation) -> None:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.create_superuser("ops")
    badges = [item.get("badge") for group in navigation(request) for item in group["items"]]
    assert [badge for badge in badges if badge is not None] == ["1"]
    one_of_each.warnings.all().delete()
    assert not any("badge" in item for group in navigation(request) for item in group["items"])
