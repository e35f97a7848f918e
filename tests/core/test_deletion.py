"""What uses an object is shown, with links, before it can be deleted."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from segments.models import DataModel, Source


@pytest.fixture
def source(db: None) -> Source:
    source = Source.objects.create(name="Shop", engine="csv", config={"path": "shop.csv"})
    DataModel.objects.create(name="Companies", source=source, table="shop", primary_key="id")
    return source


@pytest.fixture
def staff(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ops"))
    return client


def test_page_of_an_object_in_use_links_its_users_instead_of_delete(staff: Client, source: Source) -> None:
    page = staff.get(f"/admin/segments/source/{source.pk}/change/").content.decode()
    model = DataModel.objects.get()
    assert f'href="/admin/segments/datamodel/{model.pk}/change/">Companies</a>' in page
    assert f"/admin/segments/source/{source.pk}/delete/" not in page


def test_delete_page_of_an_object_in_use_says_what_to_do(staff: Client, source: Source) -> None:
    page = staff.get(f"/admin/segments/source/{source.pk}/delete/").content.decode()
    assert "“Shop” is in use" in page
    assert f"/admin/segments/datamodel/{DataModel.objects.get().pk}/change/" in page
    assert "Delete Shop" not in page


def test_unused_object_is_deleted_after_one_confirmation(staff: Client, source: Source) -> None:
    DataModel.objects.all().delete()
    assert (
        "The database or file itself is not touched."
        in staff.get(f"/admin/segments/source/{source.pk}/delete/").content.decode()
    )
    staff.post(f"/admin/segments/source/{source.pk}/delete/", {"post": "yes"})
    assert not Source.objects.exists()


def test_user_that_may_not_be_seen_is_named_without_a_link(source: Source) -> None:
    person = User.objects.create_user("data", is_staff=True)
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_source", "delete_source"]))
    client = Client()
    client.force_login(person)
    page = client.get(f"/admin/segments/source/{source.pk}/delete/").content.decode()
    assert "Companies" in page
    assert "/admin/segments/datamodel/" not in page
