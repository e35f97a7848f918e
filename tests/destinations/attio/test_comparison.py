"""Whether a record holds what would be sent: for random values of every type, in the form in which they are stored."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.services.attio.sandbox.schema import Attribute, Choice
from destinations.services.attio.sandbox.validation import parse
from destinations.services.attio.sandbox.workspace import Workspace
from destinations.services.attio.values.comparison import same
from destinations.services.attio.values.conversion import CONVERTERS, convert
from tests.destinations.attio.test_values import NATURAL, OPTIONS, PERSON, PERSON_REFERENCE, field

TYPES = sorted(set(CONVERTERS) - {"record-reference", "actor-reference"})


def stored(type_: str, wire: Any, *, multiple: bool = False) -> dict[str, Any]:
    """The values of a record that holds what was sent, as the simulator returns them."""
    attribute = Attribute(
        "thing", "Thing", type_, "w", "o", multiselect=multiple, currency={"default_currency_code": "USD"}
    )
    attribute.choices = [Choice(option.id, option.title) for option in OPTIONS]
    parsed = parse(Workspace("token"), attribute, json.loads(json.dumps(wire)))
    return {"thing": [{**entry, "attribute_type": type_} for entry in parsed]}


def entries(values: dict[str, Any]) -> list[str]:
    return sorted(json.dumps(entry, sort_keys=True) for entry in values["thing"])


@given(st.sampled_from(TYPES), st.booleans(), NATURAL)
def test_what_was_sent_is_held(type_: str, multiple: bool, value: Any) -> None:
    it = field(type_, multiple=multiple)
    try:
        wire = convert(it, value)
    except Rejected:
        return
    held = stored(type_, wire, multiple=multiple)
    # Attio splits an address in one line by itself, so nobody can tell.
    assert same(it, wire, held) or (type_ == "location" and "line_1" not in str(wire))
    assert not same(it, [], held)
    assert same(it, [], held, adds=True)


@given(st.sampled_from(TYPES), st.booleans(), NATURAL, NATURAL)
def test_a_different_value_is_told_apart(type_: str, multiple: bool, value: Any, other: Any) -> None:
    it = field(type_, multiple=multiple)
    try:
        wire, instead = convert(it, value), convert(it, other)
    except Rejected:
        return
    one, two = stored(type_, wire, multiple=multiple), stored(type_, instead, multiple=multiple)
    assume(entries(one) != entries(two) and str(wire).strip() != str(instead).strip())
    assert not same(it, instead, one)


@pytest.mark.parametrize(
    ("type_", "sent", "held", "answer"),
    [
        ("domain", "acme.com", {"domain": "ACME.com", "root_domain": "acme.com"}, True),
        ("domain", "acme.com", {"domain": "acme.io"}, False),
        ("email-address", "ada@acme.com", {"email_address": "Ada@Acme.com"}, True),
        ("phone-number", "+33142685300", {"original_phone_number": "01 42", "phone_number": "+33142685300"}, True),
        ("currency", 12.5, {"currency_value": 12.5, "currency_code": "USD"}, True),
        ("currency", 12, {"currency_value": 12.0, "currency_code": "USD"}, True),
        ("number", 12.5, {"value": 12.50001}, True),
        ("number", 12.5, {"value": 12.51}, False),
        ("text", "Acme", {"value": " Acme "}, True),
        ("text", "Acme", {"value": "acme"}, False),
        ("timestamp", "2026-03-31T08:00:00Z", {"value": "2026-03-31T08:00:00.000000000Z"}, True),
        ("timestamp", "2026-03-31T08:00:00Z", {"value": "2026-03-31T08:00:00.001000000Z"}, False),
        ("date", "2026-03-31", {"value": "2026-03-31"}, True),
        ("select", "SAAS", {"option": {"id": {"option_id": OPTIONS[0].id}, "title": "Renamed"}}, True),
        ("select", "SAAS", {"option": {"id": {"option_id": OPTIONS[1].id}, "title": "SAAS"}}, False),
        ("checkbox", False, {"value": False}, True),
        ("checkbox", False, {"value": True}, False),
        ("record-reference", PERSON_REFERENCE, {"target_object": "people", "target_record_id": PERSON}, True),
        ("record-reference", PERSON, {"target_object": "people", "target_record_id": PERSON}, True),
        ("record-reference", "ada@acme.com", {"target_object": "people", "target_record_id": PERSON}, False),
        ("unheard-of", "x", {"value": "x"}, False),
    ],
)  # fmt: skip
def test_values_are_compared_in_the_form_of_attio(type_: str, sent: Any, held: dict[str, Any], answer: bool) -> None:
    assert same(field(type_), sent, {"thing": [held]}) is answer


@pytest.mark.parametrize(
    ("sent", "held", "adds", "answer"),
    [
        (["a.com", "b.com"], ["b.com", "a.com"], False, True),
        (["a.com"], ["b.com", "a.com"], False, False),
        (["a.com"], ["b.com", "a.com"], True, True),
        (["a.com", "c.com"], ["b.com", "a.com"], True, False),
        ([], ["a.com"], False, False),
        ([], [], False, True),
    ],
)
def test_lists_are_compared_without_their_order(sent: list[str], held: list[str], adds: bool, answer: bool) -> None:
    values = {"thing": [{"domain": domain} for domain in held]}
    assert same(field("domain", multiple=True), sent, values, adds=adds) is answer


def test_what_no_program_can_read_counts_as_different() -> None:
    for held in ({}, {"value": None}, {"value": ["nested"]}, {"option": "Gold"}, {"option": {"id": None}}):
        for type_ in TYPES:
            assert not same(field(type_), "SAAS" if type_ in ("select", "status") else "x", {"thing": [held]})
    assert not same(field("text"), "x", {})
    assert not same(field("text"), "x", {"thing": None})
