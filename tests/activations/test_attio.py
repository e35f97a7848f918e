"""Whole runs to Attio: columns for parts of a location, lists of domains in a column, and people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from activations.models import Activation, Change, Record
from destinations.models import Destination
from segments.sources.discovery import refresh_columns
from tests.activations.conftest import Shop, map_fields, run, writes

if TYPE_CHECKING:
    from destinations.sandbox.base import Sandbox
    from segments.models import DataModel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def offices(shop: Shop, companies: DataModel, to_attio: Activation) -> Activation:
    """Three companies with separate columns for city and postcode."""
    shop.fill(3)
    shop.run("alter table companies add column city text")
    shop.run("alter table companies add column zip integer")
    refresh_columns(companies)
    return map_fields(to_attio, ("city", "primary_location.locality"), ("zip", "primary_location.postcode"))


def locations(attio: Sandbox) -> list[Any]:
    """Locality, postcode and line 1 of each company."""
    records = sorted(attio.state()["records"], key=lambda record: record["values"]["name"])
    values = [record["values"].get("primary_location") or {} for record in records]
    return [(place.get("locality"), place.get("postcode"), place.get("line_1")) for place in values]


def test_columns_share_one_location_and_changing_one_keeps_the_rest(
    shop: Shop, attio: Sandbox, offices: Activation
) -> None:
    shop.run("update companies set city = 'Paris', zip = 75000 + id where id < 3")
    first = run(offices)
    assert (first.state, first.accepted, first.write_requests) == ("succeeded", 3, 3)
    assert locations(attio) == [("Paris", "75001", None), ("Paris", "75002", None), (None, None, None)]
    add_street(attio)
    assert run(offices).planned == 0
    writes(attio)
    shop.set(1, "city", "Lyon")
    second = run(offices)
    assert (second.accepted, second.write_requests, second.lookup_requests) == (1, 1, 1)
    (sent,) = writes(attio)
    assert list(sent["body"]["data"]["values"]) == ["primary_location"]
    assert locations(attio)[0] == ("Lyon", "75001", "1 rue de Rivoli")
    change = Change.objects.get(run=second)
    assert change.sent == ["primary_location.locality", "primary_location.postcode"]


def test_run_that_changes_no_part_of_a_location_looks_nothing_up(
    shop: Shop, attio: Sandbox, offices: Activation
) -> None:
    shop.run("update companies set city = 'Paris'")
    run(offices)
    shop.set(1, "name", "New")
    done = run(offices)
    assert (done.write_requests, done.lookup_requests) == (1, 0)


def test_update_mode_finds_a_company_by_any_of_its_domains(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(60)
    run(to_attio)
    Record.objects.all().delete()
    shop.run("update companies set domain = 'new' || id || '.com, ' || domain, name = 'Known'")
    shop.add((99, "Unknown", "unknown.com, unknown.net", None, "pro", 1))
    Activation.objects.filter(pk=to_attio.pk).update(mode="update")
    done = run(Activation.objects.get(pk=to_attio.pk))
    assert (done.accepted, done.skipped, done.created) == (60, 1, 0)
    assert done.lookup_requests <= 4
    assert {record["values"]["name"] for record in attio.state()["records"]} == {"Known"}


def test_domain_added_to_the_column_is_added_to_the_company(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.fill(3)
    run(to_attio)
    writes(attio)
    shop.set(2, "domain", "company2.com, company2.io")
    done = run(to_attio)
    assert (done.accepted, done.unchanged, done.write_requests) == (1, 2, 1)
    (sent,) = writes(attio)
    assert (sent["method"], sent["body"]["data"]["values"]) == ("PATCH", {"domains": ["company2.com", "company2.io"]})
    assert run(to_attio).planned == 0
    shop.set(2, "name", "Renamed")
    assert run(to_attio).accepted == 1
    (sent,) = writes(attio)
    assert (sent["method"], list(sent["body"]["data"]["values"])) == ("PUT", ["name"])
    Activation.objects.filter(pk=to_attio.pk).update(compare_first=False)
    assert run(Activation.objects.get(pk=to_attio.pk), full=True).accepted == 3
    assert not any("domains" in entry["body"]["data"]["values"] for entry in writes(attio))


@pytest.mark.parametrize("mode", ["upsert", "update", "insert"])
def test_rows_whose_domains_overlap_are_invalid(mode: str, shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    Activation.objects.filter(pk=to_attio.pk).update(mode=mode)
    to_attio.refresh_from_db()
    shop.add(
        (1, "A", "a.com, b.com", None, "pro", 1),
        (2, "B", "https://www.B.com/", None, "pro", 1),
        (3, "C", "c.com", None, "pro", 1),
    )
    shop.add(
        (4, "D", '["d.com", "e.com"]', None, "pro", 1),
        (5, "E", "f.com E.com", None, "pro", 1),
        (6, "F", "f.com", None, "pro", 1),
    )
    done = run(to_attio)
    assert (done.rows, done.planned, done.invalid, done.accepted + done.skipped) == (6, 1, 5, 1)
    messages = {change.key: change.message for change in Change.objects.filter(run=done, code="match_twin")}
    assert sorted(messages) == ["1", "2", "4", "5", "6"]
    assert messages["1"] == messages["2"]
    assert messages["1"].startswith("2 rows share a match value: “1” and “2”. They would be one record")
    assert messages["5"].startswith("3 rows share a match value: “4”, “5” and “6”.")
    assert not {"a.com", "b.com", "d.com", "e.com", "f.com"} & set(str(writes(attio)).split("'"))
    assert Change.objects.filter(run=run(to_attio), code="match_twin").count() == 0, "it is reported once"


def test_row_that_overlaps_with_an_unchanged_one_is_noticed(shop: Shop, attio: Sandbox, to_attio: Activation) -> None:
    shop.add((1, "A", "a.com, b.com", None, "pro", 1))
    assert run(to_attio).accepted == 1
    shop.add((2, "B", "b.com", None, "pro", 1))
    writes(attio)
    done = run(to_attio)
    assert (done.invalid, done.planned, writes(attio)) == (2, 0, [])
    shop.run("delete from companies where id = 2")
    done = run(to_attio)
    assert (done.invalid, done.unchanged, done.planned) == (0, 1, 0)


def test_run_without_a_usable_match_says_what_to_do_in_attio(shop: Shop, attio: Any, to_attio: Activation) -> None:
    shop.fill(1)
    attio.workspace.stores["companies"].schema.attributes["domains"].archived = True
    done = run(to_attio)
    assert (done.state, done.error_code) == ("failed", "match_field")
    assert "Unarchive Domains in Attio" in done.error_message


def test_people_are_matched_by_their_email_addresses(
    shop: Shop, companies: DataModel, to_attio: Activation, attio: Sandbox
) -> None:
    shop.add((1, "Ada Lovelace", "Ada@Acme.com", "Analyst", "pro", 1), (2, "No address", None, None, "pro", 1))
    shop.add((3, "Bob", "bob@beta.com", "Clerk", "pro", 1), (4, "Bob again", "BOB@beta.com", "Clerk", "pro", 1))
    destination = Destination.objects.create(
        name="Attio people", connection=to_attio.destination.connection, service="attio.people"
    )
    activation = Activation.objects.create(
        name="People",
        model=companies,
        destination=destination,
        match_column="domain",
        match_field="email_addresses",
        hold_first_creates=False,
    )
    map_fields(activation, ("name", "name"), ("description", "job_title"))
    done = run(activation)
    assert (done.accepted, done.created, done.invalid) == (1, 1, 3)
    (ada,) = attio.state()["people"]
    assert (ada["values"]["name"]["full_name"], ada["values"]["job_title"]) == ("Ada Lovelace", "Analyst")
    assert run(activation).write_requests == 0


def add_street(attio: Any) -> None:
    """Simulates a person who adds a street in Attio, to every company that has a location."""
    store = attio.workspace.stores["companies"]
    for record in store.records.values():
        for value in record.values.get("primary_location", ()):
            value.data["line_1"] = "1 rue de Rivoli"
