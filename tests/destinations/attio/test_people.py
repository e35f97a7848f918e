"""The service for people, who are matched by email address."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Rejected
from destinations.contract import Field, Operation, Outcome, Verb
from destinations.services.attio.people import AttioPeople
from tests.destinations.attio.conftest import record, sent

if TYPE_CHECKING:
    from destinations.services.attio.client import Client
    from destinations.services.attio.sandbox.server import AttioSandbox

Write = Callable[..., Outcome]


@pytest.fixture
def people() -> AttioPeople:
    return AttioPeople()


@pytest.fixture
def fields(client: Client, people: AttioPeople, sandbox: AttioSandbox) -> dict[str, Field]:
    fields = {field.name: field for field in people.fields(client)}
    sandbox.log.clear()
    return fields


@pytest.fixture
def upsert(client: Client, people: AttioPeople, fields: dict[str, Field]) -> Write:
    """Upserts one person from source values by attribute."""

    def send(email: str, **columns: Any) -> Outcome:
        values = {name.replace("__", "."): value for name, value in columns.items()}
        wires = {name: people.convert(fields[name], value) for name, value in values.items()}
        match = people.convert(fields["email_addresses"], email)
        return people.write(client, Operation(Verb.UPSERT, "email_addresses", match, wires))

    return send


def person(sandbox: AttioSandbox) -> dict[str, Any]:
    (entry,) = sandbox.state()["people"]
    return dict(entry["values"])


def test_person_gets_name_phone_numbers_and_company(
    upsert: Write, api: Callable[..., Any], sandbox: AttioSandbox
) -> None:
    api("POST", "/objects/companies/records", {"data": {"values": {"domains": ["acme.com"]}}})
    upsert(
        "Ada@Acme.com",
        name="Lovelace, Ada",
        phone_numbers="+33 1 42 68 53 00; +44 20 7946 0958",
        company="https://acme.com/",
    )
    assert person(sandbox) == {
        "email_addresses": ["ada@acme.com"],
        "name": {"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"},
        "phone_numbers": ["+33142685300", "+442079460958"],
        "company": record(sandbox, "acme.com")["id"],
    }


def test_name_parts_can_be_mapped_together_or_alone(upsert: Write, sandbox: AttioSandbox) -> None:
    upsert("ada@acme.com", name__first_name="Ada", name__last_name="King")
    assert [values["name"]["full_name"] for _, values in sent(sandbox)] == ["Ada King"]
    upsert("ada@acme.com", name__last_name="Lovelace")
    assert person(sandbox)["name"] == {"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"}


def test_person_is_found_by_each_email_address(upsert: Write, sandbox: AttioSandbox) -> None:
    first = upsert("ada@acme.com, ada@home.net", job_title="Analyst")
    second = upsert("ADA@home.net", job_title="Countess")
    assert first.remote_id == second.remote_id
    assert person(sandbox)["email_addresses"] == ["ada@acme.com", "ada@home.net"]


def test_invalid_email_address_is_rejected_and_its_attribute_named(upsert: Write, sandbox: AttioSandbox) -> None:
    with pytest.raises(Rejected) as rejection:
        upsert("ada@acme.example", job_title="Analyst")
    assert rejection.value.field == "email_addresses"
    assert "ada@" not in rejection.value.message
    assert sandbox.state()["people"] == []


def test_company_that_attio_created_from_an_email_is_found_by_the_next_upsert(
    upsert: Write, switch: Callable[..., None], sandbox: AttioSandbox, client: Client, service: Any
) -> None:
    switch(companies_from_emails=True)
    upsert("ada@acme.com")
    service.write(client, Operation(Verb.UPSERT, "domains", ["acme.com"], {"name": "Acme"}))
    assert [entry["values"]["name"] for entry in sandbox.state()["records"]] == ["Acme"]
