"""The log of requests: one line for each, with an ID that its answer has too, and without what was searched for."""

from __future__ import annotations

import logging

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from structlog.contextvars import get_contextvars

from dinmo.monitoring import requests

pytestmark = pytest.mark.django_db
ACCESS = "dinmo.access"


def lines(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == ACCESS]


def test_each_request_has_one_line_without_its_query(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, ACCESS):
        Client().get("/admin/login/", {"next": "/person@example.com"})
    (line,) = lines(caplog)
    assert line.getMessage().startswith("GET /admin/login/ 200 ")
    assert "person@example.com" not in caplog.text


def test_user_is_named_by_number(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    user = get_user_model().objects.create_superuser("ada", password="x")
    client = Client()
    client.force_login(user)
    bound: list[dict[str, object]] = []
    monkeypatch.setattr(requests.log, "log", lambda *args, **options: bound.append(get_contextvars()))
    client.get("/admin/docs/")
    assert bound[0]["user_id"] == user.pk
    assert "ada" not in str(bound)


def test_files_of_pages_have_no_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, ACCESS):
        Client().get("/static/dinmo/icon.svg")
    assert lines(caplog) == []


def test_answer_has_the_id_that_a_proxy_sent() -> None:
    response = Client().get("/admin/login/", headers={"X-Request-ID": "4bf92f35-77b34da6"})
    assert response["X-Request-ID"] == "4bf92f35-77b34da6"


@pytest.mark.parametrize("sent", ["", "short", "with space", "x" * 65, "token=abcdefgh", "line\x0bbreak"])
def test_anything_else_is_replaced_by_an_id_of_ours(sent: str) -> None:
    response = Client().get("/admin/login/", headers={"X-Request-ID": sent} if sent else {})
    assert response["X-Request-ID"] != sent
    assert requests.accepted_id(response["X-Request-ID"])
