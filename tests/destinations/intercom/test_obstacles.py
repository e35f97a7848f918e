"""Why custom attributes can't be created."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.contract import NewField
from destinations.services.intercom import attributes, custom_attributes
from tests.destinations.intercom.test_attributes import entry

TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "float",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "date",
}


EMPTY = attributes.to_fields((), ())


def obstacles(known: list[Any], *wanted: NewField) -> list[str]:
    return list(custom_attributes.obstacles(known, wanted))


@pytest.mark.parametrize("name", ["", " ", " seats", "seats ", "a.b", "a/b", "a'b", "tab\there", "naïve!", "a\nb"])
def test_invalid_names_are_refused(name: str) -> None:
    (sentence,) = obstacles(EMPTY, NewField(name, "text"))
    assert "names can contain only letters, digits, spaces, underscores, hyphens and currency symbols" in sentence


@pytest.mark.parametrize("kind", ["list", "object"])
def test_nested_columns_are_refused(kind: str) -> None:
    (sentence,) = obstacles(EMPTY, NewField("things", kind))
    assert "accept only single values, not lists or objects" in sentence


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
def test_existing_attribute_with_an_incompatible_type_is_named(present: str, column: str) -> None:
    sentences = obstacles(attributes.to_fields([entry("seats", present)], ()), NewField("seats", column))
    if column in FITS[present]:
        assert sentences == []
    else:
        assert sentences == [
            f"The custom attribute “seats” in Intercom is of type {present}, but the column has {column} values. "
            "Intercom can't change the type: rename the column, or convert it in the model."
        ]


def test_archived_attribute_with_an_incompatible_type_is_named_too() -> None:
    assert (
        len(obstacles(attributes.to_fields([entry("seats", "date", archived=True)], ()), NewField("seats", "text")))
        == 1
    )


def test_existing_read_only_attribute_is_named() -> None:
    (sentence,) = obstacles(attributes.to_fields([entry("seats", api_writable=False)], ()), NewField("seats", "text"))
    assert "exists in Intercom but can't be written" in sentence


def test_limit_counts_both_models_without_archived_attributes() -> None:
    company = [entry(f"c{number}") for number in range(200)] + [entry("gone", archived=True)]
    known = attributes.to_fields(company, [entry(f"p{number}") for number in range(48)])
    assert (
        obstacles(
            known, NewField("one", "text"), NewField("two", "text"), NewField("two", "text"), NewField("c7", "text")
        )
        == []
    )
    (sentence,) = obstacles(known, NewField("one", "text"), NewField("two", "text"), NewField("gone", "text"))
    assert "allows 250 custom attributes. The workspace uses 248, and this needs 3 more" in sentence


def test_all_obstacles_are_reported_together() -> None:
    known = attributes.to_fields([entry("seats", "date")], [entry("tier")])
    assert (
        len(
            obstacles(
                known,
                NewField("seats", "text"),
                NewField("tier", "text"),
                NewField("a.b", "text"),
                NewField("valid", "text"),
            )
        )
        == 3
    )


@given(st.text(max_size=20), st.sampled_from([*TYPES, "list", "object"]))
def test_name_is_either_accepted_or_refused_with_one_sentence(name: str, kind: str) -> None:
    sentences = obstacles(EMPTY, NewField(name, kind))
    allowed = all(
        character.isalnum() or character in " _-" or unicodedata.category(character) == "Sc" for character in name
    )
    valid = (
        bool(name) and name.strip() == name and allowed and name not in attributes.COMPANY_STANDARD and kind in TYPES
    )
    assert sentences == [] if valid else len(sentences) == 1
    assert all(sentence.endswith(".") for sentence in sentences)


@given(st.lists(st.sampled_from("abcdef"), max_size=6), st.integers(244, 250))
def test_limit_is_reported_exactly_when_it_would_be_exceeded(names: list[str], used: int) -> None:
    known = attributes.to_fields([entry(f"c{number}") for number in range(used)], ())
    sentences = obstacles(known, *(NewField(name, "text") for name in names))
    assert bool(sentences) == (used + len(set(names)) > 250 and bool(names))
