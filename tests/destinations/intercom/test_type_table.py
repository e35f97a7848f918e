"""The page of the documentation says what the code does."""

from __future__ import annotations

from pathlib import Path

from destinations.services.intercom.custom_attributes import DATA_TYPES
from destinations.services.intercom.values import type_table
from destinations.services.intercom.values.conversion import TYPES

PAGE = Path(__file__).parents[3] / "docs" / "intercom-types.md"
SOURCES = {"text", "integer", "number", "boolean", "date", "timestamp", "list", "object"}


def test_the_page_is_what_the_code_makes_of_its_samples() -> None:
    assert PAGE.read_text() == type_table.markdown(), (
        f"Write it anew: python -m {type_table.__name__} > docs/{PAGE.name}"
    )


def test_every_type_is_there_with_something_that_fits_and_from_every_source() -> None:
    rows = list(type_table.rows())
    names = {name for name, *_ in rows}
    # Both names of a date are converted by one function.
    assert {name.removeprefix("custom: ") for name in names if name.startswith("custom")} == TYPES - {"datetime"} | {
        "string, with options"
    }
    assert {name for name, _, _, sent in rows if not sent.startswith(("invalid", "not supported"))} == names
    assert all({source for each, source, _, _ in rows if each == name} == SOURCES for name in names)


def test_companies_and_contacts_differ_where_the_page_says_so() -> None:
    sent = {(name, value): what for name, _, value, what in type_table.rows()}
    assert sent["company: company_id", "`4`"] == '`"4"`'
    assert sent["company: monthly_spend", "`155.98`"].startswith(("invalid", "not supported"))
    assert sent["contact: role", "`Lead`"] == '`"lead"`'
    assert sent["contact: email", "`ada at acme`"].startswith(("invalid", "not supported"))


def test_every_type_of_column_is_told_with_the_attribute_that_it_makes() -> None:
    made = dict(type_table.created_types())
    assert {name: made[name].strip("`") for name in DATA_TYPES} == DATA_TYPES
    assert made.keys() == SOURCES
    assert made["list"].startswith(("invalid", "not supported"))
