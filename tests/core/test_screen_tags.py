"""The tags of every page: logos, help links, numbers, and times in the viewer's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.template import Context, Template
from django.utils import timezone

from core.web.formats import relative
from core.web.logos import logo
from core.web.time_zone import COOKIE
from destinations.registry import platforms, services
from segments.models import Source
from segments.registry import engines

if TYPE_CHECKING:
    from django.test import Client

NOON = datetime(2026, 11, 29, 13, 5, tzinfo=UTC)


def rendered(tag: str, **values: Any) -> str:
    return Template("{% load screens %}" + tag).render(Context(values))


@pytest.mark.parametrize("slug", [*engines.all, *platforms.all, *services.all])
def test_every_engine_and_service_has_a_drawing(slug: str) -> None:
    drawing = logo(slug)
    assert "<text" not in drawing, "a tile with a letter, so its folder has no icon.svg"
    assert 'role="img"' in drawing
    assert 'width="24"' in drawing


def test_something_without_a_drawing_gets_a_letter() -> None:
    assert ">Z</text>" in logo("zebra")
    assert "<script" not in logo("<script>")


def test_a_logo_beside_a_name_is_decoration() -> None:
    assert rendered('{% logo "attio" 32 "" %}').startswith('<span class="d-mark" aria-hidden="true">')


def test_numbers_have_separators_and_none_is_a_dash() -> None:
    assert rendered("{{ value|number }}", value=2998) == "2,998"
    assert rendered("{{ value|number }}", value=0) == "0"
    assert rendered("{{ value|number }}", value=None) == "\N{EN DASH}"


def test_times_are_in_the_zone_of_the_viewer() -> None:
    with timezone.override("Europe/Paris"):
        html = rendered("{{ value|moment }}", value=NOON)
    assert html == '<time datetime="2026-11-29T13:05:00+00:00">29 Nov 2026, 14:05</time>'
    assert ">29 Nov 2026<" in rendered("{{ value|moment }}", value=date(2026, 11, 29))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(5, "just now"), (-5, "in a moment"), (300, "5\xa0minutes ago"), (-7200, "in 2\xa0hours")],
)
def test_times_near_now_are_said_relative_to_it(seconds: int, words: str) -> None:
    assert relative(NOON - timedelta(seconds=seconds), NOON) == words


def test_the_help_link_has_a_name() -> None:
    html = rendered('{% docs "attio-types" "lists" %}')
    assert 'href="/admin/docs/attio-types/#lists"' in html
    assert 'aria-label="Help about attio types (opens a new tab)"' in html


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cookie", "shown"),
    [("Europe/Paris", "29 Nov 2026, 14:05"), ("", "29 Nov 2026, 13:05"), ("../../etc/passwd", "29 Nov 2026, 13:05")],
)
def test_the_browser_decides_in_which_zone_times_are_shown(client: Client, cookie: str, shown: str) -> None:
    client.force_login(User.objects.create_superuser("ops"))
    source = Source.objects.create(name="Shop", engine="sqlite", health_at=NOON)
    client.cookies[COOKIE] = cookie
    assert shown in client.get("/admin/segments/source/").content.decode()
    assert source.health_at == NOON
