"""Writing and finding contacts, by email or external ID, as users or leads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Rejected, Unavailable
from destinations.contract import Field, NewField, Operation, Purpose, Result, Verb
from destinations.services.intercom.attributes import CONTACT_STANDARD
from destinations.services.intercom.contacts import IntercomContacts
from tests.destinations.lookups import ids

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from tests.destinations.intercom.conftest import RecordingGate, Vendor

EMAIL = Field("email", "Email", "string", matchable=True)
EXTERNAL_ID = Field("external_id", "External ID", "string", matchable=True)


@pytest.fixture
def contacts() -> IntercomContacts:
    return IntercomContacts()


def operation(verb: Verb, match: str, value: str, **values: Any) -> Operation:
    return Operation(verb, match, value, values, frozenset(values))


def update(remote_id: str, changed: set[str], **values: Any) -> Operation:
    return Operation(Verb.UPDATE, "external_id", "x1", values, frozenset(changed), remote_id=remote_id)


def stored_contacts(vendor: Vendor) -> list[dict[str, Any]]:
    contacts: list[dict[str, Any]] = vendor.sandbox.state()["contacts"]
    return contacts


def test_standard_attributes_are_writable_and_two_of_them_can_match(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    fields = {field.name: field for field in contacts.fields(client)}
    assert {name for name, field in fields.items() if field.writable} == set(CONTACT_STANDARD)
    assert {name for name, field in fields.items() if field.matchable} == {"email", "external_id"}
    assert [option.id for option in fields["role"].options] == ["user", "lead"]
    assert (fields["company.size"].writable, "belongs to companies" in fields["company.size"].read_only_reason) == (
        False,
        True,
    )


def test_new_contact_becomes_a_user_with_one_request(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "model": "contact"}])
    outcome = contacts.write(client, operation(Verb.UPSERT, "external_id", "x1", email="ada@example.com", tier="gold"))
    (request,) = vendor.sent()
    assert (request["method"], request["path"]) == ("POST", "/contacts")
    expected = {"role": "user", "external_id": "x1", "email": "ada@example.com", "custom_attributes": {"tier": "gold"}}
    assert request["body"] == expected
    (contact,) = stored_contacts(vendor)
    assert (outcome.result, outcome.remote_id) == (Result.ACCEPTED, contact["id"])
    assert set(outcome.sent) == {"external_id", "email", "tier"}
    assert outcome.created_at is not None


def test_mapped_role_creates_a_lead(client: IntercomClient, contacts: IntercomContacts, vendor: Vendor) -> None:
    contacts.write(client, operation(Verb.UPSERT, "email", "ada@example.com", role="lead"))
    assert stored_contacts(vendor)[0]["role"] == "lead"


@pytest.mark.parametrize(("match", "value"), [("external_id", "x1"), ("email", "ada@example.com")])
def test_upsert_updates_an_existing_contact(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor, match: str, value: str
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1", "email": "Ada@example.com", "name": "Old", "phone": "1"}])
    outcome = contacts.write(client, operation(Verb.UPSERT, match, value, name="New"))
    assert (outcome.result, outcome.remote_id) == (Result.ACCEPTED, "p1")
    assert [(entry["method"], entry["path"]) for entry in vendor.sent()] == [
        ("POST", "/contacts"),
        ("GET", "/contacts/p1"),
        ("PUT", "/contacts/p1"),
    ]
    assert vendor.sent("PUT")[0]["body"] == {"name": "New"}
    assert [(contact["name"], contact["phone"], contact["role"]) for contact in stored_contacts(vendor)] == [
        ("New", "1", "user")
    ]


def test_details_of_a_different_contact_are_a_rejection_with_its_id(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1", "name": "Other"}])
    with pytest.raises(Rejected) as caught:
        contacts.write(client, operation(Verb.UPSERT, "email", "ada@example.com", external_id="x1", name="New"))
    assert caught.value.code == "conflict"
    assert "id=p1" in caught.value.message
    assert stored_contacts(vendor)[0]["name"] == "Other"


def test_archived_contact_is_a_rejection_with_its_id(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1", "archived": True}])
    with pytest.raises(Rejected, match=r"contact with these details \(ID p1\) is archived") as caught:
        contacts.write(client, operation(Verb.UPSERT, "external_id", "x1", name="New"))
    assert (caught.value.code, len(vendor.sent())) == ("contact_archived", 1)


def test_create_does_not_change_an_existing_contact(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1", "name": "Old"}])
    outcome = contacts.write(client, operation(Verb.CREATE, "external_id", "x1", name="New"))
    assert (outcome.result, outcome.remote_id) == (Result.EXISTS, "p1")
    assert stored_contacts(vendor)[0]["name"] == "Old"


def test_create_with_details_of_a_different_contact_is_a_rejection(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1"}])
    with pytest.raises(Rejected, match="id=p1"):
        contacts.write(client, operation(Verb.CREATE, "email", "ada@example.com", external_id="x1"))


def test_update_sends_changed_values_including_the_match_value(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x0", "name": "Old"}])
    assert (
        contacts.write(client, update("p1", {"external_id", "name"}, name="New", phone="2")).result is Result.ACCEPTED
    )
    (request,) = vendor.sent()
    assert (request["method"], request["path"], request["body"]) == (
        "PUT",
        "/contacts/p1",
        {"external_id": "x1", "name": "New"},
    )


@pytest.mark.parametrize("switches", [{}, {"merged_contacts": ["p1"]}])
def test_update_of_a_deleted_or_merged_contact_creates_nothing(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor, switches: dict[str, Any]
) -> None:
    vendor.switch(**switches)
    assert contacts.write(client, update("p1", {"name"}, name="New")).result is Result.GONE
    assert stored_contacts(vendor) == []


def test_value_that_intercom_did_not_clear_is_a_rejection(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1", "phone": "1"}], null_clears=False)
    with pytest.raises(Rejected, match="Intercom did not clear phone\\."):
        contacts.write(client, update("p1", {"phone"}, phone=None))


def test_contacts_are_found_by_search(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor, gate: RecordingGate
) -> None:
    vendor.switch(contacts=[{"id": "p1", "external_id": "x1", "email": "Ada@Example.com"}])
    assert ids(contacts.find(client, EMAIL, ["ada@example.com"])) == {"ada@example.com": "p1"}
    assert ids(contacts.find(client, EXTERNAL_ID, ["x1"])) == {"x1": "p1"}
    assert contacts.find(client, EXTERNAL_ID, ["X1"]) == {}
    assert set(gate.waited) == {Purpose.LOOKUP}


def test_user_takes_precedence_over_a_lead_and_two_users_are_ambiguous(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(
        contacts=[{"id": "p1", "email": "a@b.c", "role": "lead"}, {"id": "p2", "email": "a@b.c", "external_id": "x2"}]
    )
    assert ids(contacts.find(client, EMAIL, ["a@b.c"])) == {"a@b.c": "p2"}
    vendor.switch(contacts=[{"id": "p3", "email": "a@b.c", "external_id": "x3"}])
    with pytest.raises(Rejected, match="2 contacts with this email") as caught:
        contacts.find(client, EMAIL, ["a@b.c"])
    assert "a@b.c" not in caught.value.message


def test_unreadable_search_answer_is_unavailable(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.fail(action="reply", status=200, body={"type": "surprise"})
    with pytest.raises(Unavailable) as caught:
        contacts.find(client, EMAIL, ["a@b.c"])
    assert not caught.value.ambiguous


@pytest.mark.parametrize("given", ["nobody", "two words@b.c", "a@b@c", "@"])
def test_invalid_email_is_refused_without_showing_it(contacts: IntercomContacts, given: str) -> None:
    with pytest.raises(Rejected) as caught:
        contacts.convert(EMAIL, given)
    assert (caught.value.code, given in caught.value.message) == ("email_invalid", False)


def test_emails_are_compared_ignoring_case_and_sent_as_given(contacts: IntercomContacts) -> None:
    wire = contacts.convert(EMAIL, " Ada@Example.com ")
    assert (wire, contacts.identity(EMAIL, wire)) == ("Ada@Example.com", "ada@example.com")
    assert contacts.plain(EMAIL, "text") is None


def test_custom_attributes_are_created_for_contacts_and_collide_with_those_of_companies(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "model": "company"}])
    known = contacts.fields(client)
    (sentence,) = contacts.check_new_fields(known, [NewField("tier", "text")])
    assert "“tier” is already a custom attribute of companies" in sentence
    after = {field.name: field for field in contacts.prepare(client, known, [NewField("seats", "integer")])}
    assert vendor.sent("POST")[0]["body"] == {"name": "seats", "model": "contact", "data_type": "integer"}
    assert after["seats"].writable


def test_rejected_contact_is_a_rejection_and_a_missing_attribute_is_misconfigured(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.fail(action="reply", status=422, body={"errors": [{"code": "parameter_invalid", "message": "phone is odd"}]})
    with pytest.raises(Rejected, match="rejected this contact"):
        contacts.write(client, operation(Verb.UPSERT, "external_id", "x1", phone="odd"))
    with pytest.raises(Misconfigured) as caught:
        contacts.write(client, operation(Verb.UPSERT, "external_id", "x1", unknown="x"))
    assert caught.value.where == "unknown"


def test_create_without_an_answer_is_ambiguous_and_repeating_it_creates_no_duplicate(
    client: IntercomClient, contacts: IntercomContacts, vendor: Vendor
) -> None:
    vendor.fail(action="cut_after", method="POST")
    with pytest.raises(Unavailable) as caught:
        contacts.write(client, operation(Verb.UPSERT, "external_id", "x1", name="A"))
    assert caught.value.ambiguous
    assert contacts.write(client, operation(Verb.UPSERT, "external_id", "x1", name="A")).result is Result.ACCEPTED
    assert len(stored_contacts(vendor)) == 1
