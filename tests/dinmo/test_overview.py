"""The overview shows each block only to people who may view what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from destinations.models import Connection
from segments.models import Source

if TYPE_CHECKING:
    from activations.models import Activation

pytestmark = pytest.mark.django_db
BLOCKS = {
    "activations.view_activation": "Away",
    "activations.view_warning": "Nothing to read",
    "segments.view_source": "The shop is closed",
    "destinations.view_connection": "The token is revoked",
    "activations.view_run": "Failed",
}
"""A text of each block, by the permission that it needs."""


@pytest.fixture(autouse=True)
def _failures(one_of_each: Activation) -> None:
    Source.objects.update(health="failed", health_message="The shop is closed")
    Connection.objects.update(health="failed", health_message="The token is revoked")
    one_of_each.warnings.update(message="Nothing to read")


def overview(*permissions: str) -> str:
    user = User.objects.create_user("viewer", is_staff=True)
    codenames = [permission.partition(".")[2] for permission in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    browser = Client()
    browser.force_login(user)
    return browser.get("/admin/").content.decode()


@pytest.mark.parametrize("permission", [name for name in BLOCKS if name != "activations.view_activation"])
def test_block_is_shown_only_with_its_permission(permission: str) -> None:
    page = overview("activations.view_activation", permission)
    shown = {name for name, text in BLOCKS.items() if text in page}
    assert shown == {"activations.view_activation", permission}


def test_nothing_is_shown_without_permissions() -> None:
    page = overview()
    assert not [text for text in BLOCKS.values() if text in page]


def test_everything_is_shown_with_every_permission() -> None:
    page = overview(*BLOCKS)
    assert [text for text in BLOCKS.values() if text not in page] == []
