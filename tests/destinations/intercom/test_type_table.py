"""The page in the documentation matches the conversion code."""

from __future__ import annotations

from pathlib import Path

from destinations.services.intercom.custom_attributes import DATA_TYPES
from destinations.services.intercom.values import type_table
from destinations.services.intercom.values.conversion import TYPES

PAGE = Path(__file__).parents[3] / "docs" / "intercom-types.md"
SOURCES = {"text", "integer", "number", "boolean", "date", "timestamp", "list", "object"}


def test_page_is_up_to_date() -> None:
    assert PAGE.read_text() == type_table.markdown(), (
        f"Regenerate it: python -m {type_table.__name__} > docs/{PAGE.name}"
    )


def test_every_type_is_listed_with_a_valid_value_and_every_source_type() -> None:
    rows = list(type_table.rows())
    names = {name for name, *_ in rows}
    # "date" and "datetime" share one converter, so the page lists only one of them.
    assert {name.removeprefix("custom: ") for name in names if name.startswith("custom")} == TYPES - {"datetime"} | {
        "string, with options"
    }
    assert {name for name, _, _, sent in rows if not sent.startswith(("invalid", "not supported"))} == names
    assert all({source for row_name, source, _, _ in rows if row_name == name} == SOURCES for name in names)


def test_standard_attributes_of_companies_and_contacts_have_their_own_rows() -> None:
    sent = {(name, value): wire for name, _, value, wire in type_table.rows()}
    assert sent["company: company_id", "`4`"] == '`"4"`'
    assert sent["company: monthly_spend", "`155.98`"].startswith(("invalid", "not supported"))
    assert sent["contact: role", "`Lead`"] == '`"lead"`'
    assert sent["contact: email", "`ada at acme`"].startswith(("invalid", "not supported"))


def test_every_column_type_is_listed_with_the_data_type_of_its_new_attribute() -> None:
    data_types = dict(type_table.created_types())
    assert {name: data_types[name].strip("`") for name in DATA_TYPES} == DATA_TYPES
    assert data_types.keys() == SOURCES
    assert data_types["list"].startswith(("invalid", "not supported"))
