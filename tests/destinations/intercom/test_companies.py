"""Writing and finding companies: which requests are sent, and what becomes of the company."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Problem, Rejected, Unavailable
from destinations.contract import Field, Mode, Operation, Purpose, Result, Verb
from destinations.services.intercom.bodies import not_cleared, request_body
from tests.destinations.intercom.conftest import TOKEN, NotingGate, Vendor

if TYPE_CHECKING:
    from destinations.services.intercom.client import IntercomClient
    from destinations.services.intercom.companies import IntercomCompanies

MATCH = Field("company_id", "Company ID", "string", matchable=True)
SEATS = {"name": "seats", "data_type": "integer"}


def upsert(company_id: str, **values: Any) -> Operation:
    return Operation(Verb.UPSERT, "company_id", company_id, values, frozenset(values))


def create(company_id: str, **values: Any) -> Operation:
    return Operation(Verb.CREATE, "company_id", company_id, values, frozenset(values))


def update(remote_id: str, changed: set[str], **values: Any) -> Operation:
    return Operation(Verb.UPDATE, "company_id", "c1", values, frozenset(changed), remote_id=remote_id)


def update_or_create(remote_id: str, changed: set[str], **values: Any) -> Operation:
    return replace(update(remote_id, changed, **values), may_create=True)


def stored(vendor: Vendor, company_id: str) -> dict[str, Any]:
    company = vendor.company(company_id)
    assert company is not None
    return company


@pytest.fixture
def known(vendor: Vendor) -> str:
    """Intercom's id of the company c1, which holds a value everywhere."""
    vendor.switch(
        data_attributes=[SEATS],
        companies=[
            {
                "company_id": "c1",
                "name": "Old",
                "plan": "Pro",
                "size": 10,
                "monthly_spend": 99,
                "industry": "Steel",
                "remote_created_at": 1374138000,
                "custom_attributes": {"seats": 4},
                "created_at": 1534537334,
                "user_count": 2,
            }
        ],
    )
    return str(stored(vendor, "c1")["id"])


def test_it_presents_itself(service: IntercomCompanies) -> None:
    assert (service.slug, service.label, service.accepts) == (
        "intercom.companies",
        "Synchronize companies",
        ("custom",),
    )
    assert (service.default_mode, service.default_match) == (Mode.UPDATE, "company_id")
    assert not service.match_may_change
    assert service.creates_fields
    assert (service.limits.shared, service.limits.find_batch) == (True, 1)
    assert any("does not show a company before a contact" in note for note in service.notes)


def test_upsert_sends_the_whole_record_with_custom_attributes_below_their_key(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[SEATS])
    outcome = service.write(client, upsert("c1", name="Ñandú 株式会社", plan="Pro", size=10, seats=4))
    (request,) = vendor.sent()
    assert (request["method"], request["path"]) == ("POST", "/companies")
    assert request["body"] == {
        "company_id": "c1",
        "name": "Ñandú 株式会社",
        "plan": "Pro",
        "size": 10,
        "custom_attributes": {"seats": 4},
    }
    company = stored(vendor, "c1")
    assert (company["name"], company["plan"]["name"], company["custom_attributes"]["seats"]) == (
        "Ñandú 株式会社",
        "Pro",
        4,
    )
    assert outcome.result is Result.ACCEPTED
    assert outcome.remote_id == company["id"]
    assert outcome.created_at == datetime.fromtimestamp(company["created_at"], UTC)
    assert set(outcome.sent) == {"company_id", "name", "plan", "size", "seats"}
    assert outcome.request_id


def test_upsert_twice_is_one_company(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    first = service.write(client, upsert("c1", name="A"))
    second = service.write(client, upsert("c1", name="B"))
    assert first.remote_id == second.remote_id
    assert [company["name"] for company in vendor.sandbox.state()["companies"]] == ["B"]


def test_a_company_without_values_is_created_by_its_id_alone(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    service.write(client, upsert("c1"))
    assert vendor.sent()[0]["body"] == {"company_id": "c1"}


def test_update_sends_only_what_changed_and_never_the_company_id(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    before = stored(vendor, "c1")
    outcome = service.write(client, update(known, {"seats"}, name="New", seats=5))
    (request,) = vendor.sent()
    assert (request["method"], request["path"]) == ("PUT", f"/companies/{known}")
    assert request["body"] == {"custom_attributes": {"seats": 5}}
    after = stored(vendor, "c1")
    assert after["custom_attributes"]["seats"] == 5
    assert {key: after[key] for key in ("name", "plan", "size")} == {
        key: before[key] for key in ("name", "plan", "size")
    }
    assert outcome.sent == ("seats",)
    assert outcome.created_at == datetime.fromtimestamp(1534537334, UTC)


def test_update_with_nothing_to_say_sends_nothing(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    assert service.write(client, update(known, set(), name="New")).result is Result.ACCEPTED
    assert vendor.sent() == []


def test_an_update_of_a_company_that_is_gone_creates_nothing(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.call("DELETE", f"/companies/{known}")
    assert service.write(client, update(known, {"name"}, name="New")).result is Result.GONE
    assert vendor.sandbox.state()["companies"] == []


def test_after_it_was_gone_upsert_sends_the_whole_record_anew(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.call("DELETE", f"/companies/{known}")
    outcome = service.write(client, upsert("c1", name="New", plan="Pro"))
    assert outcome.result is Result.ACCEPTED
    assert outcome.remote_id != known
    assert stored(vendor, "c1")["plan"]["name"] == "Pro"


def test_create_posts_the_company(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    assert service.write(client, create("c1", name="A")).result is Result.ACCEPTED
    assert [entry["method"] for entry in vendor.sent()] == ["POST"]


def test_a_company_made_by_another_at_the_same_time_already_exists(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    service.write(client, create("c1", name="A"))
    vendor.switch(unique_race_seconds=60)
    assert service.write(client, create("c1", name="B")).result is Result.EXISTS
    assert stored(vendor, "c1")["name"] == "A"


def test_an_upsert_that_meets_the_race_is_tried_again_and_then_updates(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    service.write(client, upsert("c1", name="A"))
    vendor.switch(unique_race_seconds=60)
    with pytest.raises(Unavailable) as caught:
        service.write(client, upsert("c1", name="B"))
    assert (caught.value.code, caught.value.ambiguous, caught.value.throttled) == (
        "unique_company_constraint",
        False,
        False,
    )
    vendor.switch(unique_race_seconds=0)
    assert service.write(client, upsert("c1", name="B")).result is Result.ACCEPTED


CLEARED = {"name": None, "plan": None, "size": None, "monthly_spend": None, "remote_created_at": None, "seats": None}


def test_clearing_sends_null_and_the_values_are_gone(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    outcome = service.write(client, update(known, set(CLEARED), **CLEARED))
    assert outcome.result is Result.ACCEPTED
    company = stored(vendor, "c1")
    assert vendor.sent()[0]["body"]["custom_attributes"] == {"seats": None}
    assert (company["plan"], company["monthly_spend"], company["custom_attributes"]["seats"]) == ({}, 0, None)
    assert not {"name", "size", "remote_created_at"} & set(company)


@pytest.mark.parametrize("name", sorted(CLEARED))
def test_what_intercom_did_not_clear_is_a_rejection_that_says_so(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, name: str
) -> None:
    vendor.switch(null_clears=False)
    with pytest.raises(Rejected) as caught:
        service.write(client, update(known, {name}, **{name: None}))
    assert (caught.value.code, caught.value.field) == ("not_cleared", name)
    assert f"Intercom kept its value of {name}" in caught.value.message
    assert caught.value.request_id


def test_clearing_on_a_new_company_is_no_trouble(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(null_clears=False, data_attributes=[SEATS])
    assert service.write(client, upsert("c1", **CLEARED)).result is Result.ACCEPTED


@pytest.mark.parametrize("held", ["", None])
def test_an_empty_answer_counts_as_cleared(held: Any) -> None:
    assert not_cleared({"name": None, "seats": None}, {"name": held, "custom_attributes": {"seats": held}}) == []


def test_the_match_can_never_be_cleared(service: IntercomCompanies) -> None:
    with pytest.raises(Rejected, match="can't be cleared"):
        service.empty(MATCH)


def test_a_changed_remote_created_at_is_written_where_intercom_takes_it(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    outcome = service.write(client, update(known, {"remote_created_at"}, remote_created_at=1400000000))
    assert outcome.result is Result.ACCEPTED
    assert stored(vendor, "c1")["remote_created_at"] == 1400000000
    assert len(vendor.sent()) == 1


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_a_remote_created_at_that_intercom_will_not_change_is_a_rejection_in_words(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, answer: str
) -> None:
    vendor.switch(put_remote_created_at=answer)
    with pytest.raises(Rejected) as caught:
        service.write(client, update(known, {"remote_created_at"}, remote_created_at=1400000000))
    assert (caught.value.code, caught.value.field) == ("remote_created_at_fixed", "remote_created_at")
    assert "can't be kept up to date" in caught.value.message
    assert stored(vendor, "c1")["remote_created_at"] == 1374138000


def test_where_it_is_refused_but_right_already_the_rest_is_written(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, gate: NotingGate
) -> None:
    vendor.switch(put_remote_created_at="refuse")
    values = {"name": "New", "remote_created_at": 1374138000}
    outcome = service.write(client, update(known, set(values), **values))
    assert outcome.result is Result.ACCEPTED
    assert outcome.sent == ("name",)
    assert stored(vendor, "c1")["name"] == "New"
    assert gate.waited == [Purpose.WRITE, Purpose.WRITE]


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_in_upsert_mode_a_refused_remote_created_at_goes_with_the_whole_record(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, answer: str
) -> None:
    vendor.switch(put_remote_created_at=answer)
    values = {"name": "New", "remote_created_at": 1400000000}
    outcome = service.write(client, update_or_create(known, {"remote_created_at"}, **values))
    assert (outcome.result, outcome.remote_id, outcome.sent) == (
        Result.ACCEPTED,
        known,
        ("company_id", "name", "remote_created_at"),
    )
    assert [(entry["method"], entry["path"]) for entry in vendor.sent()] == [
        ("PUT", f"/companies/{known}"),
        ("POST", "/companies"),
    ]
    assert (stored(vendor, "c1")["name"], stored(vendor, "c1")["remote_created_at"]) == ("New", 1400000000)


@pytest.mark.parametrize("answer", ["refuse", "ignore"])
def test_after_the_first_time_a_run_does_not_try_it_again(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str, answer: str
) -> None:
    vendor.switch(put_remote_created_at=answer)
    for moment in (1400000000, 1400000001, 1400000002):
        service.write(client, update_or_create(known, {"remote_created_at"}, remote_created_at=moment))
    service.write(client, update_or_create(known, {"name"}, name="Newer", remote_created_at=1400000002))
    assert [entry["method"] for entry in vendor.sent()] == ["PUT", "POST", "POST", "POST", "PUT"]
    assert stored(vendor, "c1")["remote_created_at"] == 1400000002


def test_where_it_is_refused_and_right_and_alone_nothing_more_is_written(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.switch(put_remote_created_at="refuse")
    outcome = service.write(client, update(known, {"remote_created_at"}, remote_created_at=1374138000))
    assert (outcome.result, outcome.sent) == (Result.ACCEPTED, ())
    assert [entry["method"] for entry in vendor.sent()] == ["PUT", "GET"]


def test_a_refusal_of_remote_created_at_for_a_company_that_is_gone_means_gone(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    refused = {
        "type": "error.list",
        "errors": [{"code": "bad_request", "message": "bad 'remote_created_at' parameter"}],
    }
    vendor.fail(action="reply", method="PUT", status=400, body=refused)
    vendor.call("DELETE", f"/companies/{known}")
    assert service.write(client, update(known, {"remote_created_at"}, remote_created_at=5)).result is Result.GONE


def test_another_bad_parameter_is_not_mistaken_for_it(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    refused = {"type": "error.list", "errors": [{"code": "bad_request", "message": "bad 'size' parameter"}]}
    vendor.fail(action="reply", method="PUT", status=400, body=refused)
    with pytest.raises(Misconfigured) as caught:
        service.write(client, update(known, {"remote_created_at", "size"}, remote_created_at=5, size=3))
    assert caught.value.where == "size"


def test_an_attribute_archived_on_the_way_is_named_as_configuration(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    vendor.call("PUT", "/data_attributes/34", {"archived": True})
    with pytest.raises(Misconfigured) as caught:
        service.write(client, update(known, {"seats"}, seats=9))
    assert caught.value.where == "seats"
    assert "'seats'" in caught.value.message
    assert "archived" in caught.value.message


def test_one_refused_company_spares_the_others_and_shows_no_value(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.switch(data_attributes=[{"name": "motto", "data_type": "string"}])
    refused = {
        "type": "error.list",
        "request_id": "r-9",
        "errors": [{"code": "data_invalid", "message": "motto 'Per aspera' is odd"}],
    }
    vendor.fail(action="reply", body_contains="Per aspera", status=422, body=refused)
    service.write(client, upsert("c1", motto="Ad astra"))
    with pytest.raises(Rejected) as caught:
        service.write(client, upsert("c2", motto="Per aspera"))
    service.write(client, upsert("c3", motto="Ad astra"))
    assert (caught.value.code, caught.value.request_id) == ("data_invalid", "r-9")
    assert "motto '[value]' is odd" in caught.value.message
    assert [company["company_id"] for company in vendor.sandbox.state()["companies"]] == ["c1", "c3"]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 422, 429, 500, 503])
def test_no_token_and_no_value_in_any_error(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, status: int
) -> None:
    echo = f"Ada Lovelace Ltd c-777 Bearer {TOKEN}"
    vendor.fail(action="reply", status=status, body={"errors": [{"code": "odd", "message": echo}]})
    with pytest.raises(Problem) as caught:
        service.write(client, upsert("c-777", name="Ada Lovelace Ltd"))
    told = caught.value.message + caught.value.detail + str(caught.value)
    assert TOKEN not in told
    assert "Lovelace" not in told
    assert "c-777" not in told


def test_find_asks_for_each_company_id_and_finds_companies_without_contacts(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, gate: NotingGate
) -> None:
    vendor.switch(companies=[{"company_id": "a b:c/é&=?"}])
    assert service.find(client, MATCH, ["a b:c/é&=?"]) == {"a b:c/é&=?": stored(vendor, "a b:c/é&=?")["id"]}
    assert service.find(client, MATCH, ["nobody"]) == {}
    assert gate.waited == [Purpose.LOOKUP, Purpose.LOOKUP]
    assert {(entry["method"], entry["path"]) for entry in vendor.sent()} == {("GET", "/companies")}


def test_find_reads_a_list_as_well(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    vendor.switch(companies=[{"company_id": "c1"}], lookup_as_list=True)
    assert service.find(client, MATCH, ["c1"]) == {"c1": stored(vendor, "c1")["id"]}


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "list", "data": []},
        {"type": "list", "data": [{"id": "6762f0761bb69f9f2193bae2", "company_id": "C1"}]},
        {"type": "company", "id": "6762f0761bb69f9f2193bae2", "company_id": "c10"},
    ],
)
def test_find_takes_no_company_for_another(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, answer: dict[str, Any]
) -> None:
    vendor.fail(action="reply", status=200, body=answer)
    assert service.find(client, MATCH, ["c1"]) == {}


def test_an_unreadable_look_up_does_not_mean_that_there_is_no_company(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.fail(action="reply", status=200, body={"type": "surprise"})
    with pytest.raises(Unavailable):
        service.find(client, MATCH, ["c1"])


@pytest.mark.parametrize(("given", "identity"), [("Acme ", "Acme "), ("007", "007"), (7, "7"), (7.0, "7")])
def test_the_identity_is_the_company_id_exactly_as_given(service: IntercomCompanies, given: Any, identity: str) -> None:
    assert service.identity(MATCH, service.convert(MATCH, given)) == identity


def test_a_body_without_custom_attributes_has_no_key_for_them() -> None:
    assert request_body({"name": "A"}) == {"name": "A"}
    assert request_body({"seats": 3}) == {"custom_attributes": {"seats": 3}}


def test_a_time_out_after_intercom_had_written_is_ambiguous_and_repeating_it_is_harmless(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor
) -> None:
    vendor.fail(action="cut_after", method="POST")
    with pytest.raises(Unavailable) as caught:
        service.write(client, upsert("c1", name="A"))
    assert caught.value.ambiguous
    assert service.write(client, upsert("c1", name="A")).result is Result.ACCEPTED
    assert len(vendor.sandbox.state()["companies"]) == 1


def test_many_threads_share_one_client(client: IntercomClient, service: IntercomCompanies, vendor: Vendor) -> None:
    def send(start: int) -> None:
        for number in range(start, 80, 4):
            service.write(client, upsert(f"c{number}", name=f"Company {number}"))

    threads = [threading.Thread(target=send, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(vendor.sandbox.state()["companies"]) == 80


def test_companies_are_never_listed_or_scrolled(
    client: IntercomClient, service: IntercomCompanies, vendor: Vendor, known: str
) -> None:
    service.fields(client)
    service.find(client, MATCH, ["c1"])
    service.write(client, upsert("c1", name="A"))
    service.write(client, update(known, {"name"}, name="B"))
    paths = {entry["path"] for entry in vendor.sent()}
    assert paths == {"/data_attributes", "/companies", f"/companies/{known}"}
