"""What a viewer sees of an activation, a source and a connection: everything that is set, and nothing to change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from activations.models import FieldMapping
from destinations.models import Connection
from segments.models import Source

if TYPE_CHECKING:
    from activations.models import Activation

pytestmark = pytest.mark.django_db
SECRET = "hunter2-token"


@pytest.fixture
def viewer(one_of_each: Activation) -> Client:
    user = User.objects.create_user("vera", is_staff=True)
    user.groups.add(Group.objects.get(name="Viewer"))
    browser = Client()
    browser.force_login(user)
    return browser


def shown(viewer: Client, path: str) -> str:
    """The text of a page's content, without tags."""
    answer = viewer.get(path)
    assert answer.status_code == 200
    main = answer.content.decode().partition('id="content"')[2]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_settings_of_a_source_are_shown_without_secrets_and_buttons(viewer: Client) -> None:
    source = Source.objects.create(
        name="Warehouse", engine="postgres", secrets={"password": SECRET},
        config={"host": "db.example.com", "port": 5433, "database": "shop", "user": "reader"},
    )  # fmt: skip
    text = shown(viewer, f"/admin/segments/source/{source.pk}/change/")
    assert "Host db.example.com Port 5433 Database shop User reader" in text
    assert "Password Stored, hidden" in text
    assert SECRET not in text
    assert "Save" not in text


def test_settings_of_a_connection_are_shown_without_the_token(viewer: Client) -> None:
    connection = Connection.objects.create(
        name="Ours", platform="intercom", config={"region": "eu"}, secrets={"token": SECRET}
    )
    text = shown(viewer, f"/admin/destinations/connection/{connection.pk}/change/")
    assert "Region Europe" in text
    assert "Stored, hidden" in text
    assert SECRET not in text


def test_activation_is_shown_as_its_summary_with_every_field(viewer: Client, one_of_each: Activation) -> None:
    for number in range(8):
        FieldMapping.objects.create(activation=one_of_each, column=f"column_{number}", target=f"attribute_{number}")
    page = f"/admin/activations/activation/{one_of_each.pk}/change/"
    text = shown(viewer, page)
    assert all(f"column_{number} → attribute_{number}" in text for number in range(8))
    assert "2 more" in text
    assert "<select" not in viewer.get(f"{page}?step=mapping").content.decode()
