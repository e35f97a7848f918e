"""Every answer has the headers that limit what a browser does with it: pages, the API, files and errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
ADDRESSES = ["/admin/login/", "/admin/", "/no/such/page/", "/api/nothing/", "/static/dinmo/icon.svg", "/%00", "/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_headers_of_every_answer(admin_client: Client, address: str) -> None:
    headers = admin_client.get(address).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in headers["Permissions-Policy"]
    assert "Access-Control-Allow-Origin" not in headers
    assert "Server" not in headers


@pytest.mark.parametrize("address", ADDRESSES)
def test_content_policy_of_every_answer(admin_client: Client, address: str) -> None:
    policy = dict(
        part.strip().split(" ", 1) for part in admin_client.get(address).headers["Content-Security-Policy"].split(";")
    )
    assert policy["default-src"] == "'self'"
    assert policy["script-src"] == "'self' 'unsafe-eval'"
    assert policy["style-src"] == "'self'"
    assert policy["form-action"].startswith("'self'")
    assert [policy[name] for name in ("object-src", "frame-ancestors", "script-src-attr")] == ["'none'"] * 3
    inline = [name for name, sources in policy.items() if "unsafe-inline" in sources]
    assert inline == ["style-src-attr"]


def test_browsers_keep_to_https_where_tls_is_used(admin_client: Client, settings: Settings) -> None:
    settings.SECURE_HSTS_SECONDS, settings.SECURE_PROXY_SSL_HEADER = 60, ("HTTP_X_FORWARDED_PROTO", "https")
    assert "Strict-Transport-Security" not in admin_client.get("/admin/login/").headers
    secure = admin_client.get("/admin/login/", headers={"X-Forwarded-Proto": "https"}).headers
    assert secure["Strict-Transport-Security"] == "max-age=60"
