"""The question who gets alerts: asked until somebody does, prefilled with the address of whoever sets up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.test import Client

from activations.models import AlertChannel

if TYPE_CHECKING:
    from activations.models import Activation

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def first() -> Client:
    """The browser of the first user."""
    browser = Client()
    browser.force_login(User.objects.create_superuser("ada", email="ada@example.com"))
    return browser


@pytest.mark.parametrize("page", ["/admin/start/", "/admin/"])
def test_page_asks_who_gets_alerts_with_the_own_address_until_somebody_does(
    first: Client, one_of_each: Activation, page: str
) -> None:
    asked = first.get(page).content.decode()
    assert "Nobody gets alerts yet" in asked
    assert 'value="ada@example.com"' in asked
    answered = first.post("/admin/start/alerts/", {"recipients": "ada@example.com, ops@example.com"})
    channel = AlertChannel.objects.get()
    assert answered.headers["Location"] == f"/admin/activations/alertchannel/{channel.pk}/change/"
    assert (channel.name, channel.kind) == ("Workspace recipients", "email")
    assert channel.config == {"recipients": "ada@example.com, ops@example.com"}
    assert channel.events == ["run_failed", "paused", "held", "stale", "warning"]
    assert "Nobody gets alerts yet" not in first.get(page).content.decode()


def test_answer_that_is_no_address_is_refused_in_words(first: Client) -> None:
    page = first.post("/admin/start/alerts/", {"recipients": "ada"}, follow=True).content.decode()
    assert "ada is not a valid email address." in page
    assert not AlertChannel.objects.exists()


def test_person_without_the_right_to_add_channels_can_not_answer(one_of_each: Activation) -> None:
    browser = Client()
    browser.force_login(User.objects.create_user("viewer", is_staff=True))
    assert browser.post("/admin/start/alerts/", {"recipients": "a@example.com"}).status_code == 403
