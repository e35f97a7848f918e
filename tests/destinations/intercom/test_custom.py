"""Custom attributes that an activation wants: what stands against them, and how they come to be."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Misconfigured, Unavailable
from destinations.contract import NewField, Purpose
from destinations.services.intercom import attributes, custom_attributes
from tests.destinations.intercom.test_attributes import entry

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies
    from tests.destinations.intercom.conftest import NotingGate, Vendor

TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "float",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "date",
}
EMPTY = attributes.to_fields((), ())


def refused(known: list[Any], *wanted: NewField) -> list[str]:
    return list(custom_attributes.obstacles(known, wanted))


def test_missing_ones_are_created_once_with_the_type_of_their_column(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, gate: NotingGate
) -> None:
    known = service.fields(client)
    wanted = [NewField(f"a {name}", name) for name in TYPES]
    after = {field.name: field for field in service.prepare(client, known, wanted)}
    assert [request["body"] for request in vendor.sent("POST")] == [
        {"name": f"a {name}", "model": "company", "data_type": data_type} for name, data_type in TYPES.items()
    ]
    assert all(
        after[new.name].custom and after[new.name].writable and after[new.name].type == TYPES[new.type]
        for new in wanted
    )
    assert set(gate.waited) == {Purpose.DISCOVERY}
    service.prepare(client, list(after.values()), wanted)
    service.prepare(client, service.fields(client), wanted)
    assert len(vendor.sent("POST")) == len(TYPES)


def test_nothing_is_asked_where_nothing_is_missing(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "seats", "data_type": "integer"}])
    known = service.fields(client)
    vendor.sandbox.log.clear()
    assert service.prepare(client, known, [NewField("seats", "integer")]) == known
    assert service.prepare(client, known, []) == known
    assert vendor.sent() == []


def test_a_wanted_one_that_is_archived_is_brought_back(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "seats", "data_type": "integer", "archived": True}])
    known = service.fields(client)
    assert list(service.check_new_fields(known, [NewField("seats", "integer")])) == []
    after = {field.name: field for field in service.prepare(client, known, [NewField("seats", "integer")])}
    (request,) = vendor.sent("PUT")
    assert (request["path"], request["body"]) == ("/data_attributes/34", {"archived": False})
    assert after["seats"].writable
    assert [field.name for field in after.values()] == [field.name for field in known]


@pytest.mark.parametrize(
    ("answer", "words"),
    [("refuse", "'seats' can't be brought back in Intercom"), ("ignore", "'seats' is still archived in Intercom")],
)
def test_where_intercom_does_not_bring_one_back_it_says_so(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, answer: str, words: str
) -> None:
    vendor.switch(unarchive=answer, data_attributes=[{"name": "seats", "data_type": "integer", "archived": True}])
    with pytest.raises(Misconfigured, match=words) as caught:
        service.prepare(client, service.fields(client), [NewField("seats", "integer")])
    assert caught.value.where == "seats"


def test_one_that_is_archived_and_not_wanted_stays_archived(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "old", "data_type": "integer", "archived": True}])
    service.prepare(client, service.fields(client), [NewField("seats", "integer")])
    assert vendor.sandbox.attributes.active("old") is None
    assert vendor.sandbox.attributes.active("seats") is not None


@pytest.mark.parametrize("form", ["text", "code", "conflict"])
def test_one_that_another_run_made_meanwhile_is_taken(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, form: str
) -> None:
    known = service.fields(client)
    vendor.switch(attribute_exists=form, data_attributes=[{"name": "seats", "data_type": "integer"}])
    after = {field.name: field for field in service.prepare(client, known, [NewField("seats", "integer")])}
    assert after["seats"].writable


def test_one_that_another_made_meanwhile_with_another_type_is_named(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    known = service.fields(client)
    vendor.switch(data_attributes=[{"name": "seats", "data_type": "boolean"}])
    with pytest.raises(Misconfigured, match="'seats' of the type boolean, and the column holds integer values"):
        service.prepare(client, known, [NewField("seats", "integer")])


@pytest.mark.parametrize("fault", [{"action": "cut_after"}, {"action": "reply", "status": 500}])
def test_a_lost_answer_is_settled_by_looking(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, fault: dict[str, Any]
) -> None:
    known = service.fields(client)
    vendor.fail(method="POST", **fault)
    if fault["action"] == "reply":
        with pytest.raises(Unavailable):
            service.prepare(client, known, [NewField("seats", "integer")])
    after = {field.name for field in service.prepare(client, known, [NewField("seats", "integer")])}
    assert "seats" in after
    assert [made["name"] for made in vendor.sandbox.state()["data_attributes"]] == ["seats"]


@pytest.mark.parametrize("status", [400, 403, 422])
def test_what_intercom_refuses_to_create_is_told_in_its_words(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, status: int
) -> None:
    vendor.switch(attribute_limit=0, limit_status=status)
    with pytest.raises(Misconfigured) as caught:
        service.prepare(client, service.fields(client), [NewField("seats", "integer")])
    assert (caught.value.code, caught.value.where) == ("custom_data_limit_reached", "seats")
    assert "'seats' can't be created in Intercom" in caught.value.message
    assert "as many custom attributes as Intercom allows" in caught.value.message


def test_a_missing_permission_to_create_is_named(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(missing_scopes=["Write data attributes"])
    with pytest.raises(Misconfigured, match="lacks the permission “Write data attributes”"):
        service.prepare(client, service.fields(client), [NewField("seats", "integer")])


def test_what_stands_against_it_is_said_before_anything_is_sent(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "tier", "data_type": "string", "model": "contact"}])
    known = service.fields(client)
    wanted = [NewField("seats", "integer"), NewField("tier", "text")]
    (sentence,) = service.check_new_fields(known, wanted)
    assert "'tier' is a custom attribute of contacts" in sentence
    with pytest.raises(Misconfigured) as caught:
        service.prepare(client, known, wanted)
    assert caught.value.message == sentence
    assert vendor.sent("POST") == []


@pytest.mark.parametrize(
    "name", ["name", "company_id", "plan", "size", "monthly_spend", "remote_created_at", "user_count", "created_at"]
)
def test_the_names_of_standard_attributes_are_taken(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, name: str
) -> None:
    (sentence,) = service.check_new_fields(service.fields(client), [NewField(name, "text")])
    assert f"{name!r} is an attribute of Intercom's own" in sentence


@pytest.mark.parametrize("name", ["", " ", " seats", "seats ", "a.b", "a/b", "a'b", "tab\there", "naïve!", "a\nb"])
def test_names_that_intercom_does_not_take(name: str) -> None:
    (sentence,) = refused(EMPTY, NewField(name, "text"))
    assert "names hold only letters, digits, spaces, underscores, hyphens and currency symbols" in sentence


@pytest.mark.parametrize("name", ["seats", "The One Ring", "text_field", "a-b", "£ spend", "€", "Größe", "9lives"])
def test_names_that_intercom_takes(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, name: str
) -> None:
    assert refused(EMPTY, NewField(name, "text")) == []
    assert name in {field.name for field in service.prepare(client, service.fields(client), [NewField(name, "text")])}


@pytest.mark.parametrize("kind", ["list", "object"])
def test_nested_columns_are_refused(kind: str) -> None:
    (sentence,) = refused(EMPTY, NewField("things", kind))
    assert "only single plain values" in sentence


FITS = {
    "string": set(TYPES),
    "integer": {"integer"},
    "float": {"integer", "number"},
    "boolean": {"boolean"},
    "date": {"date", "timestamp"},
    "datetime": {"date", "timestamp"},
}


@pytest.mark.parametrize("present", FITS)
@pytest.mark.parametrize("column", TYPES)
def test_a_type_that_does_not_fit_an_existing_attribute_is_named(present: str, column: str) -> None:
    found = refused(attributes.to_fields([entry("seats", present)], ()), NewField("seats", column))
    if column in FITS[present]:
        assert found == []
    else:
        assert found == [
            f"Intercom has a custom attribute 'seats' of the type {present}, and the column holds {column} values. "
            "Intercom can't change the type: rename the column, or convert it in the model."
        ]


def test_an_archived_attribute_of_another_type_is_named_too() -> None:
    assert len(refused(attributes.to_fields([entry("seats", "date", archived=True)], ()), NewField("seats", "text"))) == 1


def test_an_existing_attribute_that_can_not_be_written_is_named() -> None:
    (sentence,) = refused(attributes.to_fields([entry("seats", api_writable=False)], ()), NewField("seats", "text"))
    assert "exists in Intercom and can't be written" in sentence


def test_the_limit_counts_both_models_and_leaves_archived_ones_out() -> None:
    company = [entry(f"c{number}") for number in range(200)] + [entry("gone", archived=True)]
    known = attributes.to_fields(company, [entry(f"p{number}") for number in range(48)])
    assert (
        refused(
            known, NewField("one", "text"), NewField("two", "text"), NewField("two", "text"), NewField("c7", "text")
        )
        == []
    )
    (sentence,) = refused(known, NewField("one", "text"), NewField("two", "text"), NewField("gone", "text"))
    assert "allows 250 custom attributes; the workspace uses 248, and this needs 3 more" in sentence


def test_every_reason_is_said_at_once() -> None:
    known = attributes.to_fields([entry("seats", "date")], [entry("tier")])
    assert (
        len(
            refused(
                known,
                NewField("seats", "text"),
                NewField("tier", "text"),
                NewField("a.b", "text"),
                NewField("fine", "text"),
            )
        )
        == 3
    )


@given(st.text(max_size=20), st.sampled_from([*TYPES, "list", "object"]))
def test_a_name_is_taken_or_refused_in_one_sentence_and_never_both(name: str, kind: str) -> None:
    found = refused(EMPTY, NewField(name, kind))
    allowed = all(
        character.isalnum() or character in " _-" or unicodedata.category(character) == "Sc" for character in name
    )
    fine = bool(name) and name.strip() == name and allowed and name not in attributes.COMPANY_STANDARD and kind in TYPES
    assert found == [] if fine else len(found) == 1
    assert all(sentence.endswith(".") for sentence in found)


@given(st.lists(st.sampled_from("abcdef"), max_size=6), st.integers(244, 250))
def test_the_limit_is_reached_exactly_when_more_is_wanted_than_fits(names: list[str], used: int) -> None:
    known = attributes.to_fields([entry(f"c{number}") for number in range(used)], ())
    found = refused(known, *(NewField(name, "text") for name in names))
    assert bool(found) == (used + len(set(names)) > 250 and bool(names))
