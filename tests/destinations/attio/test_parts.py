"""Mapping the parts of a location or a name separately: Attio gets one value, and unmapped parts stay."""

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
from tests.destinations.lookups import ids

if TYPE_CHECKING:
    from destinations.services.attio.client import Client
    from destinations.services.attio.companies import AttioCompanies
    from destinations.services.attio.sandbox.server import AttioSandbox

Api = Callable[..., requests.Response]
Write = Callable[..., Outcome]
NO_LOCATION: dict[str, Any] = dict.fromkeys(LOCATION_KEYS)
PARIS = {**NO_LOCATION, "line_1": "1 rue de Rivoli", "locality": "Paris", "postcode": "75001", "country_code": "FR"}


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
    """The ID of a company in Paris that already exists in Attio."""
    body = {"data": {"values": {"domains": ["acme.com"], "name": "Acme", "primary_location": PARIS}}}
    record_id = api("POST", "/objects/companies/records", body).json()["data"]["id"]["record_id"]
    sandbox.log.clear()
    return str(record_id)


def stored_location(sandbox: AttioSandbox) -> Any:
    return record(sandbox, "acme.com")["values"].get("primary_location")


@pytest.mark.parametrize(
    ("key", "value", "wire"),
    [
        ("locality", " Paris ", "Paris"),
        ("postcode", 75001, "75001"),
        ("postcode", 75001.0, "75001"),
        ("postcode", Decimal("75001.00"), "75001"),
        ("country_code", "fr", "FR"),
        ("country_code", "UK", "GB"),
        ("country_code", "USA", "US"),
        ("country_code", "gbr", "GB"),
        ("country_code", "United States", "US"),
        ("country_code", "France", "FR"),
        ("latitude", 48.85, "48.85"),
        ("latitude", "007.50", "7.50"),
        ("longitude", Decimal("-0.5"), "-0.5"),
        ("longitude", 0, "0"),
    ],
)
def test_part_conversion(service: AttioCompanies, key: str, value: Any, wire: str) -> None:
    assert service.convert(part(key), value) == wire


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("country_code", "Atlantis"),
        ("country_code", "XX"),
        ("country_code", "EU"),
        ("latitude", 91),
        ("longitude", "180.1"),
        ("latitude", "north"),
        ("locality", True),
        ("locality", ["a", "b"]),
        ("locality", {"locality": "Paris"}),
        ("postcode", float("nan")),
        ("postcode", Decimal("sNaN")),
    ],
)
def test_invalid_part_is_rejected_under_its_own_name(service: AttioCompanies, key: str, value: Any) -> None:
    with pytest.raises(Rejected) as rejection:
        service.convert(part(key), value)
    assert rejection.value.field == f"thing.{key}"
    assert "Atl" not in rejection.value.message


@pytest.mark.parametrize("verb", [Verb.UPSERT, Verb.CREATE])
def test_new_company_gets_one_whole_location(write: Write, sandbox: AttioSandbox, verb: Verb) -> None:
    outcome = write(verb, {"name": "Acme", "locality": "Paris", "country_code": "FR"})
    location = {**NO_LOCATION, "locality": "Paris", "country_code": "FR"}
    assert [values for _, values in sent(sandbox)] == [
        {"domains": ["acme.com"], "name": "Acme", "primary_location": location}
    ]
    assert outcome.sent == ("domains", "name", "primary_location.locality", "primary_location.country_code")


def test_existing_company_keeps_unmapped_parts(
    write: Write, sandbox: AttioSandbox, gate: CountingGate, known: str
) -> None:
    outcome = write(
        Verb.UPDATE, {"name": "Acme", "locality": "Lyon", "postcode": "69001"}, changed="locality", remote_id=known
    )
    whole = {**PARIS, "locality": "Lyon", "postcode": "69001"}
    assert sent(sandbox) == [("PUT", {"primary_location": whole})]
    assert gate.passed == [Purpose.LOOKUP, Purpose.WRITE]
    assert outcome.sent == ("primary_location.locality", "primary_location.postcode")
    assert stored_location(sandbox) == whole


def test_first_upsert_keeps_unmapped_parts(write: Write, sandbox: AttioSandbox, known: str) -> None:
    assert write(Verb.UPSERT, {"locality": "Lyon"}).remote_id == known
    assert stored_location(sandbox) == {**PARIS, "locality": "Lyon"}


def test_nothing_is_read_if_all_parts_are_mapped(
    write: Write, sandbox: AttioSandbox, gate: CountingGate, known: str
) -> None:
    write(Verb.UPDATE, {**NO_LOCATION, "locality": "Lyon"}, changed="locality", remote_id=known)
    assert gate.passed == [Purpose.WRITE]
    assert stored_location(sandbox) == {**NO_LOCATION, "locality": "Lyon"}


def test_unchanged_location_is_neither_read_nor_sent(
    write: Write, sandbox: AttioSandbox, gate: CountingGate, known: str
) -> None:
    write(Verb.UPDATE, {"name": "Acme Ltd", "locality": "Paris"}, changed="name", remote_id=known)
    assert sent(sandbox) == [("PUT", {"name": "Acme Ltd"})]
    assert gate.passed == [Purpose.WRITE]


def test_clearing_the_last_part_clears_the_location(write: Write, sandbox: AttioSandbox, known: str) -> None:
    write(Verb.UPDATE, {"postcode": []}, changed="postcode", remote_id=known)
    assert stored_location(sandbox) == {**PARIS, "postcode": None}
    cleared: dict[str, Any] = {"line_1": [], "locality": [], "postcode": [], "country_code": []}
    write(Verb.UPDATE, cleared, changed="line_1", remote_id=known)
    assert stored_location(sandbox) is None


def test_new_domain_and_new_part_share_one_patch(write: Write, sandbox: AttioSandbox, known: str) -> None:
    write(Verb.UPDATE, {"locality": "Lyon"}, changed="domains locality", remote_id=known, domain="acme.io")
    assert [method for method, _ in sent(sandbox)] == ["PATCH"]
    assert stored_location(sandbox) == {**PARIS, "locality": "Lyon"}


def test_update_of_a_merging_company_waits_and_of_a_deleted_one_is_gone(
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


def test_location_cannot_be_mapped_both_whole_and_by_parts(service: AttioCompanies) -> None:
    ((name, message),) = service.contradictions(["name", "primary_location", "primary_location.locality"])
    assert name == "primary_location"
    assert "both as a whole and by its parts: primary_location.locality. Remove" in message
    assert not list(service.contradictions(["primary_location.locality", "primary_location.region", "name"]))
    assert not list(service.contradictions(["primary_location", "name"]))


def test_record_is_read_first_only_if_some_parts_are_unmapped(service: AttioCompanies) -> None:
    assert service.reads_first(["name", "primary_location.locality"])
    assert not service.reads_first(["name", "primary_location"])
    assert not service.reads_first([f"primary_location.{key}" for key in NO_LOCATION])


def test_lookup_result_saves_reading_the_record_once(
    write: Write, sandbox: AttioSandbox, service: AttioCompanies, client: Client, gate: CountingGate, known: str
) -> None:
    domains = Field("domains", "Domains", "domain", multiple=True)
    assert ids(service.find(client, domains, ["acme.com", "new.com"])) == {"acme.com": known}
    gate.passed.clear()
    write(Verb.UPSERT, {"locality": "Lyon"})
    write(Verb.UPSERT, {"locality": "Rome"}, domain="new.com")
    assert gate.passed == [Purpose.WRITE, Purpose.WRITE]
    assert stored_location(sandbox) == {**PARIS, "locality": "Lyon"}
    write(Verb.UPSERT, {"locality": "Nice"})
    assert gate.passed == [Purpose.WRITE, Purpose.WRITE, Purpose.LOOKUP, Purpose.WRITE], (
        "a lookup result is used for one write only"
    )


def test_full_name_is_derived_from_its_parts() -> None:
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
