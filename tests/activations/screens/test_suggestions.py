"""Suggestions: which column fills which attribute, and by what records are matched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activations.screens.editor.suggestions import looks_like, propose_match, suggest
from destinations.contract import Field, Option
from destinations.services.attio import compound_parts

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from activations.screens.editor.suggestions import Suggestion

FIELDS = [
    Field("name", "Name", "text"),
    Field("domains", "Domains", "domain", matchable=True, multiple=True),
    Field("description", "Description", "text"),
    Field("segment", "Customer segment", "select", options=(Option("1", "Small"), Option("2", "Large"))),
    Field("created_at", "Created at", "timestamp", writable=False),
]
LOCATION = compound_parts.fields(Field("primary_location", "Primary location", "location"))
WAREHOUSE = compound_parts.fields(Field("warehouse", "Warehouse", "location", custom=True))
PERSON = [name := Field("name", "Name", "personal-name"), *compound_parts.fields(name)]
names = st.text("abc_ XYZ-1", min_size=1, max_size=8)
columns = st.dictionaries(names, st.lists(st.sampled_from(["a.com", "b.org", "Small", 7, None, ""]), max_size=5))
fields = st.lists(
    st.builds(Field, names, names, st.sampled_from(["text", "domain", "email-address"]), st.booleans()),
    unique_by=lambda field: field.name,
)


def suggested(
    values: Mapping[str, Sequence[Any]], taken: Collection[str] = (), used: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    found = suggest(values, FIELDS, taken=taken, used=used, accepts=lambda column, field: True)
    return {each.column: (each.target, each.reason) for each in found}


def test_each_reason_is_the_one_that_made_the_suggestion() -> None:
    values: dict[str, list[Any]] = {
        "name": ["Acme"],
        "web": ["acme.com", "https://bolt.org"],
        "size": ["small", "Large"],
        "mrr": [7],
    }
    assert suggested(values) == {
        "name": ("name", "same name"),
        "web": ("domains", "values look like domains"),
        "size": ("segment", "values are among its options"),
    }


def test_an_exact_name_wins_over_a_similar_one() -> None:
    assert suggested({"companyName": ["Acme"], "name": ["Acme"]}) == {"name": ("name", "same name")}
    assert suggested({"companyName": ["Acme"]}) == {"companyName": ("name", "similar name")}


def test_attributes_that_are_read_only_or_mapped_are_not_suggested() -> None:
    assert suggested({"created_at": ["2026-11-29"], "name": ["Acme"]}, taken={"name"}) == {}


def test_a_column_whose_values_would_be_refused_is_not_suggested() -> None:
    found = suggest({"name": [1.5]}, FIELDS, taken=(), used=(), accepts=lambda column, field: False)
    assert found == []


@given(columns, fields, st.sets(names), st.sets(names))
def test_accepting_all_maps_each_free_attribute_and_column_at_most_once(
    values: dict[str, list[Any]], offered: list[Field], taken: set[str], used: set[str]
) -> None:
    def again(taken: set[str], used: set[str]) -> list[Suggestion]:
        return suggest(values, offered, taken=taken, used=used, accepts=lambda column, field: True)

    found = again(taken, used)
    targets, sources = [each.target for each in found], [each.column for each in found]
    assert len(set(targets)) == len(targets)
    assert len(set(sources)) == len(sources)
    assert set(targets) <= {field.name for field in offered if field.writable} - taken
    assert set(sources) <= values.keys() - used
    assert all(each.reason for each in found)
    rest = again(taken | set(targets), used | set(sources))
    assert not set(targets) & {each.target for each in rest}


@pytest.mark.parametrize(
    ("values", "key", "expected"),
    [
        ({"id": [1], "web": ["acme.com"]}, "id", ("web", "domains", "values look like domains")),
        ({"id": [1], "note": ["hello"]}, "id", None),
    ],
)
def test_match_is_proposed_by_what_the_values_look_like(
    values: dict[str, list[Any]], key: str, expected: tuple[str, str, str] | None
) -> None:
    found = propose_match(values, FIELDS, preferred="domains", key=key, accepts=lambda column, field: True)
    assert (found and (found.column, found.target, found.reason)) == expected


def test_the_key_is_proposed_for_an_attribute_that_takes_any_text() -> None:
    offered = [Field("company_id", "Company ID", "string", matchable=True)]
    found = propose_match({"id": [1]}, offered, preferred="company_id", key="id", accepts=lambda column, field: True)
    assert found is not None
    assert (found.column, found.reason) == ("id", "identifies each row")


@pytest.mark.parametrize(
    ("values", "shape"),
    [
        (["acme.com", "www.bolt.org/x", None], "domain"),
        (["a@b.com"], "email"),
        (["+33 1 23 45 67 89"], "phone"),
        (["Acme", "acme.com"], None),
        ([1, 2.5], None),
        ([], None),
    ],
)
def test_most_values_must_look_alike(values: list[Any], shape: str | None) -> None:
    assert looks_like(values) == shape


def located(
    values: Mapping[str, Sequence[Any]], offered: Sequence[Field] = LOCATION, taken: Collection[str] = ()
) -> dict[str, tuple[str, str]]:
    found = suggest(values, offered, taken=taken, used=(), accepts=lambda column, field: True)
    return {each.column: (each.target, each.reason) for each in found}


@pytest.mark.parametrize(
    ("column", "values", "part", "reason"),
    [
        ("country", ["FR", "de", None], "country_code", "values are country codes"),
        ("countryCode", ["FRA", "DEU"], "country_code", "values are country codes"),
        ("country", ["France", "United Kingdom", "South Korea"], "country_code", "values are country names"),
        ("billing_country", ["FR"], "country_code", "values are country codes"),
        ("city", ["Paris", "St. Gallen", "Aix-en-Provence"], "locality", "city of an address"),
        ("hq_city", ["Paris"], "locality", "city of an address"),
        ("state", ["CA", "NY", "TX"], "region", "region of an address"),
        ("province", ["Ontario", "Québec"], "region", "region of an address"),
        ("street", ["1 Main Street", "Hauptstraße 5"], "line_1", "street of an address"),
        ("address1", ["1 Main Street"], "line_1", "street of an address"),
        ("zip", [75001, "10115"], "postcode", "postcode of an address"),
        ("postal_code", ["SW1A 1AA", "K1A 0B1"], "postcode", "postcode of an address"),
        ("lat", [48.85, "-33.9"], "latitude", "latitude of an address"),
    ],
)
def test_part_of_a_location_is_suggested_by_name_and_values(
    column: str, values: list[Any], part: str, reason: str
) -> None:
    assert located({column: values}) == {column: (f"primary_location.{part}", reason)}


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("country_manager", ["FR", "DE"]),
        ("language", ["FR", "DE"]),
        ("country", ["EMEA", "APAC"]),
        ("owner_country", ["FR"]),
        ("state", ["active", "churned", "trial"]),
        ("region", ["EMEA", "NORAM"]),
        ("region", ["North", "South", "East", "West", "Central"]),
        ("email_address", ["1 a@b.com"]),
        ("address", ["ada@acme.com"]),
        ("address", ["10.0.0.1"]),
        ("ip_address", ["10 a 1"]),
        ("address", ["1 Main Street, Paris, 75001, France"]),
        ("city", [7, 12]),
        ("city_id", ["Paris"]),
        ("city", ["ada@acme.com"]),
        ("zip", ["customers.zip"]),
        ("flat", [1.5]),
        ("latitude", [512.0]),
        ("country", [True, False]),
        ("country", []),
    ],
)
def test_column_that_only_sounds_like_a_part_is_not_suggested(column: str, values: list[Any]) -> None:
    assert located({column: values}) == {}


def test_location_that_people_created_is_filled_only_by_columns_that_name_it() -> None:
    values = {"city": ["Paris"], "warehouse_city": ["Lille"]}
    assert {column: target for column, (target, _) in located(values, [*WAREHOUSE, *LOCATION]).items()} == {
        "city": "primary_location.locality",
        "warehouse_city": "warehouse.locality",
    }
    assert located({"city": ["Paris"]}, WAREHOUSE) == {}


def test_parts_of_an_attribute_and_the_whole_of_it_are_never_suggested_together() -> None:
    first, last = ["Ada"], ["Lovelace"]
    assert {target for target, _ in located({"first_name": first, "surname": last}, PERSON).values()} == {
        "name.first_name",
        "name.last_name",
    }
    assert located({"name": ["Ada Lovelace"], "surname": last}, PERSON) == {"name": ("name", "same name")}
    assert located({"surname": last}, PERSON, taken=["name"]) == {}
    assert located({"name": ["Ada Lovelace"]}, PERSON, taken=["name.last_name"]) == {}


@pytest.mark.parametrize("column", ["plan_name", "file_name", "first_name", "country_name", "owner_name"])
def test_the_name_of_something_else_is_not_the_name_of_the_record(column: str) -> None:
    assert suggested({column: ["Gold"]}) == {}


def test_link_is_suggested_for_a_column_of_ids_and_never_for_one_of_names() -> None:
    company = Field("company", "Company", "company", meaning="company id")
    found = {
        name: suggest({name: ["7", "8"]}, [company], taken=(), used=(), accepts=lambda *_: True)
        for name in ("company", "company_id", "customerId")
    }
    assert [(name, [each.target for each in made]) for name, made in found.items()] == [
        ("company", []), ("company_id", ["company"]), ("customerId", ["company"]),
    ]  # fmt: skip
