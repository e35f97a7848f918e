"""Creating, updating and finding companies: the requests that are sent, and the records that result."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from core.errors import Misconfigured, Rejected, Unavailable
from destinations.contract import Field, Operation, Outcome, Purpose, Result, Verb
from destinations.sandbox.wire import Fault
from destinations.services.attio.client import Client, seconds_to_wait
from tests.destinations.attio.conftest import TOKEN, CountingGate, record, sent

if TYPE_CHECKING:
    import requests

    from destinations.services.attio.companies import AttioCompanies
    from destinations.services.attio.sandbox.server import AttioSandbox

pytestmark = pytest.mark.usefixtures("fields")


@pytest.fixture
def write(client: Client, service: AttioCompanies) -> Callable[..., Outcome]:
    """Writes one operation that matches by domain."""

    def send(
        verb: Verb, domain: str, values: dict[str, Any], *, changed: str = "", add: str = "", remote_id: str = ""
    ) -> Outcome:
        operation = Operation(
            verb, "domains", [domain], values, frozenset(changed.split()), frozenset(add.split()), remote_id
        )
        return service.write(client, operation)

    return send


Write = Callable[..., Outcome]


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
    assert outcome.facts["web_url"].endswith(outcome.remote_id)


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


@pytest.mark.parametrize(("status", "code"), [(400, "quota_exceeded"), (403, "billing_error"), (402, "billing_error")])
def test_full_workspace_stops_the_run_whatever_the_status(
    write: Write, switch: Callable[..., None], sandbox: AttioSandbox, status: int, code: str
) -> None:
    switch(record_cap={"most": 1, "status": status, "code": code})
    write(Verb.UPSERT, "acme.com", {})
    with pytest.raises(Misconfigured, match="plan") as problem:
        write(Verb.UPSERT, "other.com", {})
    assert problem.value.code == code
    assert len(sandbox.state()["records"]) == 1


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


def test_attribute_archived_during_a_run_stops_it(write: Write, switch: Callable[..., None]) -> None:
    switch(archive=["description"])
    with pytest.raises(Misconfigured) as problem:
        write(Verb.UPSERT, "acme.com", {"description": "x"})
    assert (problem.value.code, problem.value.where) == ("attribute_missing", "description")


@pytest.mark.parametrize(
    ("switches", "code"),
    [({"revoked": True}, "unauthorized"), ({"scopes": "object_configuration:read"}, "unauthorized")],
)
def test_token_revoked_during_a_run_stops_it(
    write: Write, switch: Callable[..., None], switches: dict[str, Any], code: str
) -> None:
    switch(**switches)
    with pytest.raises(Misconfigured) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    assert problem.value.code == code
    assert TOKEN not in problem.value.message + problem.value.detail


def test_temporary_conflicts_can_be_retried(write: Write, switch: Callable[..., None]) -> None:
    known = write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    switch(concurrent_write_conflicts=1)
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "New"})
    assert not problem.value.ambiguous
    assert not problem.value.throttled
    switch(merging=[known.remote_id])
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPDATE, "acme.com", {"name": "New"}, changed="name", remote_id=known.remote_id)
    assert problem.value.code == "merge_in_progress"
    assert not problem.value.ambiguous


def test_throttled_write_reports_the_wait_from_a_date(
    write: Write, switch: Callable[..., None], sandbox: AttioSandbox
) -> None:
    switch(writes_per_second=1)
    write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "New"})
    assert problem.value.throttled
    assert not problem.value.ambiguous
    assert problem.value.retry_after is not None
    assert 0 <= problem.value.retry_after <= 1
    assert record(sandbox, "acme.com")["values"]["name"] == "Acme"


def test_throttled_write_reports_the_wait_in_seconds(write: Write, sandbox: AttioSandbox) -> None:
    sandbox.faults.append(Fault("reply", status=429, body={}, headers={"Retry-After": "2"}))
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {})
    assert problem.value.retry_after == 2


def test_retry_date_is_compared_with_attios_clock_if_known() -> None:
    our_time = datetime(2030, 1, 1, tzinfo=UTC)
    header = {"Retry-After": "Tue, 23 May 2023 14:42:01 GMT"}
    assert seconds_to_wait({**header, "Date": "Tue, 23 May 2023 14:42:00 GMT"}, our_time) == 1
    assert seconds_to_wait({**header, "Date": "nonsense"}, datetime(2023, 5, 23, 14, 41, 59, tzinfo=UTC)) == 2
    assert seconds_to_wait({**header, "Date": "Tue, 23 May 2023 14:42:00 -0000"}, our_time) == 0
    assert seconds_to_wait(header, our_time) == 0
    assert seconds_to_wait({"Date": "Tue, 23 May 2023 14:42:00 GMT"}, our_time) is None


@pytest.mark.parametrize(
    ("fault", "applied"),
    [
        (Fault("reply", status=500, body={"message": "oops"}), False),
        (Fault("reply", status=502, body="<html>Bad gateway</html>"), False),
        (Fault("reply", status=200, body="<html>Welcome</html>"), False),
        (Fault("reply", status=200, body=""), False),
        (Fault("reply", status=200, body={"data": {}}), False),
        (Fault("cut"), False),
        (Fault("cut_after"), True),
    ],
)
def test_write_without_a_usable_answer_is_ambiguous(
    write: Write, sandbox: AttioSandbox, fault: Fault, applied: bool
) -> None:
    sandbox.faults.append(fault)
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    assert problem.value.ambiguous
    assert not problem.value.throttled
    assert bool(sandbox.state()["records"]) is applied


def test_late_answer_is_ambiguous(write: Write, sandbox: AttioSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.http.READ_SECONDS", 0.2)
    sandbox.faults.append(Fault("delay_after", seconds=0.6))
    with pytest.raises(Unavailable) as problem:
        write(Verb.UPSERT, "acme.com", {"name": "Acme"})
    assert (problem.value.code, problem.value.ambiguous) == ("timeout", True)
    assert write(Verb.UPSERT, "acme.com", {"name": "Acme"}).remote_id == record(sandbox, "acme.com")["id"]


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
    assert found == {"acme.com": known["acme.com"], "acme.io": known["acme.com"], "other.com": known["other.com"]}
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
    assert service.find(client, fields["domains"], ["acme.com"]) == {"acme.com": created["id"]["record_id"]}


def test_company_without_www_takes_precedence(
    service: AttioCompanies, client: Client, fields: dict[str, Field], api: Callable[..., requests.Response]
) -> None:
    created = {
        domain: api("POST", "/objects/companies/records", {"data": {"values": {"domains": [domain]}}}).json()["data"][
            "id"
        ]["record_id"]
        for domain in ("www.acme.com", "acme.com")
    }
    assert service.find(client, fields["domains"], ["acme.com"]) == {"acme.com": created["acme.com"]}


def test_value_that_attio_rejects_in_a_lookup_does_not_hide_others(
    service: AttioCompanies, client: Client, fields: dict[str, Field], write: Write, sandbox: AttioSandbox
) -> None:
    known = write(Verb.UPSERT, "acme.com", {}).remote_id
    rejection = {"status_code": 400, "type": "invalid_request_error", "code": "validation_type", "message": "Invalid."}
    sandbox.faults.append(
        Fault("reply", path="/query$", body_contains='"odd.com"', times=99, status=400, body=rejection)
    )
    assert service.find(client, fields["domains"], ["odd.com", "a.com", "acme.com", "b.com"]) == {"acme.com": known}


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
    assert service.find(client, fields["domains"], wanted[-6:]) == {"acme49.com": known}


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
