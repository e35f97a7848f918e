"""Which column identifies a row, and which one names it."""

from __future__ import annotations

import pytest

from dinmo.start.guesses import Guess, display, key
from dinmo.start.steps import Place, following, steps

ROWS = [
    {"owner_id": 7, "company_id": 1, "name": "Acme", "domain": "acme.com", "plan": "pro"},
    {"owner_id": 9, "company_id": 2, "name": "Bolt", "domain": None, "plan": "pro"},
]
TYPES = {"owner_id": "integer", "company_id": "integer", "name": "text", "domain": "text", "plan": "text"}


def test_id_named_after_its_table_is_the_key() -> None:
    assert key(TYPES, ROWS, "public.companies") == Guess("company_id", sure=True)


def test_two_columns_that_could_be_the_key_are_left_to_a_person() -> None:
    rows = [{"a_id": 1, "b_id": 4}, {"a_id": 2, "b_id": 5}]
    assert key({"a_id": "integer", "b_id": "integer"}, rows, "orders") == Guess("a_id", sure=False)


@pytest.mark.parametrize("value", [None, "", 1])
def test_column_with_empty_or_repeated_values_is_no_key(value: object) -> None:
    assert key({"id": "text"}, [{"id": 1}, {"id": value}]) == Guess("", sure=False)


def test_amounts_and_dates_are_no_keys() -> None:
    assert key({"mrr": "number", "day": "date"}, [{"mrr": 1.5, "day": "a"}]) == Guess("", sure=False)


def test_name_of_a_row_is_its_name_column_and_never_the_key() -> None:
    assert display(TYPES, "company_id") == "name"
    assert display({"name": "text", "trade_name": "text"}, "name") == "trade_name"
    assert display({"id": "integer", "mrr": "number"}, "id") == ""


def test_first_step_that_is_not_done_comes_next() -> None:
    places = [Place("a", "A", "/a"), Place("b", "B", "/b"), Place("c", "C")]
    assert following(places, {"a"}).name == "b"
    assert following(places, {"a", "b", "c"}).name == "c"
    shown = [(step.done, step.current) for step in steps(places, {"a"})]
    assert shown == [(True, False), (False, True), (False, False)]
