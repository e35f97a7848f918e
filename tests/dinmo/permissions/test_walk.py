"""Everybody requests everything, and gets what the table of permissions says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import get_commands
from django.db import transaction
from django.test import Client, RequestFactory

from dinmo.permissions.entry_points import ACCOUNT, ENTRY_POINTS, NOBODY, Entry
from tests.dinmo.permissions.addresses import BODY, Address, actions, addresses
from tests.dinmo.permissions.conftest import CANARY
from tests.dinmo.permissions.people import PEOPLE, Person

if TYPE_CHECKING:
    from collections.abc import Iterator

    from activations.models import Activation

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
METHODS = ("GET", "POST")
SIGN_OUT = "admin:logout"
"""The only address that would end the walk."""
COMMANDS = {
    "activate", "apply", "backup", "conformance", "demo", "doctor", "drift", "export", "pauses", "report", "restore",
    "rotate_keys", "sandbox", "segments", "setuplink", "startengine", "startservice", "sync_schedules", "tokens", "up",
}  # fmt: skip
"""What people with a shell can do, which no role is about."""
OURS = ("activations", "destinations", "segments", "dinmo", "core")


def browser_of(person: Person) -> Client:
    browser = Client(raise_request_exception=False)
    if user := person.create():
        browser.force_login(user)
    return browser


def requested(browser: Client, method: str, address: Address) -> Any:
    """The answer, without what the request changed."""
    body, kind = (json.dumps(BODY), "application/json") if address.is_api else ("", "application/x-www-form-urlencoded")
    path, _, query = address.path.partition("?")
    content: dict[str, Any] = {} if method == "GET" else {"data": body, "content_type": kind}
    with transaction.atomic():
        answer = browser.generic(method, path, QUERY_STRING=query, **content)
        transaction.set_rollback(True)
    return answer


def refuses(answer: Any) -> bool:
    to_sign_in = answer.status_code == 302 and answer.headers["Location"].startswith("/admin/login/")
    return to_sign_in or answer.status_code in (401, 403)


@dataclass(frozen=True)
class Outcome:
    """What happened to one request.

    Args:
        words: the method and the name of the entry point.
        may: whether the table lets the person do it.
        shows: whether the answer has the value of a record in it.
    """

    words: str
    status: int
    is_refused: bool
    may: bool
    shows: bool


def outcomes(person: Person) -> Iterator[Outcome]:
    """What happens to every request."""
    browser = browser_of(person)
    for method, address in _everything():
        answer = requested(browser, method, address)
        may = person.may(ENTRY_POINTS[address.name], method)
        # A page that knows one method refuses the other before it looks at who asks.
        is_refused = not may if answer.status_code == 405 and not address.is_api else refuses(answer)
        yield Outcome(f"{method} {address.name}", answer.status_code, is_refused, may, CANARY in text_of(answer))


def test_every_entry_point_is_in_the_map_and_nothing_else() -> None:
    found = {address.name for address in addresses()}
    assert len(found) > 150
    assert found == {name for name in ENTRY_POINTS if "_changelist:" not in name}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_everybody_gets_what_the_table_says(installation: Activation, person: Person) -> None:
    found = list(outcomes(person))
    assert len(found) > 300
    assert [each for each in found if each.status >= 500 and each.status != 503] == []
    assert [each for each in found if each.is_refused == each.may] == []
    shown = {each.words.partition(" ")[2] for each in found if each.shows}
    if "see_values" in person.can() and "activations" in person.can():
        # Or else it would prove nothing that nobody else sees one.
        assert shown >= SHOW_VALUES
    elif "see_values" not in person.can():
        assert shown == set()


@pytest.mark.parametrize("person", PEOPLE[1:], ids=lambda person: person.name)
def test_the_actions_of_lists_are_those_in_the_table(db: None, person: Person) -> None:
    listed = {name: entry for name, entry in ENTRY_POINTS.items() if "_changelist:" in name}
    user = person.create()
    assert user
    found = actions(user, RequestFactory().get("/admin/"))
    assert found == {name for name, entry in listed.items() if person.may(entry, "POST")}


def test_commands_are_the_documented_ones() -> None:
    assert {name for name, app in get_commands().items() if app.partition(".")[0] in OURS} == COMMANDS


def test_nobody_may_do_what_the_map_gives_to_nobody() -> None:
    assert not any(person.may(Entry(NOBODY, NOBODY), "GET") for person in PEOPLE)


SHOW_VALUES = {
    "admin:activations_run_change", "admin:activations_run_progress", "admin:activations_run_download",
    "admin:activations_run_comparison", "admin:activations_run_attached", "admin:activations_change_change",
    "admin:activations_change_changelist", "admin:activations_change_history", "admin:record_timeline",
    "admin:record_timeline_live", "admin:activations_activation_drift", "admin:activations_activation_review",
    "api:run-comparison", "api:activation-drift", "api:search", "api:search-source", "api:editor-records",
    "api:editor-test", "api:source-sample", "api:source-rows", "api:model-preview",
    "api:model-values", "api:segment-preview", "api:segment-breakdown", "api:computed-preview",
}  # fmt: skip
"""Where values are shown, apart from what asks the vendor first."""
MORE = [
    *(Address(f"admin:activations_run_{page}", f"/admin/activations/run/{pk}/{page}/")
      for pk in (2, 3, 4, 5) for page in ("change", "progress", "comparison")),
    *(Address("admin:activations_change_change", f"/admin/activations/change/{pk}/change/")
      for pk in (2, 3, 4, 11, 21, 22, 31, 41)),
    Address("admin:activations_activation_review", "/admin/activations/activation/1/review/?run=2"),
    Address("api:run-comparison", "/api/runs/2/comparison/"),
    Address("api:editor-test", "/api/editor/tests/5/"),
]  # fmt: skip
"""Other examples than the first ones."""
FOUND_BY = [
    "/admin/activations/change/?q=Ada",
    f"/admin/activations/change/?q={CANARY[:6]}",
    "/admin/activations/run/1/change/?q=Ada",
    "/api/search/?q=Ada",
    f"/api/search/?q={CANARY[:6]}",
]
"""Searches and filters by values, whose answers name the key if they find something."""


def _everything() -> Iterator[tuple[str, Address]]:
    for address in addresses():
        # Signing in and one's own account have tests of their own.
        if address.name != SIGN_OUT and ENTRY_POINTS[address.name].get != ACCOUNT:
            yield from ((method, address) for method in METHODS)
    for address in MORE:
        yield "GET", address


def text_of(answer: Any) -> str:
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return str(content.decode(errors="replace")) + answer.headers.get("Location", "")


@pytest.mark.parametrize("path", FOUND_BY)
def test_no_search_finds_a_record_by_a_value_that_is_hidden(installation: Activation, path: str) -> None:
    address = Address("", path)
    viewer, admin = (browser_of(person) for person in PEOPLE if person.name in ("viewer", "admin"))
    link = "/admin/activations/change/of/1/"
    assert link not in text_of(requested(viewer, "GET", address))
    assert link in text_of(requested(admin, "GET", address))
