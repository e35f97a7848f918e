"""Condition trees: parsing, validation and error messages."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from core.errors import Misconfigured
from segments.conditions import parsing, serialization
from segments.conditions.times import Duration
from segments.contract import ColumnType

TYPES = {
    "country": "text",
    "seats": "integer",
    "mrr": "number",
    "active": "boolean",
    "signed_on": "date",
    "seen_at": "timestamp",
    "tags": "list",
    "address": "object",
}


def leaf(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"all": [{"field": field, "is": operator, "value": value}]}


def value_of(field: str, operator: str, value: Any = None) -> Any:
    return next(iter(parsing.leaves(parsing.parse(leaf(field, operator, value), TYPES)))).value


def error_of(where: Any) -> Misconfigured:
    with pytest.raises(Misconfigured) as caught:
        parsing.parse(where, TYPES)
    return caught.value


@pytest.mark.parametrize("where", [None, {}, {"all": []}, {"any": []}])
def test_an_empty_tree_means_all_rows(where: Any) -> None:
    assert parsing.parse(where, TYPES).items == ()
    assert parsing.in_words(parsing.parse(where, TYPES)) == "all rows"
    assert serialization.plain(parsing.parse(where, TYPES)) == {}


@pytest.mark.parametrize(
    ("field", "operator", "given", "expected"),
    [
        ("country", "equals", "FR", "FR"),
        ("country", "one_of", ["FR", "DE"], ("FR", "DE")),
        ("seats", "greater_than", 5, 5),
        ("seats", "greater_than", "5", 5),
        ("seats", "at_least", 5.0, 5),
        ("mrr", "equals", 0.1, Decimal("0.1")),
        ("mrr", "between", ["1.50", 10], (Decimal("1.5"), 10)),
        ("active", "equals", True, True),
        ("active", "equals", "false", False),
        ("signed_on", "on", "2026-01-31", date(2026, 1, 31)),
        ("signed_on", "between", [date(2026, 1, 1), "2026-01-31"], (date(2026, 1, 1), date(2026, 1, 31))),
        ("seen_at", "after", "2026-01-31", date(2026, 1, 31)),
        ("seen_at", "after", "2026-01-31T09:00:00Z", datetime(2026, 1, 31, 9, tzinfo=UTC)),
        ("seen_at", "in_the_last", "30 days", Duration(30, "day")),
        ("seen_at", "more_than_ago", "1 Month", Duration(1, "month")),
        ("seen_at", "empty", None, None),
        ("tags", "not_empty", "", None),
        ("tags", "contains_any", ["x", 5, True], ("x", "5", "true")),
    ],
)
def test_a_value_is_converted_to_the_type_of_its_column(field: str, operator: str, given: Any, expected: Any) -> None:
    assert value_of(field, operator, given) == expected
    assert type(value_of(field, operator, given)) is type(expected)


@pytest.mark.parametrize(
    ("field", "operator", "value", "words"),
    [
        ("country", "equals", 5, "must be text"),
        ("country", "equals", None, "must be text"),
        ("country", "equals", "a\x00b", "can't store"),
        ("country", "contains", "", "needs some text"),
        ("country", "one_of", "FR", "must be a list"),
        ("country", "one_of", [], "must be a list"),
        ("country", "one_of", ["x"] * 10_001, "at most 10,000"),
        ("seats", "equals", "many", "must be a number"),
        ("seats", "equals", True, "must be a number"),
        ("seats", "equals", "NaN", "at most 18 digits"),
        ("seats", "equals", 10**18, "at most 18 digits"),
        ("mrr", "equals", "0.12345678901", "at most 9 decimal places"),
        ("mrr", "between", [1], "two values"),
        ("active", "equals", 1, "true or false"),
        ("mrr", "between", [None, 1], "two values, such as [1, 10]"),
        ("seen_at", "between", ["2026-01-31", ""], "two values, such as [2026-01-01, 2026-01-31]"),
        ("mrr", "between", [100, 50], "the first value is greater than the second; put the lower value first"),
        ("mrr", "not_between", ["100", "50.5"], "the first value is greater than the second"),
        ("signed_on", "between", ["2026-02-01", "2026-01-31"], "the first value is greater than the second"),
        ("seen_at", "between", ["2026-01-31 09:00", "2026-01-31 08:00"], "the first value is greater than the second"),
        (
            "seen_at",
            "between",
            ["31.01.2026", "2026-02-01"],
            "must be a date such as 2026-01-31, or a time such as 2026-01-31 09:00.",
        ),
        ("signed_on", "between", ["2026-01-31", "soon"], "must be a date such as 2026-01-31."),
        ("signed_on", "on", "31.01.2026", "must be a date"),
        ("signed_on", "after", "2026-01-31 09:00", "without a time"),
        ("signed_on", "on", "0001-01-01", "between the years"),
        ("seen_at", "on", "2026-01-31 09:00", "takes a date without a time"),
        ("seen_at", "in_the_last", 30, "must be a duration"),
        ("seen_at", "in_the_last", "0 days", "duration must be 1 or more"),
        ("seen_at", "in_the_last", "-3 days", "duration must be 1 or more"),
        ("seen_at", "in_the_last", "10000 days", "at most 4 digits; use a longer unit"),
        ("seen_at", "in_the_last", "9" * 5000 + " days", "at most 4 digits"),
        ("seen_at", "in_the_last", "30 years", "must be a duration"),
        ("country", "empty", "FR", "takes no value"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_a_reason(field: str, operator: str, value: Any, words: str) -> None:
    error = error_of(leaf(field, operator, value))
    assert words in error.message
    assert (error.code, error.where) == ("condition_value", field)


@pytest.mark.parametrize(
    ("where", "code", "words"),
    [
        (leaf("nope", "equals", "x"), "column_unknown", "Available columns: country, seats"),
        (leaf("country", "greater_than", 1), "operator_unknown", "a text column. Choose one of: equals, not_equals"),
        (leaf("active", "not_equals", True), "operator_unknown", "a boolean column"),
        (leaf("country", "like", "x"), "operator_unknown", "no operator “like”"),
        ({"all": [{"field": "country"}]}, "operator_unknown", "has no operator under `is`"),
        ({"all": [{"related": "Orders", "has": "none"}]}, "related_unknown", "“Orders” is not related"),
        ({"any": [{"segment": "Churned", "is": "member"}]}, "segment_unknown", "no segment named “Churned”"),
        ({"any": [{"segment": "Churned", "is": "equals"}]}, "operator_unknown", "member or not_member"),
        ({"all": [], "any": []}, "condition_group", "no other keys"),
        ({"all": [{"any": []}]}, "condition_group", "at least one"),
        ({"all": {"field": "country"}}, "condition_group", "takes a list"),
        ({"none": []}, "condition_group", "{all: [...]}"),
        ([], "condition_group", "{all: [...]}"),
        ({"all": ["country"]}, "condition_invalid", "{field, is, value}"),
        (
            {"all": [{"field": "country", "is": "equals", "value": "x", "vlaue": "y"}]},
            "condition_invalid",
            "can't have the key “vlaue”",
        ),
        ({"all": [{"field": 5, "is": "empty"}]}, "condition_invalid", "name of a column"),
        ({"all": [{"field": "country", "is": "empty"}] * 201}, "condition_too_many", "200"),
    ],
)
def test_an_invalid_tree_is_refused_with_a_reason(where: Any, code: str, words: str) -> None:
    error = error_of(where)
    assert error.code == code
    assert words in error.message


def test_excessive_nesting_is_refused() -> None:
    where: dict[str, Any] = leaf("country", "empty")
    for _ in range(5000):
        where = {"all": [where]}
    assert error_of(where).code == "condition_depth"


def test_a_tree_is_described_in_plain_words() -> None:
    where = {
        "all": [
            {"field": "country", "is": "one_of", "value": ["FR", "DE"]},
            {
                "any": [
                    {"field": "mrr", "is": "between", "value": [1, 9.5]},
                    {"field": "seen_at", "is": "in_the_last", "value": "1 days"},
                ]
            },
            {"field": "seats", "is": "not_empty"},
        ]
    }
    words = (
        "country is one of FR, DE and (mrr is between 1 and 9.5 or seen_at is in the last 1 day) and seats is not empty"
    )
    assert parsing.in_words(parsing.parse(where, TYPES)) == words


def test_a_value_with_a_comma_or_outer_whitespace_is_quoted() -> None:
    where = leaf("country", "one_of", ["Acme, Inc.", "Bolt", "France "])
    assert parsing.in_words(parsing.parse(where, TYPES)) == "country is one of “Acme, Inc.”, Bolt, “France ”"


def test_a_tree_survives_a_round_trip() -> None:
    where = {
        "any": [
            {"field": "seen_at", "is": "between", "value": ["2026-01-01", "2026-01-31T09:00:00+01:00"]},
            {
                "all": [
                    {"field": "mrr", "is": "at_most", "value": 0.1},
                    {"field": "active", "is": "equals", "value": True},
                ]
            },
            {"field": "seen_at", "is": "more_than_ago", "value": "2 weeks"},
            {"field": "country", "is": "empty"},
        ]
    }
    tree = parsing.parse(where, TYPES)
    assert serialization.plain(tree) == where
    assert parsing.parse(serialization.plain(tree), TYPES) == tree


def test_only_a_flat_tree_can_be_edited_as_rows() -> None:
    flat = {"any": [{"field": "country", "is": "equals", "value": "FR"}, {"field": "seats", "is": "empty"}]}
    rows = parsing.rows(parsing.parse(flat, TYPES))
    assert rows == ("any", flat["any"])
    assert parsing.from_rows(*rows) == flat
    assert parsing.from_rows("any", []) == {}
    assert parsing.rows(parsing.parse({"all": [flat]}, TYPES)) is None


def test_every_type_has_operators_and_every_operator_has_a_label() -> None:
    assert set(parsing.OPERATORS) == set(ColumnType)
    assert {operator for operators in parsing.OPERATORS.values() for operator in operators} == set(parsing.LABELS)
