"""The simulated workspace, compared with Attio's documented and recorded answers."""

from __future__ import annotations

import base64
import re
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest
import requests

from destinations.sandbox.access import Bucket
from tests.destinations.attio.conftest import TOKEN, record

if TYPE_CHECKING:
    from destinations.sandbox.http_server import Server
    from destinations.services.attio.sandbox.server import AttioSandbox

Api = Callable[..., requests.Response]
COMPANIES = "/objects/companies"
RECORDS = f"{COMPANIES}/records"
TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}000000Z")


def body(**values: Any) -> dict[str, Any]:
    return {"data": {"values": values}}


@pytest.fixture
def create(api: Api) -> Callable[..., dict[str, Any]]:
    def send(**values: Any) -> dict[str, Any]:
        answer = api("POST", RECORDS, body(**values))
        assert answer.status_code == 200, answer.text
        return dict(answer.json()["data"])

    return send


def upsert(api: Api, **values: Any) -> requests.Response:
    return api("PUT", RECORDS, body(**values), params={"matching_attribute": "domains"})


def error(answer: requests.Response) -> tuple[int, str, str]:
    found = answer.json()
    assert set(found) <= {"status_code", "type", "code", "message", "validation_errors"}
    assert found["status_code"] == answer.status_code
    return found["status_code"], found["type"], found["code"]


def test_self_is_flat_and_includes_the_scopes(api: Api) -> None:
    found = api("GET", "/self").json()
    assert found["active"] is True
    assert found["scope"] == "record_permission:read-write object_configuration:read"
    assert (found["exp"], found["token_type"], found["iss"]) == (None, "Bearer", "attio.com")
    assert found["sub"] == found["workspace_id"]


@pytest.mark.parametrize("headers", [{"Authorization": "Bearer other"}, {"Authorization": ""}])
def test_unknown_token_is_inactive_on_self_and_401_elsewhere(api: Api, headers: dict[str, str]) -> None:
    assert api("GET", "/self", headers=headers).json() == {"active": False}
    assert error(api("GET", "/objects", headers=headers)) == (401, "auth_error", "unauthorized")


def test_basic_authentication_takes_the_token_as_user_name(api: Api) -> None:
    basic = base64.b64encode(f"{TOKEN}:".encode()).decode()
    assert api("GET", "/objects", headers={"Authorization": f"Basic {basic}"}).status_code == 200
    assert api("GET", "/objects", headers={"Authorization": "Basic %%%"}).status_code == 401


def test_required_scopes_depend_on_the_route(api: Api, switch: Callable[..., None]) -> None:
    switch(scopes=["record_permission:read", "object_configuration:read"])
    assert api("POST", f"{RECORDS}/query", {}).status_code == 200
    assert error(api("POST", RECORDS, body(name="A"))) == (403, "auth_error", "unauthorized")
    switch(scopes="record_permission:read-write")
    assert error(api("GET", f"{COMPANIES}/attributes")) == (403, "auth_error", "unauthorized")


def test_unknown_paths_are_named(api: Api) -> None:
    answer = api("GET", RECORDS)
    assert error(answer) == (404, "invalid_request_error", "not_found")
    assert answer.json()["message"] == 'Could not find endpoint "GET /v2/objects/companies/records".'
    assert api("GET", "/objects/nope").json()["message"] == 'Object with slug/ID "nope" not found.'
    assert api("GET", f"{COMPANIES}/attributes/nope").json()["message"] == 'Attribute with slug/ID "nope" not found.'


def test_answers_have_attios_headers(api: Api) -> None:
    answer = api("POST", f"{RECORDS}/query", {})
    assert uuid.UUID(answer.headers["x-attio-execution-id"])
    assert TIMESTAMP.fullmatch(answer.headers["x-accurate-at"])
    assert answer.headers["x-attio-record-query-score"] == "0"
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"


def test_objects_and_attributes_have_every_field(api: Api) -> None:
    objects = api("GET", "/objects").json()["data"]
    assert [entry["api_slug"] for entry in objects] == ["companies", "people"]
    by_id = api("GET", f"/objects/{objects[0]['id']['object_id']}").json()["data"]
    assert by_id == objects[0]
    attribute = api("GET", f"{COMPANIES}/attributes/domains").json()["data"]
    assert set(attribute) == {
        "id",
        "title",
        "description",
        "api_slug",
        "type",
        "is_system_attribute",
        "is_writable",
        "is_required",
        "is_unique",
        "is_multiselect",
        "is_default_value_enabled",
        "is_archived",
        "default_value",
        "relationship",
        "created_at",
        "config",
    }
    assert set(attribute["config"]) == {"currency", "record_reference"}


def test_attributes_are_paged_and_archived_ones_hidden(api: Api, switch: Callable[..., None]) -> None:
    path = f"{COMPANIES}/attributes"
    slugs = [entry["api_slug"] for entry in api("GET", path).json()["data"]]
    pages = [api("GET", path, params={"limit": 20, "offset": offset}).json()["data"] for offset in (0, 20, 40)]
    assert [entry["api_slug"] for page in pages for entry in page] == slugs
    assert [len(page) for page in pages] == [20, 12, 0]
    switch(archive=["twitter"])
    assert "twitter" not in [entry["api_slug"] for entry in api("GET", path).json()["data"]]
    assert len(api("GET", path, params={"show_archived": "true"}).json()["data"]) == 32
    assert error(api("GET", path, params={"limit": "many"}))[2] == "validation_type"


def test_options_are_unpaged_and_only_for_selects(api: Api) -> None:
    found = api("GET", f"{COMPANIES}/attributes/categories/options").json()["data"]
    assert len(found) == 152
    assert set(found[0]) == {"id", "title", "is_archived"}
    assert (
        api("GET", f"{COMPANIES}/attributes/name/options").json()["message"]
        == "This attribute is not a select attribute."
    )


def test_record_contains_every_attribute_with_metadata(create: Callable[..., dict[str, Any]]) -> None:
    created = create(domains=["https://App.Acme.co.uk/x?y"], name="Acme")
    assert created["web_url"].endswith(f"/company/{created['id']['record_id']}")
    assert TIMESTAMP.fullmatch(created["created_at"])
    values = created["values"]
    assert len(values) == 32
    assert values["twitter"] == []
    domain = values["domains"][0]
    assert (domain["domain"], domain["root_domain"], domain["attribute_type"]) == (
        "app.acme.co.uk",
        "acme.co.uk",
        "domain",
    )
    assert domain["active_until"] is None
    assert domain["created_by_actor"]["type"] == "api-token"
    assert values["record_id"][0]["value"] == created["id"]["record_id"]


@pytest.mark.parametrize(
    ("sent", "path", "received"),
    [
        ([], [], "array"),
        ({}, ["data"], "undefined"),
        ({"data": {}}, ["data", "values"], "undefined"),
        ({"data": {"values": None}}, ["data", "values"], "null"),
    ],
)
def test_body_without_values_is_rejected(api: Api, sent: Any, path: list[str], received: str) -> None:
    found = api("POST", RECORDS, sent).json()
    assert found["message"] == "Body payload validation error."
    assert found["validation_errors"][0]["path"] == path
    assert found["validation_errors"][0]["received"] == received
    assert found["validation_errors"][0]["code"] == "invalid_type"


@pytest.mark.parametrize(
    ("values", "code", "message"),
    [
        ({"plan": "x"}, "value_not_found", 'Cannot find attribute with slug/ID "plan".'),
        ({"created_at": "2024-01-01"}, "system_edit_unauthorized", ""),
        ({"domains": "acme.com"}, "validation_type", 'An invalid value was passed to attribute with slug "domains".'),
        (
            {"domains": ["acme.example"]},
            "validation_type",
            'An invalid value was passed to attribute with slug "domains".',
        ),
        ({"name": None}, "validation_type", 'An invalid value was passed to attribute with slug "name".'),
        ({"name": 5}, "validation_type", ""),
        ({"name": ["a", "b"]}, "multiple_values_for_single_value_attribute", ""),
        ({"categories": ["Unheard of"]}, "value_not_found", 'Cannot find select option with title "Unheard of".'),
        ({"categories": [None]}, "validation_type", ""),
        ({"funding_raised_usd": "5"}, "validation_type", ""),
        ({"funding_raised_usd": 5.00001}, "validation_type", ""),
        ({"foundation_date": "1/1/2020"}, "validation_type", ""),
        ({"primary_location": {"locality": "Paris"}}, "validation_type", ""),
        ({"team": ["nobody@acme.com"]}, "value_not_found", ""),
    ],
)
def test_rejected_values_store_nothing(
    api: Api, sandbox: AttioSandbox, values: dict[str, Any], code: str, message: str
) -> None:
    answer = api("POST", RECORDS, body(twitter="@acme", **values))
    assert error(answer) == (400, "invalid_request_error", code)
    assert message in answer.json()["message"]
    assert sandbox.state()["records"] == []


def test_location_with_missing_keys_lists_them(api: Api) -> None:
    found = api("POST", RECORDS, body(primary_location={"locality": "Paris"})).json()["validation_errors"]
    assert len(found) == 9
    assert {
        "code": "invalid_type",
        "path": ["region"],
        "message": "Required",
        "expected": "string",
        "received": "undefined",
    } in found


@pytest.mark.parametrize(
    ("slug", "sent", "stored"),
    [
        ("foundation_date", "2023", "2023-01-01"),
        ("foundation_date", {"value": "2023-05-01T23:00:00-10:00"}, "2023-05-02"),
        ("funding_raised_usd", {"currency_value": 4.5}, 4.5),
        ("employee_range", ["11-50"], "11-50"),
        ("employee_range", {"option": "51-250"}, "51-250"),
        ("name", {"value": "Acme"}, "Acme"),
    ],
)
def test_values_are_stored_as_attio_stores_them(
    create: Callable[..., Any], sandbox: AttioSandbox, slug: str, sent: Any, stored: Any
) -> None:
    create(**{slug: sent})
    assert sandbox.state()["records"][0]["values"] == {slug: stored}


def test_taken_domain_is_rejected_in_any_case(
    api: Api, create: Callable[..., dict[str, Any]], switch: Callable[..., None]
) -> None:
    owner = create(domains=["acme.com"])["id"]["record_id"]
    answer = api("POST", RECORDS, body(domains=["ACME.com"], name="Other"))
    assert error(answer) == (400, "invalid_request_error", "uniqueness_conflict")
    assert answer.json()["message"].startswith(
        'A value provided for attribute with slug "domains" conflicts with one already in the system.'
    )
    assert answer.json()["message"].endswith(f"Conflicting record IDs: {owner}")
    switch(conflict_names_record=False)
    assert owner not in api("POST", RECORDS, body(domains=["acme.com"])).text


def test_upsert_needs_a_unique_attribute_and_its_value(api: Api) -> None:
    cases = [
        ({}, "validation_type", "Query params validation error."),
        (
            {"matching_attribute": "nope"},
            "value_not_found",
            'No attribute was found for matching_attribute slug/ID "nope".',
        ),
        (
            {"matching_attribute": "name"},
            "matching_attribute_definition_not_unique",
            "The matching attribute specified is not a unique attribute.",
        ),
        ({"matching_attribute": "record_id"}, "matching_attribute_definition_not_unique", ""),
        ({"matching_attribute": "domains"}, "missing_value", "Required value for attribute with ID"),
    ]
    for params, code, message in cases:
        answer = api("PUT", RECORDS, body(name="Acme"), params=params)
        assert error(answer) == (400, "invalid_request_error", code)
        assert message in answer.json()["message"]


def test_upsert_adds_to_the_matching_list_and_replaces_the_others(api: Api, sandbox: AttioSandbox) -> None:
    first = upsert(api, domains=["acme.com"], categories=["SAAS", "B2B"], name="Acme").json()["data"]
    second = upsert(api, domains=["ACME.com", "acme.io"], categories=["Internet"]).json()["data"]
    assert second["id"] == first["id"]
    assert set(second) == set(first)
    assert record(sandbox, "acme.io")["values"] == {
        "domains": ["acme.com", "acme.io"],
        "categories": ["Internet"],
        "name": "Acme",
    }


def test_upsert_with_domains_of_two_companies_stores_nothing(api: Api, sandbox: AttioSandbox) -> None:
    upsert(api, domains=["acme.com"])
    upsert(api, domains=["other.com"])
    assert error(upsert(api, domains=["acme.com", "other.com"], name="Both"))[2] == "uniqueness_conflict"
    assert "name" not in record(sandbox, "acme.com")["values"]


def test_patch_adds_to_lists_and_put_replaces_them(
    api: Api, create: Callable[..., dict[str, Any]], sandbox: AttioSandbox
) -> None:
    path = f"{RECORDS}/{create(domains=['acme.com'], categories=['SAAS', 'B2B'], name='Acme')['id']['record_id']}"
    api("PATCH", path, body(categories=["Internet", "B2B"]))
    assert record(sandbox, "acme.com")["values"]["categories"] == ["Internet", "SAAS", "B2B"]
    api("PUT", path, body(categories=["B2B", "Internet"]))
    assert record(sandbox, "acme.com")["values"] == {
        "domains": ["acme.com"],
        "categories": ["B2B", "Internet"],
        "name": "Acme",
    }
    api("PATCH", path, body(categories=[]))
    assert len(record(sandbox, "acme.com")["values"]["categories"]) == 2
    api("PUT", path, body(categories=[], name=[]))
    assert record(sandbox, "acme.com")["values"] == {"domains": ["acme.com"]}


@pytest.mark.parametrize(("meaning", "remaining"), [("clear", {}), ("ignore", {"name": "Acme"})])
def test_empty_patch_supports_both_possible_meanings(
    api: Api,
    create: Callable[..., dict[str, Any]],
    sandbox: AttioSandbox,
    switch: Callable[..., None],
    meaning: str,
    remaining: dict[str, str],
) -> None:
    switch(empty_patch=meaning)
    api("PATCH", f"{RECORDS}/{create(name='Acme')['id']['record_id']}", body(name=[]))
    assert sandbox.state()["records"][0]["values"] == remaining


def test_only_changed_values_get_a_new_time(api: Api, create: Callable[..., dict[str, Any]]) -> None:
    created = create(domains=["acme.com"], name="Acme", twitter="@acme")
    time.sleep(0.01)
    path = f"{RECORDS}/{created['id']['record_id']}"
    after = api("PUT", path, body(name="Acme Ltd", twitter="@acme", domains=["acme.com", "acme.io"])).json()["data"]
    times = {slug: [value["active_from"] for value in after["values"][slug]] for slug in ("name", "twitter", "domains")}
    assert after["created_at"] == created["created_at"]
    assert times["twitter"] == [created["created_at"]]
    assert times["name"] > [created["created_at"]]
    assert times["domains"][0] == created["created_at"] < times["domains"][1]


def test_reading_and_deleting(api: Api, create: Callable[..., dict[str, Any]]) -> None:
    created = create(domains=["acme.com"])
    path = f"{RECORDS}/{created['id']['record_id']}"
    assert api("GET", path).json()["data"] == created
    assert api("DELETE", path).json() == {}
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        answer = api(method, path, body(name="A") if method in ("PUT", "PATCH") else None)
        assert error(answer) == (404, "invalid_request_error", "not_found")
        assert answer.json()["message"] == f'Record with ID "{created["id"]["record_id"]}" not found.'
    assert create(domains=["acme.com"])["id"] != created["id"]
    assert error(api("GET", f"{RECORDS}/not-an-id"))[2] == "validation_type"


def test_required_values_must_be_sent_and_cannot_be_cleared(
    api: Api, switch: Callable[..., None], create: Callable[..., dict[str, Any]]
) -> None:
    switch(attributes=[{"api_slug": "vat", "type": "text", "is_required": True}])
    assert error(api("POST", RECORDS, body(name="Acme")))[2] == "missing_value"
    path = f"{RECORDS}/{create(vat='FR1')['id']['record_id']}"
    assert api("PUT", path, body(name="Acme")).status_code == 200
    assert error(api("PUT", path, body(vat=[])))[2] == "missing_value"


@pytest.mark.parametrize(
    ("filter_", "expected"),
    [
        ({"domains": "ACME.com"}, ["Acme"]),
        ({"domains": {"domain": {"$eq": "acme.com"}}}, ["Acme"]),
        ({"domains": {"root_domain": {"$eq": "other.com"}}}, ["Other"]),
        ({"domains": {"domain": {"$ends_with": ".com"}}}, ["Acme", "Other"]),
        (
            {
                "$or": [
                    {"domains": "acme.com"},
                    {"domains": {"domain": {"$eq": "app.other.com"}}},
                    {"domains": "no.com"},
                ]
            },
            ["Acme", "Other"],
        ),
        ({"$and": [{"domains": "acme.com"}, {"name": "Other"}]}, []),
        ({"$not": {"domains": "acme.com"}}, ["Other", "Third"]),
        ({"$or": [{"domains": "acme.com"}, {"name": {"$starts_with": "Thi"}}]}, ["Acme", "Third"]),
        ({"funding_raised_usd": {"currency_value": {"$gte": 5}}}, ["Other"]),
        ({"employee_range": "11-50"}, ["Acme"]),
        ({"twitter": {"$not_empty": True}}, ["Third"]),
        ({"name": {"value": {"$in": ["Acme", "Third"]}}}, ["Acme", "Third"]),
        ({"foundation_date": {"$lt": "2020-01-01"}}, ["Acme"]),
        ({}, ["Acme", "Other", "Third"]),
    ],
)
def test_filters(api: Api, create: Callable[..., Any], filter_: dict[str, Any], expected: list[str]) -> None:
    create(domains=["acme.com"], name="Acme", employee_range="11-50", foundation_date="2019-01-01")
    create(domains=["app.other.com"], name="Other", funding_raised_usd=7)
    create(name="Third", twitter="@third")
    found = api("POST", f"{RECORDS}/query", {"filter": filter_}).json()["data"]
    assert [entry["values"]["name"][0]["value"] for entry in found] == expected


@pytest.mark.parametrize(
    ("filter_", "code"),
    [
        ({"nope": 1}, "unknown_filter_attribute_slug"),
        ({"domains": {"domain": {"$in": ["a.com"]}}}, "invalid_filter_operator"),
        ({"domains": {"host": {"$eq": "a.com"}}}, "invalid_filter_field"),
        ({"$nor": []}, "invalid_filter_operator"),
        ({"$or": {}}, "filter_error"),
        ({"last_interaction": "x"}, "filter_error"),
        ("acme.com", "filter_error"),
    ],
)
def test_malformed_filters(api: Api, filter_: Any, code: str) -> None:
    assert error(api("POST", f"{RECORDS}/query", {"filter": filter_})) == (400, "invalid_request_error", code)


def test_queries_are_paged_and_sorted(api: Api, create: Callable[..., Any]) -> None:
    for name in "bca":
        create(name=name)

    def names(**query: Any) -> list[str]:
        found = api("POST", f"{RECORDS}/query", query).json()["data"]
        return [entry["values"]["name"][0]["value"] for entry in found]

    assert names() == ["b", "c", "a"]
    assert names(limit=2) + names(limit=2, offset=2) == ["b", "c", "a"]
    assert names(sorts=[{"direction": "desc", "attribute": "name"}]) == ["c", "b", "a"]
    assert error(api("POST", f"{RECORDS}/query", {"sorts": [{"direction": "up"}]}))[2] == "missing_sort_field"
    assert error(api("POST", f"{RECORDS}/query", {"limit": "all"}))[2] == "validation_type"


def test_rate_limit_answers_with_a_date_and_stores_nothing(
    api: Api, switch: Callable[..., None], sandbox: AttioSandbox
) -> None:
    switch(writes_per_second=2, reads_per_second=3)
    answers = [api("POST", RECORDS, body(name=str(number))) for number in range(4)]
    throttled = [answer for answer in answers if answer.status_code == 429]
    assert len(throttled) == 2
    assert throttled[0].json() == {
        "status_code": 429,
        "type": "rate_limit_error",
        "code": "rate_limit_exceeded",
        "message": "Rate limit exceeded, please try again later",
    }
    wait = parsedate_to_datetime(throttled[0].headers["Retry-After"]) - datetime.now(UTC)
    assert throttled[0].headers["Retry-After"].endswith("GMT")
    assert -0.5 < wait.total_seconds() <= 1
    assert len(sandbox.state()["records"]) == 2
    assert [api("GET", "/objects").status_code for _ in range(3)] == [200] * 3


def test_bucket_refills_steadily_and_holds_one_second() -> None:
    bucket = Bucket()
    assert [bucket.take(2, 0.0) for _ in range(3)] == [True, True, False]
    assert [bucket.take(2, 0.5), bucket.take(2, 0.5)] == [True, False]
    assert [bucket.take(2, 100.0) for _ in range(3)] == [True, True, False]
    assert all(bucket.take(0, 100.0) for _ in range(1000))


def test_default_limits_are_attios(server: Server) -> None:
    requests.post(f"{server.url}/_sandbox/reset", json={}, timeout=5)
    switches = server.sandbox.switches
    assert (switches["reads_per_second"], switches["writes_per_second"]) == (100, 25)


def test_enrichment_fills_empty_attributes_after_a_delay(
    create: Callable[..., Any], sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    switch(enrichment=True)
    create(domains=["acme.com"], categories=["SAAS"])
    assert "description" not in record(sandbox, "acme.com")["values"]
    time.sleep(0.3)
    assert record(sandbox, "acme.com")["values"]["description"] == "Filled in by Attio."
    assert record(sandbox, "acme.com")["values"]["categories"] == ["SAAS"]
    actors = [
        value.actor["type"]
        for item in sandbox.workspace.stores["companies"].records.values()
        for value in item.values["description"]
    ]
    assert actors == ["system"]


def test_enrichment_can_overwrite_sent_values(
    create: Callable[..., Any], sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    switch(enrichment="overwrite")
    create(domains=["acme.com"], description="Ours")
    time.sleep(0.3)
    assert record(sandbox, "acme.com")["values"]["description"] == "Filled in by Attio."


def test_merge_creates_a_third_record(
    api: Api, create: Callable[..., Any], sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    first = create(domains=["acme.com"], name="Acme")["id"]["record_id"]
    second = create(domains=["acme.io"], name="Acme IO", twitter="@io")["id"]["record_id"]
    switch(merge=[first, second])
    assert [api("GET", f"{RECORDS}/{id_}").status_code for id_ in (first, second)] == [404, 404]
    merged = record(sandbox, "acme.io")
    assert merged["id"] not in (first, second)
    assert merged["values"] == {"domains": ["acme.com", "acme.io"], "name": "Acme", "twitter": "@io"}


def test_record_that_is_being_merged_cannot_be_read_or_written(
    api: Api, create: Callable[..., Any], switch: Callable[..., None]
) -> None:
    created = create(domains=["acme.com"])["id"]["record_id"]
    switch(merging=[created])
    assert error(api("GET", f"{RECORDS}/{created}"))[0::2] == (404, "merge_in_progress")
    assert error(api("PUT", f"{RECORDS}/{created}", body(name="A")))[0::2] == (400, "merge_in_progress")
    assert error(upsert(api, domains=["acme.com"]))[0::2] == (400, "merge_in_progress")


def test_requested_number_of_writes_is_answered_409(
    api: Api, sandbox: AttioSandbox, switch: Callable[..., None]
) -> None:
    switch(concurrent_write_conflicts=2)
    answers = [upsert(api, domains=["acme.com"]) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [409, 409, 200]
    assert error(answers[0])[2] == "concurrent_write_conflict"


def test_people_and_companies_refer_to_each_other(api: Api, create: Callable[..., Any], sandbox: AttioSandbox) -> None:
    def person(email: str, **values: Any) -> str:
        answer = api("POST", "/objects/people/records", body(email_addresses=[email], **values))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["data"]["id"]["record_id"])

    ada = person("Ada@Acme.com", name="Lovelace, Ada")
    create(domains=["acme.com"], team=["ada@acme.com"])
    bob = person("bob@acme.com", company={"target_object": "companies", "domains": [{"domain": "acme.com"}]})
    assert set(record(sandbox, "acme.com")["values"]["team"]) == {ada, bob}
    create(domains=["other.com"], team=[{"target_object": "people", "target_record_id": ada}])
    assert record(sandbox, "acme.com")["values"]["team"] == [bob]
    other = record(sandbox, "other.com")["id"]
    assert {entry["id"]: entry["values"]["company"] for entry in sandbox.state()["people"]}[ada] == other


def test_new_person_can_create_their_company(api: Api, sandbox: AttioSandbox, switch: Callable[..., None]) -> None:
    switch(companies_from_emails=True)
    answer = api("POST", "/objects/people/records", body(email_addresses=["ada@acme.com"]))
    assert answer.json()["data"]["values"]["company"][0]["target_record_id"] == record(sandbox, "acme.com")["id"]
    assert error(api("POST", RECORDS, body(domains=["acme.com"])))[2] == "uniqueness_conflict"


def test_members_can_be_referenced(
    create: Callable[..., Any], api: Api, switch: Callable[..., None], sandbox: AttioSandbox
) -> None:
    switch(attributes=[{"api_slug": "owner", "type": "actor-reference"}], members=["Ada@acme.com"])
    create(owner="ada@acme.com")
    assert sandbox.state()["records"][0]["values"]["owner"] == sandbox.workspace.members["ada@acme.com"]
    assert error(api("POST", RECORDS, body(owner="bob@acme.com")))[2] == "value_not_found"


def test_new_options_can_be_chosen_but_archived_ones_cannot(
    api: Api, create: Callable[..., Any], switch: Callable[..., None]
) -> None:
    switch(add_options={"categories": ["Teapots"]}, archive_options={"categories": ["SAAS"]})
    create(categories=["Teapots"])
    assert error(api("POST", RECORDS, body(categories=["SAAS"])))[2] == "value_not_found"


def test_reset_clears_everything(create: Callable[..., Any], server: Server, switch: Callable[..., None]) -> None:
    switch(attributes=[{"api_slug": "tier", "type": "text"}], revoked=False)
    create(tier="Gold")
    requests.post(f"{server.url}/_sandbox/reset", json={}, timeout=5)
    state = requests.get(f"{server.url}/_sandbox/state", timeout=5).json()
    assert state["records"] == []
    assert "tier" not in state["attributes"]


def test_requests_stay_fast_with_many_companies(sandbox: AttioSandbox, api: Api) -> None:
    store = sandbox.workspace.stores["companies"]
    now = datetime.now(UTC)
    for number in range(20_000):
        sandbox.workspace.create(
            store, {"domains": [{"domain": f"acme{number}.com", "root_domain": f"acme{number}.com"}]}, now
        )
    clauses = [{"domains": {"domain": {"$eq": f"acme{number * 400}.com"}}} for number in range(50)]
    started = time.perf_counter()
    assert len(api("POST", f"{RECORDS}/query", {"filter": {"$or": clauses}}).json()["data"]) == 50
    assert upsert(api, domains=["acme19999.com"], name="Last").status_code == 200
    assert api("POST", RECORDS, body(domains=["acme7.com"])).status_code == 400
    assert time.perf_counter() - started < 1
