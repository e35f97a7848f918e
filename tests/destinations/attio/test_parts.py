"""Columns of their own for the parts of a location or a name: one value at Attio, of which unmapped parts stay."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
import requests

from core.errors import Rejected, Unavailable
from destinations.contract import Field, Operation, Outcome, Purpose, Result, Verb
from destinations.services.attio import compound_parts
from destinations.services.attio.values.compounds import LOCATION_KEYS
from tests.destinations.attio.conftest import CountingGate, record, sent

if TYPE_CHECKING:
    from destinations.services.attio.client import Client
    from destinations.services.attio.companies import AttioCompanies
    from destinations.services.attio.sandbox.server import AttioSandbox

Api = Callable[..., requests.Response]
Write = Callable[..., Outcome]
NOWHERE: dict[str, Any] = dict.fromkeys(LOCATION_KEYS)
PARIS = {**NOWHERE, "line_1": "1 rue de Rivoli", "locality": "Paris", "postcode": "75001", "country_code": "FR"}


def part(key: str, of: str = "location") -> Field:
    return next(field for field in compound_parts.fields(Field("thing", "Thing", of)) if field.config["part"] == key)


@pytest.fixture
def write(client: Client, service: AttioCompanies) -> Write:
    """Writes one company with parts of its location."""

    def send(
        verb: Verb, values: dict[str, Any], *, changed: str = "", remote_id: str = "", domain: str = "acme.com"
    ) -> Outcome:
        named = {f"primary_location.{key}" if key in LOCATION_KEYS else key: wire for key, wire in values.items()}
        names = frozenset(f"primary_location.{key}" if key in LOCATION_KEYS else key for key in changed.split())
        return service.write(client, Operation(verb, "domains", [domain], named, names, remote_id=remote_id))

    return send


@pytest.fixture
def known(api: Api, sandbox: AttioSandbox) -> str:
    """A company in Paris that Attio has."""
    body = {"data": {"values": {"domains": ["acme.com"], "name": "Acme", "primary_location": PARIS}}}
    made = api("POST", "/objects/companies/records", body).json()["data"]["id"]["record_id"]
    sandbox.log.clear()
    return str(made)


def place(sandbox: AttioSandbox) -> Any:
    return record(sandbox, "acme.com")["values"].get("primary_location")


@pytest.mark.parametrize(
    ("key", "value", "wire"),
    [
        ("locality", " Paris ", "Paris"),
        ("postcode", 75001, "75001"),
        ("postcode", 75001.0, "75001"),
        ("postcode", Decimal("75001.00"), "75001"),
        ("country_code", "fr", "FR"),
        ("latitude", 48.85, "48.85"),
        ("latitude", "007.50", "7.50"),
        ("longitude", Decimal("-0.5"), "-0.5"),
        ("longitude", 0, "0"),
    ],
)
def test_what_a_part_becomes(service: AttioCompanies, key: str, value: Any, wire: str) -> None:
    assert service.convert(part(key), value) == wire


@pytest.mark.parametrize(
    ("key", "value"),
    [("country_code", "France"), ("latitude", 91), ("longitude", "180.1"), ("latitude", "north"), ("locality", True),
     ("locality", ["a", "b"]), ("locality", {"locality": "Paris"}), ("postcode", float("nan")), ("postcode", Decimal("sNaN"))],
)  # fmt: skip
def test_a_part_that_does_not_fit_is_refused_by_its_own_name(service: AttioCompanies, key: str, value: Any) -> None:
    with pytest.raises(Rejected) as refusal:
        service.convert(part(key), value)
    assert refusal.value.field == f"thing.{key}"
    assert "Fran" not in refusal.value.message


@pytest.mark.parametrize("verb", [Verb.UPSERT, Verb.CREATE])
def test_parts_of_a_new_company_are_one_whole_location(write: Write, sandbox: AttioSandbox, verb: Verb) -> None:
    outcome = write(verb, {"name": "Acme", "locality": "Paris", "country_code": "FR"})
    wanted = {**NOWHERE, "locality": "Paris", "country_code": "FR"}
    assert [values for _, values in sent(sandbox)] == [
        {"domains": ["acme.com"], "name": "Acme", "primary_location": wanted}
    ]
    assert outcome.sent == ("domains", "name", "primary_location.locality", "primary_location.country_code")


def test_a_company_that_attio_has_keeps_the_parts_that_are_not_mapped(
    write: Write, sandbox: AttioSandbox, gate: CountingGate, known: str
) -> None:
    outcome = write(
        Verb.UPDATE, {"name": "Acme", "locality": "Lyon", "postcode": "69001"}, changed="locality", remote_id=known
    )
    whole = {**PARIS, "locality": "Lyon", "postcode": "69001"}
    assert sent(sandbox) == [("PUT", {"primary_location": whole})]
    assert gate.passed == [Purpose.LOOKUP, Purpose.WRITE]
    assert outcome.sent == ("primary_location.locality", "primary_location.postcode")
    assert place(sandbox) == whole


def test_a_first_upsert_keeps_them_too(write: Write, sandbox: AttioSandbox, known: str) -> None:
    assert write(Verb.UPSERT, {"locality": "Lyon"}).remote_id == known
    assert place(sandbox) == {**PARIS, "locality": "Lyon"}


def test_nothing_is_read_where_all_parts_are_mapped(
    write: Write, sandbox: AttioSandbox, gate: CountingGate, known: str
) -> None:
    write(Verb.UPDATE, {**NOWHERE, "locality": "Lyon"}, changed="locality", remote_id=known)
    assert gate.passed == [Purpose.WRITE]
    assert place(sandbox) == {**NOWHERE, "locality": "Lyon"}


def test_a_location_that_did_not_change_is_neither_read_nor_sent(
    write: Write, sandbox: AttioSandbox, gate: CountingGate, known: str
) -> None:
    write(Verb.UPDATE, {"name": "Acme Ltd", "locality": "Paris"}, changed="name", remote_id=known)
    assert sent(sandbox) == [("PUT", {"name": "Acme Ltd"})]
    assert gate.passed == [Purpose.WRITE]


def test_a_part_is_cleared_alone_and_the_last_one_clears_the_location(
    write: Write, sandbox: AttioSandbox, known: str
) -> None:
    write(Verb.UPDATE, {"postcode": []}, changed="postcode", remote_id=known)
    assert place(sandbox) == {**PARIS, "postcode": None}
    cleared: dict[str, Any] = {"line_1": [], "locality": [], "postcode": [], "country_code": []}
    write(Verb.UPDATE, cleared, changed="line_1", remote_id=known)
    assert place(sandbox) is None


def test_a_new_domain_and_a_new_part_are_one_patch(write: Write, sandbox: AttioSandbox, known: str) -> None:
    write(Verb.UPDATE, {"locality": "Lyon"}, changed="domains locality", remote_id=known, domain="acme.io")
    assert [method for method, _ in sent(sandbox)] == ["PATCH"]
    assert place(sandbox) == {**PARIS, "locality": "Lyon"}


def test_a_company_that_is_gone_is_gone_and_one_that_is_merging_waits(
    write: Write, api: Api, switch: Callable[..., None], known: str
) -> None:
    switch(merging=[known])
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPDATE, {"locality": "Lyon"}, changed="locality", remote_id=known)
    assert problem.value.code == "merge_in_progress"
    assert not problem.value.ambiguous
    switch(merging=[])
    api("DELETE", f"/objects/companies/records/{known}")
    assert write(Verb.UPDATE, {"locality": "Lyon"}, changed="locality", remote_id=known).result is Result.GONE


def test_a_location_can_not_be_mapped_whole_and_by_parts(service: AttioCompanies) -> None:
    ((name, words),) = service.contradictions(["name", "primary_location", "primary_location.locality"])
    assert name == "primary_location"
    assert "both as a whole and by its parts: primary_location.locality. Remove" in words
    assert not list(service.contradictions(["primary_location.locality", "primary_location.region", "name"]))
    assert not list(service.contradictions(["primary_location", "name"]))


def test_only_some_of_the_parts_have_to_be_read_first(service: AttioCompanies) -> None:
    assert service.reads_first(["name", "primary_location.locality"])
    assert not service.reads_first(["name", "primary_location"])
    assert not service.reads_first([f"primary_location.{key}" for key in NOWHERE])


def test_what_a_look_up_saw_is_not_read_again(
    write: Write, sandbox: AttioSandbox, service: AttioCompanies, client: Client, gate: CountingGate, known: str
) -> None:
    domains = Field("domains", "Domains", "domain", multiple=True)
    assert service.find(client, domains, ["acme.com", "new.com"]) == {"acme.com": known}
    gate.passed.clear()
    write(Verb.UPSERT, {"locality": "Lyon"})
    write(Verb.UPSERT, {"locality": "Rome"}, domain="new.com")
    assert gate.passed == [Purpose.WRITE, Purpose.WRITE]
    assert place(sandbox) == {**PARIS, "locality": "Lyon"}
    write(Verb.UPSERT, {"locality": "Nice"})
    assert gate.passed == [Purpose.WRITE, Purpose.WRITE, Purpose.LOOKUP, Purpose.WRITE], (
        "what was seen once is good for one write"
    )


def test_a_name_of_parts_gets_its_full_name() -> None:
    assert [field.name for field in compound_parts.fields(Field("name", "Name", "personal-name"))] == [
        "name.first_name",
        "name.last_name",
    ]
    (name,) = compound_parts.group_parts({"name.last_name": "Lovelace"})
    assert not name.is_complete
    assert name.merge({"first_name": "Ada", "last_name": "King", "full_name": "Ada King"}) == {
        "first_name": "Ada",
        "last_name": "Lovelace",
        "full_name": "Ada Lovelace",
    }
