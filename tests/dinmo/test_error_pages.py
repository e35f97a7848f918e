"""The error pages: not found, no permission, and server error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.contrib.auth.models import User
from django.template.loader import render_to_string

if TYPE_CHECKING:
    from django.test import Client


@pytest.mark.django_db
def test_404_page_links_to_the_start_page(client: Client) -> None:
    client.force_login(User.objects.create_superuser("admin"))
    answer = client.get("/no/such/page/")
    assert answer.status_code == 404
    assert "Page not found" in answer.content.decode()
    assert 'href="/"' in answer.content.decode()


@pytest.mark.django_db
def test_403_page_names_who_can_grant_the_permission(client: Client) -> None:
    client.force_login(User.objects.create_user("seller", is_staff=True))
    answer = client.get("/admin/segments/source/add/")
    assert answer.status_code == 403
    assert "Ask an administrator" in answer.content.decode()


def test_500_page_renders_without_any_context() -> None:
    assert "No data was lost" in render_to_string("500.html")
