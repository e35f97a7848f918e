"""The error pages: not found, no permission, and server error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from django.test import Client


@pytest.mark.django_db
def test_a_page_that_does_not_exist_leads_back(client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()
    assert 'href="/"' in answer.content.decode()


@pytest.mark.django_db
def test_a_person_without_the_permission_is_told_who_can_give_it(client: Client) -> None:
    client.force_login(User.objects.create_user("seller", is_staff=True))
    answer = client.get("/admin/segments/source/add/")
    assert answer.status_code == 403
    assert "Ask an administrator of this installation" in answer.content.decode()


def test_our_own_failure_is_said_without_anything_that_could_fail_too() -> None:
    assert "No data was lost" in render_to_string("500.html")
