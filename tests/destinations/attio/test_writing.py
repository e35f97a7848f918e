"""Creating and updating companies: the requests that are sent, and the records that result."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from core.errors import Rejected
from destinations.contract import Field, Operation, Purpose, Result, Verb
from destinations.sandbox.wire import Fault
from tests.destinations.attio.conftest import CountingGate, Write, record, sent

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests

    from destinations.services.attio.client import Client
    from destinations.services.attio.companies import AttioCompanies
    from destinations.services.attio.sandbox.server import AttioSandbox

pytestmark = pytest.mark.usefixtures("fields")


def test_upsert_is_one_put_that_creates(write: Write, sandbox: AttioSandbox, gate: CountingGate) -> None:
    before = datetime.now(UTC)
    outcome = write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["SAAS"], "description": []})
    assert sent(sandbox) == [
        ("PUT", {"domains": ["acme.com"], "name": "Acme", "categories": ["SAAS"], "description": []})
    ]
    assert sandbox.log[0]["query"] == {"matching_attribute": "domains"}
    assert gate.passed == [Purpose.WRITE]
    assert outcome.result is Result.ACCEPTED
    assert outcome.remote_id == record(sandbox, "acme.com")["id"]
    assert outcome.sent == ("domains", "name", "categories", "description")
    assert uuid.UUID(outcome.request_id)
    assert outcome.created_at is not None
    assert abs(outcome.created_at - before) < timedelta(seconds=5)
    assert outcome.web_url.endswith(outcome.remote_id)


def test_upserting_twice_keeps_one_record(write: Write, sandbox: AttioSandbox) -> None:
    first = write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    second = write(Verb.UPSERT, "acme.com", {"name": "Acme Ltd"})
    assert first.remote_id == second.remote_id
    assert first.created_at == second.created_at
    assert [entry["values"]["name"] for entry in sandbox.state()["records"]] == ["Acme Ltd"]


def test_upsert_replaces_lists_and_leaves_unsent_attributes_alone(write: Write, sandbox: AttioSandbox) -> None:
    write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["SAAS", "B2B"]})
    write(Verb.UPSERT, "acme.com", {"categories": ["Banking & Mortgages"]})
    assert record(sandbox, "acme.com")["values"] == {
        "domains": ["acme.com"],
        "name": "Acme",
        "categories": ["Banking & Mortgages"],
    }


def test_upsert_that_adds_to_a_list_sends_an_additional_patch(write: Write, sandbox: AttioSandbox) -> None:
    write(Verb.UPSERT, "acme.com", {"categories": ["SAAS"]})
    sandbox.log.clear()
    outcome = write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["B2B"]}, add="categories")
    assert sent(sandbox) == [("PUT", {"domains": ["acme.com"], "name": "Acme"}), ("PATCH", {"categories": ["B2B"]})]
    assert set(record(sandbox, "acme.com")["values"]["categories"]) == {"B2B", "SAAS"}
    assert outcome.sent == ("domains", "name", "categories")


def test_adding_nothing_sends_no_patch(write: Write, sandbox: AttioSandbox) -> None:
    write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": []}, add="categories")
    assert [method for method, _ in sent(sandbox)] == ["PUT"]


def test_upsert_is_rejected_if_its_addition_is_rejected(write: Write, sandbox: AttioSandbox) -> None:
    with pytest.raises(Rejected):
        write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["Unheard of"]}, add="categories")


def test_update_sends_only_changed_values(write: Write, sandbox: AttioSandbox) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["SAAS"], "twitter": "@acme"})
    sandbox.log.clear()
    values = {"name": "Acme Ltd", "categories": ["B2B"], "twitter": "@acme"}
    outcome = write(Verb.UPDATE, "acme.com", values, changed="name categories", remote_id=known.remote_id)
    assert sent(sandbox) == [("PUT", {"name": "Acme Ltd", "categories": ["B2B"]})]
    assert sandbox.log[0]["path"].endswith(f"/records/{known.remote_id}")
    assert outcome.remote_id == known.remote_id
    assert outcome.sent == ("categories", "name")
    assert record(sandbox, "acme.com")["values"]["categories"] == ["B2B"]


def test_update_clears_with_an_empty_list_and_never_null(write: Write, sandbox: AttioSandbox) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["SAAS"]})
    write(Verb.UPDATE, "acme.com", {"name": [], "categories": []}, changed="name categories", remote_id=known.remote_id)
    assert record(sandbox, "acme.com")["values"] == {"domains": ["acme.com"]}


@pytest.mark.parametrize("unclearable", [[], ["checkbox"]])
def test_value_that_cannot_be_cleared_is_rejected_and_named(
    write: Write, switch: Callable[..., None], unclearable: list[str]
) -> None:
    switch(unclearable=unclearable, attributes=[{"api_slug": "vip", "type": "checkbox"}])
    known = write(Verb.UPSERT, "acme.com", {"vip": True})
    if not unclearable:
        assert (
            write(Verb.UPDATE, "acme.com", {"vip": []}, changed="vip", remote_id=known.remote_id).result
            is Result.ACCEPTED
        )
        return
    with pytest.raises(Rejected) as rejection:
        write(Verb.UPDATE, "acme.com", {"vip": []}, changed="vip", remote_id=known.remote_id)
    assert rejection.value.field == "vip"


def test_update_that_adds_to_a_list_is_one_patch(write: Write, sandbox: AttioSandbox) -> None:
    known = write(Verb.UPSERT, "acme.com", {"categories": ["SAAS"]})
    sandbox.log.clear()
    write(
        Verb.UPDATE,
        "acme.com",
        {"name": "A", "categories": ["B2B"]},
        changed="name categories",
        add="categories",
        remote_id=known.remote_id,
    )
    assert sent(sandbox) == [("PATCH", {"name": "A", "categories": ["B2B"]})]
    assert set(record(sandbox, "acme.com")["values"]["categories"]) == {"SAAS", "B2B"}


def test_unchanged_list_to_add_to_is_not_sent(write: Write, sandbox: AttioSandbox) -> None:
    known = write(Verb.UPSERT, "acme.com", {"categories": ["SAAS"]})
    sandbox.log.clear()
    write(
        Verb.UPDATE,
        "acme.com",
        {"name": "A", "categories": ["SAAS"]},
        changed="name",
        add="categories",
        remote_id=known.remote_id,
    )
    assert sent(sandbox) == [("PUT", {"name": "A"})]


def test_new_domain_is_patched_and_the_old_one_stays(write: Write, sandbox: AttioSandbox) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    sandbox.log.clear()
    write(Verb.UPDATE, "acme.io", {"name": "Acme Ltd"}, changed="domains name", remote_id=known.remote_id)
    assert sent(sandbox) == [("PATCH", {"domains": ["acme.io"], "name": "Acme Ltd"})]
    assert set(record(sandbox, "acme.io")["values"]["domains"]) == {"acme.com", "acme.io"}


def test_new_domain_with_a_changed_list_also_needs_a_put(write: Write, sandbox: AttioSandbox) -> None:
    known = write(Verb.UPSERT, "acme.com", {"categories": ["SAAS"], "name": "Acme"})
    sandbox.log.clear()
    write(
        Verb.UPDATE,
        "acme.io",
        {"categories": ["B2B"], "name": []},
        changed="domains name categories",
        remote_id=known.remote_id,
    )
    assert sent(sandbox) == [("PATCH", {"domains": ["acme.io"]}), ("PUT", {"categories": ["B2B"], "name": []})]
    assert record(sandbox, "acme.io")["values"] == {"domains": ["acme.io", "acme.com"], "categories": ["B2B"]}


@pytest.mark.parametrize("names_owner", [True, False])
def test_new_domain_of_another_company_is_rejected(
    write: Write, sandbox: AttioSandbox, switch: Callable[..., None], names_owner: bool
) -> None:
    switch(conflict_names_record=names_owner)
    other = write(Verb.UPSERT, "other.com", {"name": "Other"})
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    with pytest.raises(Rejected) as rejection:
        write(Verb.UPDATE, "other.com", {"name": "New"}, changed="domains name", remote_id=known.remote_id)
    assert rejection.value.code == "uniqueness_conflict"
    assert rejection.value.field == "domains"
    assert other.remote_id in rejection.value.message
    assert known.remote_id not in rejection.value.message
    assert "other.com" not in rejection.value.message
    assert uuid.UUID(rejection.value.request_id)
    assert record(sandbox, "acme.com")["values"]["name"] == "Acme"


def test_conflict_is_reported_even_if_the_owner_cannot_be_looked_up(
    write: Write, sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    switch(conflict_names_record=False)
    write(Verb.UPSERT, "other.com", {})
    known = write(Verb.UPSERT, "acme.com", {})
    sandbox.faults.append(Fault("cut", path="/query$"))
    with pytest.raises(Rejected) as rejection:
        write(Verb.UPDATE, "other.com", {}, changed="domains", remote_id=known.remote_id)
    assert rejection.value.code == "uniqueness_conflict"


@pytest.mark.parametrize("changed", ["name", "domains", "domains categories"])
def test_update_of_a_deleted_company_is_gone(write: Write, api: Callable[..., requests.Response], changed: str) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme", "categories": ["SAAS"]})
    api("DELETE", f"/objects/companies/records/{known.remote_id}")
    outcome = write(
        Verb.UPDATE, "acme.io", {"name": "New", "categories": ["B2B"]}, changed=changed, remote_id=known.remote_id
    )
    assert outcome.result is Result.GONE


def test_update_of_a_merged_company_is_gone(write: Write, switch: Callable[..., None]) -> None:
    first, second = (write(Verb.UPSERT, domain, {"name": domain}) for domain in ("acme.com", "acme.io"))
    switch(merge=[first.remote_id, second.remote_id])
    outcome = write(Verb.UPDATE, "acme.com", {"name": "New"}, changed="name", remote_id=first.remote_id)
    assert outcome.result is Result.GONE
    again = write(Verb.UPSERT, "acme.com", {"name": "New"})
    assert again.remote_id not in (first.remote_id, second.remote_id)


@pytest.mark.parametrize("status", [400, 404])
def test_id_is_never_interpreted_as_a_path(
    write: Write, sandbox: AttioSandbox, switch: Callable[..., None], status: int
) -> None:
    switch(malformed_ids=status)
    values = {"name": "New"}
    if status == 404:
        assert (
            write(Verb.UPDATE, "acme.com", values, changed="name", remote_id="../../people/records").result
            is Result.GONE
        )
    else:
        with pytest.raises(Rejected):
            write(Verb.UPDATE, "acme.com", values, changed="name", remote_id="../../people/records")
    assert sandbox.state()["records"] == []


def test_create_is_a_post_without_empty_values(write: Write, sandbox: AttioSandbox) -> None:
    outcome = write(Verb.CREATE, "acme.com", {"name": "Acme", "description": [], "categories": []})
    assert sent(sandbox) == [("POST", {"domains": ["acme.com"], "name": "Acme"})]
    assert outcome.result is Result.ACCEPTED
    assert outcome.sent == ("domains", "name")


@pytest.mark.parametrize("names_attribute", ["slug", "id"])
@pytest.mark.parametrize("names_owner", [True, False])
def test_create_of_an_existing_company_returns_exists(
    write: Write, sandbox: AttioSandbox, switch: Callable[..., None], names_owner: bool, names_attribute: str
) -> None:
    switch(conflict_names_record=names_owner, conflict_names_attribute=names_attribute)
    known = write(Verb.CREATE, "acme.com", {"name": "Acme"})
    outcome = write(Verb.CREATE, "acme.com", {"name": "Other"})
    assert outcome.result is Result.EXISTS
    assert outcome.remote_id == (known.remote_id if names_owner else "")
    assert record(sandbox, "acme.com")["values"]["name"] == "Acme"


@pytest.mark.parametrize("names_attribute", ["slug", "id"])
def test_create_with_a_different_taken_value_is_rejected(
    write: Write, switch: Callable[..., None], names_attribute: str
) -> None:
    switch(
        conflict_names_attribute=names_attribute, attributes=[{"api_slug": "vat", "type": "text", "is_unique": True}]
    )
    write(Verb.CREATE, "acme.com", {"vat": "FR1"})
    with pytest.raises(Rejected, match="vat"):
        write(Verb.CREATE, "other.com", {"vat": "FR1"})


@pytest.mark.parametrize("verb", list(Verb))
def test_invalid_value_stores_nothing_and_names_its_attribute(write: Write, sandbox: AttioSandbox, verb: Verb) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    values = {"name": "New", "foundation_date": "yesterday"}
    with pytest.raises(Rejected) as rejection:
        write(
            verb,
            "acme.com" if verb is not Verb.CREATE else "new.com",
            values,
            changed="name foundation_date",
            remote_id=known.remote_id,
        )
    assert rejection.value.code == "validation_type"
    assert rejection.value.field == "foundation_date"
    assert "yesterday" not in rejection.value.message + rejection.value.detail
    assert [entry["values"]["name"] for entry in sandbox.state()["records"]] == ["Acme"]


def test_slug_of_an_attribute_named_by_id_is_fetched_once(
    write: Write, client: Client, gate: CountingGate, switch: Callable[..., None]
) -> None:
    switch(conflict_names_attribute="id")
    client.slugs.clear()
    known = write(Verb.UPSERT, "acme.com", {})
    write(Verb.UPSERT, "other.com", {})
    for _ in range(2):
        with pytest.raises(Rejected) as rejection:
            write(Verb.UPDATE, "other.com", {}, changed="domains", remote_id=known.remote_id)
        assert rejection.value.field == "domains"
        assert "other.com" not in rejection.value.message
    assert gate.passed.count(Purpose.DISCOVERY) == 1


def test_domain_of_another_company_can_be_left_with_it(
    service: AttioCompanies, client: Client, write: Write, switch: Callable[..., None], sandbox: AttioSandbox
) -> None:
    switch(two_owners="first")
    first, second = write(Verb.UPSERT, "acme.com", {}), write(Verb.UPSERT, "other.com", {})
    outcome = service.write(client, Operation(Verb.UPSERT, "domains", ["acme.com", "other.com"], {"name": "Both"}))
    assert outcome.remote_id == first.remote_id
    assert record(sandbox, "other.com")["id"] == second.remote_id


def test_domains_of_two_companies_are_rejected(service: AttioCompanies, client: Client, write: Write) -> None:
    write(Verb.UPSERT, "acme.com", {})
    write(Verb.UPSERT, "other.com", {})
    with pytest.raises(Rejected, match=r"uniqueness|holds one"):
        service.write(client, Operation(Verb.UPSERT, "domains", ["acme.com", "other.com"], {}))


def test_many_threads_share_one_client(write: Write, sandbox: AttioSandbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(
            pool.map(lambda number: write(Verb.UPSERT, f"acme{number}.com", {"name": str(number)}), range(80))
        )
    assert len({outcome.remote_id for outcome in outcomes}) == 80
    assert len(sandbox.state()["records"]) == 80


def test_required_attribute_cannot_be_cleared(service: AttioCompanies) -> None:
    assert service.empty(Field("name", "Name", "text")) == []
    with pytest.raises(Rejected, match="required"):
        service.empty(Field("name", "Name", "text", required=True))
