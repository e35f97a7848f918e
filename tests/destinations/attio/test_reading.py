"""What a record in Attio holds: the value as people read it, and who set it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from destinations.contract import Author, Field, Writer
from destinations.services.attio.values.reading import author, shown

if TYPE_CHECKING:
    from destinations.sandbox.http_server import Server
    from destinations.services.attio.sandbox.server import AttioSandbox

AT = "2026-05-15T21:48:19.187000000Z"
MOMENT = datetime(2026, 5, 15, 21, 48, 19, 187000, UTC)


def entry(actor: str = "api-token", identifier: str | None = "t1", at: str = AT, **data: Any) -> dict[str, Any]:
    return {
        "active_from": at, "active_until": None, "created_by_actor": {"type": actor, "id": identifier}, **data
    }  # fmt: skip


@pytest.mark.parametrize(
    ("type_name", "data", "text"),
    [
        ("text", {"value": "Acme"}, "Acme"),
        ("number", {"value": 0}, 0),
        ("checkbox", {"value": False}, False),
        ("currency", {"currency_value": 12.5, "currency_code": "USD"}, 12.5),
        ("date", {"value": "2024-02-29"}, "2024-02-29"),
        ("timestamp", {"value": "2024-02-29T22:30:00.000000000Z"}, "2024-02-29T22:30:00Z"),
        ("select", {"option": {"id": {"option_id": "o1"}, "title": "Gold"}}, "Gold"),
        ("status", {"status": {"id": {"status_id": "s1"}, "title": "Open"}}, "Open"),
        ("domain", {"domain": "acme.com", "root_domain": "acme.com"}, "acme.com"),
        ("email-address", {"email_address": "ada@acme.com", "email_domain": "acme.com"}, "ada@acme.com"),
        ("phone-number", {"original_phone_number": "01 42", "phone_number": "+33142"}, "+33142"),
        ("location", {"line_1": None, "locality": "Paris", "country_code": "FR"}, "Paris, FR"),
        ("personal-name", {"first_name": "Zoë", "last_name": "Q", "full_name": "Zoë Q"}, "Zoë Q"),
        ("record-reference", {"target_object": "people", "target_record_id": "r1"}, "r1"),
        ("actor-reference", {"referenced_actor_type": "workspace-member", "referenced_actor_id": "m1"}, "m1"),
    ],
)  # fmt: skip
def test_values_of_every_type_are_shown_as_people_read_them(type_name: str, data: dict[str, Any], text: Any) -> None:
    values = {"a": [entry(**data)]}
    assert shown(Field("a", "A", type_name), values) == text
    assert shown(Field("a", "A", type_name, multiple=True), values) == [text]


def test_part_of_a_location_is_read_alone() -> None:
    values = {"place": [entry(locality="Paris", region=None)]}
    assert shown(Field("place.locality", "", "location"), values) == "Paris"
    assert shown(Field("place.region", "", "location"), values) is None
    assert shown(Field("place.locality", "", "location"), {"place": []}) is None


@pytest.mark.parametrize(
    ("actor", "identifier", "writer"),
    [
        ("workspace-member", "m1", Writer.PERSON),
        ("api-token", "t1", Writer.INTEGRATION),
        ("app", "a1", Writer.INTEGRATION),
        ("system", None, Writer.VENDOR),
        ("robot", "r1", Writer.UNKNOWN),
    ],
)
def test_author_is_the_actor_who_wrote_the_value(actor: str, identifier: str | None, writer: Writer) -> None:
    values = {"a": [entry(actor, identifier, value="x")]}
    assert author(Field("a", "A", "text"), values) == Author(writer, identifier or "", MOMENT)


def test_author_of_a_list_is_that_of_its_newest_value() -> None:
    values = {"a": [entry(at="2026-05-16T00:00:00.000000000Z", actor="workspace-member"), entry()]}
    found = author(Field("a", "A", "text", multiple=True), values)
    assert found is not None
    assert found.writer is Writer.PERSON


def test_nobody_is_the_author_of_what_is_not_there() -> None:
    assert author(Field("a", "A", "text"), {"a": []}) is None
    assert author(Field("a", "A", "text"), {"a": [{"value": "x"}]}) is None


def test_simulator_names_who_edited_a_value(server: Server, sandbox: AttioSandbox) -> None:
    sandbox._switch({"records": {"companies": [{"domains": ["acme.com"], "name": "Acme"}]}})
    (known,) = sandbox.collections()["companies"].records

    def edited(by: str, name: str) -> Author | None:
        sent = {"kind": "companies", "id": known, "values": {"name": name}, "by": by}
        assert requests.post(f"{server.url}/_sandbox/edit", json=sent, timeout=10).status_code == 200
        values = sandbox.workspace.stores["companies"].described(sandbox.collections()["companies"].records[known], "")
        field = Field("name", "Name", "text")
        assert shown(field, values["values"]) == name
        return author(field, values["values"])

    writers = {by: edited(by, f"Acme {by}") for by in ("person", "integration", "vendor")}
    assert {by: found.writer for by, found in writers.items() if found} == {
        "person": Writer.PERSON, "integration": Writer.INTEGRATION, "vendor": Writer.VENDOR
    }  # fmt: skip


@pytest.mark.parametrize(
    "sent",
    [
        {"kind": "companies", "id": "nobody", "values": {"name": "x"}},
        {"kind": "companies", "id": "known", "values": {"no_such": "x"}},
        {"kind": "companies", "id": "known", "values": {"name": 12}},
        {"kind": "companies", "id": "known", "values": {"name": "x"}, "by": "robot"},
        {"kind": "companies"},
    ],
)
def test_impossible_edits_are_refused(server: Server, sandbox: AttioSandbox, sent: dict[str, Any]) -> None:
    sandbox._switch({"records": {"companies": [{"domains": ["acme.com"], "name": "Acme"}]}})
    (known,) = sandbox.collections()["companies"].records
    before = sandbox.state()
    sent = {**sent, "id": known if sent.get("id") == "known" else sent.get("id")}
    assert requests.post(f"{server.url}/_sandbox/edit", json=sent, timeout=10).status_code == 400
    assert sandbox.state() == before
