"""The documentation inside the application."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.urls import reverse

from dinmo.docs import files
from dinmo.docs.rendering import render

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(User.objects.create_user("reader", is_staff=True))
    return client


def test_every_page_opens_and_every_link_between_pages_leads_somewhere(reader: Client) -> None:
    addresses = {reverse("docs", args=[name]) for name in files.pages()}
    assert len(addresses) > 10
    for address in addresses:
        html = reader.get(address).content.decode()
        article = html[html.index('class="d-prose"') : html.index("</article>")]
        for link in re.findall(r'href="([^"#]+)', article):
            if link.startswith("/"):
                assert link in addresses, f"{address} links to {link}"
            else:
                assert link.startswith(("https://", "http://", "mailto:")), f"{address} links to {link}"
        for picture in re.findall(r'src="([^"]+)', article):
            assert reader.get(picture).status_code == 200, picture


def test_every_page_can_be_reached_from_the_index(reader: Client) -> None:
    reached: set[str] = set()
    open_pages = [reverse("docs-index")]
    while open_pages:
        html = reader.get(open_pages.pop()).content.decode()
        article = html[html.index('class="d-prose"') : html.index("</article>")]
        found = set(re.findall(r'href="(/[^"#]+)', article)) - reached
        reached |= found
        open_pages += found
    assert reached >= {reverse("docs", args=[name]) for name in files.pages() if name != "README"}


def test_the_index_comes_in_five_groups(reader: Client) -> None:
    html = reader.get(reverse("docs-index")).content.decode()
    groups = re.findall(r'<li><a href="#[^"]+">([^<]+)', html)
    assert groups == ["Start", "Every day", "Reference", "Operation", "For developers"]


def test_pictures_are_small_and_every_one_is_used() -> None:
    pages = "".join(files.text(name) for name in files.pages()) + (settings.BASE_DIR / "README.md").read_text()
    for name, path in files.pictures().items():
        assert path.stat().st_size < 150_000, name
        assert name in pages, f"No page shows {name}"


def test_the_tutorial_has_the_rows_of_the_sample_file() -> None:
    assert (files.root() / "companies.csv").read_text() in files.text("tutorial-attio")


def test_headings_are_listed_and_can_be_linked_to(reader: Client) -> None:
    html = reader.get(reverse("docs", args=["sources"])).content.decode()
    anchors = re.findall(r'<li><a href="#([^"]+)"', html)
    assert anchors
    for anchor in anchors:
        assert f'id="{anchor}"' in html


@pytest.mark.parametrize("path", ["../manage", "..%2f..%2fREADME", "no-such-page", "adr/../../README"])
def test_no_file_outside_of_the_documentation_is_served(reader: Client, path: str) -> None:
    assert reader.get(f"/admin/docs/{path}/").status_code == 404
    assert reader.get(f"/admin/docs/files/{path}").status_code == 404


def test_the_documentation_requires_a_login(client: Client) -> None:
    answer = client.get(reverse("docs", args=["sources"]))
    assert answer.status_code == 302
    assert "/login/" in answer.headers["Location"]


def test_every_help_link_of_a_page_leads_to_a_heading_that_exists() -> None:
    linked = set()
    for path in (settings.BASE_DIR / "templates").rglob("*.html"):
        text = path.read_text()
        linked |= set(re.findall(r'{% docs "([^"]+)"(?: "([^"]*)")?', text))
        linked |= {("choices", anchor) for anchor in re.findall(r'{% include [^%]*\bhelp="([^"]+)"', text)}
    for app in ("segments", "destinations", "activations", "dinmo"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            linked |= set(re.findall(r'\bdocs\("([^"]+)", "([^"]*)"', path.read_text()))
    assert {anchor for page, anchor in linked if page == "choices"} >= {"match", "lists", "primary-key-of-a-model"}
    for page, anchor in sorted(linked):
        assert page in files.pages(), page
        assert not anchor or f' id="{anchor}"' in render(page).html, f"{page}#{anchor}"
