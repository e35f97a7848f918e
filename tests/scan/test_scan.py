"""The scan finds what is planted: an answer for each thing that it looks for."""

from __future__ import annotations

import http.client
from typing import TYPE_CHECKING

import pytest

from tests.scan import attacks, headers
from tests.scan.api import strict
from tests.scan.findings import Finding, Severity, fails
from tests.scan.site import Answer

if TYPE_CHECKING:
    from collections.abc import Mapping

POLICY = {"Content-Security-Policy": "script-src 'self'; frame-ancestors 'none'", "Cache-Control": "private"}
GOOD = {**headers.EVERYWHERE, **POLICY, "Content-Type": "text/html"}


def answer(status: int = 200, given: Mapping[str, str] = GOOD, body: str = "") -> Answer:
    message = http.client.HTTPMessage()
    for name, value in given.items():
        message[name] = value
    return Answer(status, message, body.encode())


def worst(found: list[Finding]) -> Severity | None:
    return max((finding.severity for finding in found), default=None)


def test_good_answer_has_no_finding() -> None:
    assert list(headers._verify("/admin/", (200,), answer())) == []


@pytest.mark.parametrize("name", [*headers.EVERYWHERE, "Content-Security-Policy"])
def test_missing_header_is_found(name: str) -> None:
    given = {header: value for header, value in GOOD.items() if header != name}
    assert worst(list(headers._verify("/admin/", (200,), answer(given=given)))) == Severity.MEDIUM


def test_answer_for_other_origins_and_server_errors_are_found() -> None:
    shared = answer(given={**GOOD, "Access-Control-Allow-Origin": "*"})
    for bad in (shared, answer(500)):
        assert worst(list(headers._verify("/admin/", (200,), bad))) == Severity.MEDIUM


def test_cookie_without_its_flags_is_found() -> None:
    plain = answer(given={"Set-Cookie": "sessionid=x; Secure; SameSite=Lax"})
    assert [finding.what for finding in headers._cookies(plain)] == ["without httponly"]
    safe = answer(given={"Set-Cookie": "sessionid=x; Secure; HttpOnly; SameSite=Lax"})
    assert list(headers._cookies(safe)) == []


@pytest.mark.parametrize("location", ["https://evil.example/", "//evil.example/", r"/\evil.example/", "javascript:x"])
def test_redirect_to_a_different_site_is_found(location: str) -> None:
    away = answer(302, {"Location": location})
    assert worst(list(attacks._leads_away("/admin/login/", location, away))) == Severity.MEDIUM
    assert list(attacks._leads_away("/admin/login/", "/", answer(302, {"Location": "/admin/"}))) == []


def test_content_of_a_file_is_found() -> None:
    assert worst(list(attacks._shows_files("csv x", answer(body="root:x:0:0:root")))) == Severity.HIGH
    assert list(attacks._shows_files("csv x", answer(400, body="There is no such file."))) == []


def test_answers_that_tell_accounts_apart_are_found() -> None:
    found = attacks._told_apart("/admin/login/", lambda name: answer(302 if name == "viewer" else 200))
    assert worst(list(found)) == Severity.MEDIUM
    assert list(attacks._told_apart("/admin/login/", lambda name: answer())) == []


def test_scan_fails_from_medium_severity_on() -> None:
    findings = [Finding(severity, "c", "w", "x") for severity in Severity]
    assert [fails([finding]) for finding in findings] == [False, False, True, True]


def test_description_for_the_scan_is_closed() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": {}}}}}
    answers = {"200": {"content": {"application/json": {"schema": schema}}}}
    closed = strict({"paths": {"/x/": {"get": {"responses": answers}}}})["paths"]["/x/"]["get"]["responses"]["200"]
    outer = closed["content"]["application/json"]["schema"]
    assert outer["additionalProperties"] is outer["properties"]["a"]["additionalProperties"] is False
    assert "additionalProperties" not in schema
