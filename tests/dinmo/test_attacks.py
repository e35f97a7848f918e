"""No input makes the application fail: null characters, lone surrogates, and numbers beyond every column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from activations.models import Activation
from tests.dinmo import attacks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.slow]

LISTS = [path for path in attacks.patterns() if path.startswith("/admin/") and "<" not in path]


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch: pytest.MonkeyPatch, one_of_each: Activation) -> None:
    """No vendor is reached, and no run starts."""
    for variable in ("ATTIO_API_URL", "INTERCOM_API_URL"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    monkeypatch.setattr("activations.runs.dispatch.enqueue", lambda run_id: None)
    Activation.objects.update(next_run_number=2)


def failures(
    browser: Client, requests: Iterable[tuple[str, str]], body: str = "", kind: str = "application/json"
) -> set[str]:
    """The requests, each a method and an address, that are answered with a server error."""
    return {
        f"{method} {address[:150]}"
        for method, address in requests
        if attacks.status(browser, method, address, data=body, content_type=kind) == 500
    }


@pytest.mark.parametrize("text", attacks.TEXTS.values(), ids=attacks.TEXTS)
def test_argument_of_an_address(staff: Client, text: str) -> None:
    addresses = {attacks.filled(pattern, text) for pattern in attacks.patterns() if "<" in pattern}
    assert len(addresses) > 50
    assert failures(staff, (("GET", address) for address in addresses)) == set()


@pytest.mark.parametrize("text", attacks.TEXTS.values(), ids=attacks.TEXTS)
def test_parameter_of_a_page(staff: Client, text: str) -> None:
    """All at once, and each alone on lists, where an unknown one ends the request."""
    everywhere = [attacks.filled(pattern, "1") for pattern in attacks.patterns()]
    together = [("GET", f"{path}?{attacks.query(attacks.PARAMETERS, text)}") for path in everywhere]
    alone = [("GET", f"{path}?{attacks.query((name,), text)}") for path in LISTS for name in ("q", "p", "o", "page")]
    assert failures(staff, [*together, *alone]) == set()


@pytest.mark.parametrize("text", attacks.TEXTS.values(), ids=attacks.TEXTS)
def test_filter_of_a_list(staff: Client, text: str) -> None:
    addresses = [f"{page}?{attacks.query((name,), text)}" for page, name in attacks.filters()]
    assert len(addresses) > 90
    assert failures(staff, (("GET", address) for address in addresses)) == set()


@pytest.mark.parametrize("value", attacks.VALUES.values(), ids=attacks.VALUES)
def test_field_of_the_api(staff: Client, value: object) -> None:
    api = [attacks.filled(pattern, "1") for pattern in attacks.patterns() if pattern.startswith("/api/")]
    requests = [(method, path) for path in api for method in ("POST", "PATCH", "DELETE")]
    assert failures(staff, requests, attacks.body(value)) == set()


@pytest.mark.parametrize("text", attacks.TEXTS.values(), ids=attacks.TEXTS)
def test_field_of_a_form(staff: Client, text: str) -> None:
    forms = [path for path in LISTS if path.endswith(("/add/", "/search/", "/start/source/", "/start/vendor/"))]
    body = attacks.query((*attacks.PARAMETERS, *attacks.FIELDS, "primary_key", "display_column", "tags", "_save"), text)
    posts = [("POST", f"{path}?engine=sqlite&platform=attio") for path in forms]
    assert failures(staff, posts, body, "application/x-www-form-urlencoded") == set()
