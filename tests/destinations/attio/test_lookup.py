"""Finding companies by their match values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from core.errors import Misconfigured, Unavailable
from destinations.contract import Field, Operation, Purpose, Verb
from destinations.sandbox.wire import Fault
from tests.destinations.lookups import ids

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from destinations.services.attio.client import Client
    from destinations.services.attio.companies import AttioCompanies
    from destinations.services.attio.sandbox.server import AttioSandbox
    from tests.destinations.attio.conftest import CountingGate, Write

pytestmark = pytest.mark.usefixtures("fields")


def test_find_sends_one_query_and_returns_existing_records(
    write: Write,
    service: AttioCompanies,
    client: Client,
    fields: dict[str, Field],
    sandbox: AttioSandbox,
    gate: CountingGate,
) -> None:
    known = {domain: write(Verb.UPSERT, domain, {}).remote_id for domain in ("acme.com", "other.com", "unasked.com")}
    service.write(client, Operation(Verb.UPSERT, "domains", ["acme.com", "acme.io"], {}))
    sandbox.log.clear()
    gate.passed.clear()
    found = service.find(client, fields["domains"], ["acme.com", "acme.io", "other.com", "nowhere.com", "acme.com"])
    assert ids(found) == {"acme.com": known["acme.com"], "acme.io": known["acme.com"], "other.com": known["other.com"]}
    assert gate.passed == [Purpose.LOOKUP]
    body = sandbox.log[0]["body"]
    assert body["limit"] == 500
    assert body["filter"]["$or"][0] == {"domains": {"domain": {"$eq": "acme.com"}}}
    assert [clause["domains"]["domain"]["$eq"] for clause in body["filter"]["$or"] if "www." not in str(clause)] == [
        "acme.com",
        "acme.io",
        "other.com",
        "nowhere.com",
    ]


def test_find_without_identities_sends_nothing(
    service: AttioCompanies, client: Client, fields: dict[str, Field], gate: CountingGate
) -> None:
    assert service.find(client, fields["domains"], []) == {}
    assert gate.passed == []


def test_international_domain_is_found_in_either_form(
    service: AttioCompanies, client: Client, fields: dict[str, Field], api: Callable[..., requests.Response]
) -> None:
    api("POST", "/objects/companies/records", {"data": {"values": {"domains": ["Müller.de"]}}})
    identity = service.identity(fields["domains"], service.convert(fields["domains"], "müller.de"))
    assert list(service.find(client, fields["domains"], [identity])) == ["xn--mller-kva.de"]


@pytest.mark.parametrize("strips_www", [True, False])
def test_company_with_www_is_found_in_either_form(
    service: AttioCompanies,
    client: Client,
    fields: dict[str, Field],
    api: Callable[..., requests.Response],
    switch: Callable[..., None],
    strips_www: bool,
) -> None:
    switch(strips_www=strips_www)
    created = api("POST", "/objects/companies/records", {"data": {"values": {"domains": ["www.acme.com"]}}}).json()[
        "data"
    ]
    assert ids(service.find(client, fields["domains"], ["acme.com"])) == {"acme.com": created["id"]["record_id"]}


def test_company_without_www_takes_precedence(
    service: AttioCompanies, client: Client, fields: dict[str, Field], api: Callable[..., requests.Response]
) -> None:
    created = {
        domain: api("POST", "/objects/companies/records", {"data": {"values": {"domains": [domain]}}}).json()["data"][
            "id"
        ]["record_id"]
        for domain in ("www.acme.com", "acme.com")
    }
    assert ids(service.find(client, fields["domains"], ["acme.com"])) == {"acme.com": created["acme.com"]}


def test_value_that_attio_rejects_in_a_lookup_does_not_hide_others(
    service: AttioCompanies, client: Client, fields: dict[str, Field], write: Write, sandbox: AttioSandbox
) -> None:
    known = write(Verb.UPSERT, "acme.com", {}).remote_id
    rejection = {"status_code": 400, "type": "invalid_request_error", "code": "validation_type", "message": "Invalid."}
    sandbox.faults.append(
        Fault("reply", path="/query$", body_contains='"odd.com"', times=99, status=400, body=rejection)
    )
    assert ids(service.find(client, fields["domains"], ["odd.com", "a.com", "acme.com", "b.com"])) == {
        "acme.com": known
    }


def test_lookup_that_is_too_complex_shrinks_until_it_succeeds(
    service: AttioCompanies, client: Client, fields: dict[str, Field], write: Write, switch: Callable[..., None]
) -> None:
    known = write(Verb.UPSERT, "acme49.com", {}).remote_id
    switch(query_clauses=12)
    wanted = [f"acme{number}.com" for number in range(50)]
    throttled = 0
    while client.lookup_batch.size > 6:
        with pytest.raises(Unavailable) as problem:
            service.find(client, fields["domains"], wanted)
        assert problem.value.throttled
        throttled += 1
    assert throttled == 6
    assert ids(service.find(client, fields["domains"], wanted[-6:])) == {"acme49.com": known}


def test_single_throttled_lookup_keeps_its_size(
    service: AttioCompanies, client: Client, fields: dict[str, Field], sandbox: AttioSandbox, gate: CountingGate
) -> None:
    sandbox.faults.append(Fault("reply", path="/query$", status=429, body={}))
    with pytest.raises(Unavailable):
        service.find(client, fields["domains"], ["acme.com"])
    service.find(client, fields["domains"], [f"acme{number}.com" for number in range(50)])
    assert gate.passed == [Purpose.LOOKUP] * 2


@pytest.mark.parametrize("code", ["invalid_filter_of_the_future", "a_code_of_the_future", "filter_error"])
def test_lookup_rejected_as_a_whole_stops_the_run(
    service: AttioCompanies, client: Client, fields: dict[str, Field], sandbox: AttioSandbox, code: str
) -> None:
    sandbox.faults.append(Fault("reply", path="/query$", status=400, body={"code": code, "message": "No."}))
    with pytest.raises(Misconfigured) as problem:
        service.find(client, fields["domains"], ["acme.com", "other.com"])
    assert problem.value.code == code


def test_find_by_a_different_unique_attribute(
    service: AttioCompanies, client: Client, switch: Callable[..., None], api: Callable[..., requests.Response]
) -> None:
    switch(
        attributes=[
            {"api_slug": "vat", "type": "text", "is_unique": True},
            {"api_slug": "number", "type": "number", "is_unique": True},
        ]
    )
    api("POST", "/objects/companies/records", {"data": {"values": {"vat": "FR1", "number": 7}}})
    found = {field.name: field for field in service.fields(client)}
    assert list(service.find(client, found["vat"], ["FR1", "fr1"])) == ["FR1"]
    assert list(service.find(client, found["number"], ["7", "8"])) == ["7"]


def test_lookup_failures_are_never_ambiguous(
    service: AttioCompanies, client: Client, fields: dict[str, Field], sandbox: AttioSandbox
) -> None:
    for fault in (Fault("cut"), Fault("reply", status=500), Fault("reply", status=200, body="<html>")):
        sandbox.faults.append(fault)
        with pytest.raises(Unavailable) as problem:
            service.find(client, fields["domains"], ["acme.com"])
        assert not problem.value.ambiguous
