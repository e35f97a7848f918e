"""Whether a record holds what would be sent: for random values of every type, in the form in which they are stored."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.contract import Field
from destinations.services.attio.sandbox.schema import Attribute, Choice
from destinations.services.attio.sandbox.validation import parse
from destinations.services.attio.sandbox.workspace import Workspace
from destinations.services.attio.values.comparison import same
from destinations.services.attio.values.compounds import LOCATION_KEYS, NAME_KEYS
from destinations.services.attio.values.conversion import CONVERTERS, convert
from tests.destinations.attio.test_values import NATURAL, OPTIONS, PERSON, PERSON_REFERENCE, field

NOW = datetime(2026, 11, 29, tzinfo=UTC)
TYPES = sorted(set(CONVERTERS) - {"record-reference", "actor-reference"})


def stored(type_: str, wire: Any, *, multiple: bool = False, workspace: Workspace | None = None) -> dict[str, Any]:
    """The values of a record that holds what was sent, as the simulator returns them."""
    attribute = Attribute(
        "thing", "Thing", type_, "w", "o", multiselect=multiple, currency={"default_currency_code": "USD"}
    )
    attribute.choices = [Choice(option.id, option.title) for option in OPTIONS]
    parsed = parse(workspace or Workspace("token"), attribute, json.loads(json.dumps(wire)))
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


PARTS = [
    Field(f"thing.{part}", part, type_, config={"part": part})
    for type_, keys in (("location", LOCATION_KEYS), ("personal-name", NAME_KEYS))
    for part in keys
]
PART_VALUES = st.one_of(
    NATURAL, st.sampled_from(["FR", "France", "48.85", "-2.35", "090.5", "75001", " Lyon "]), st.integers(-90, 90)
)


@given(st.sampled_from(PARTS), PART_VALUES, PART_VALUES)
def test_part_that_was_sent_is_held_and_another_told_apart(it: Field, value: Any, other: Any) -> None:
    try:
        wire, instead = convert(it, value), convert(it, other)
    except Rejected:
        return
    keys = LOCATION_KEYS if it.type == "location" else NAME_KEYS
    whole = {**dict.fromkeys(keys, None if it.type == "location" else ""), it.config["part"]: wire}
    held = stored(it.type, whole)
    assert same(it, wire, held)
    assert same(it, instead, held) is (wire == instead)
    assert not same(it, [], held)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(0, 3), st.booleans())
def test_reference_by_id_is_held_and_another_told_apart(chosen: list[int], other: int, multiple: bool) -> None:
    workspace = Workspace("token")
    people = [workspace.create(workspace.stores["people"], {}, NOW).id for _ in range(4)]
    it = field("record-reference", multiple=multiple, target="people")
    names = [people[place] for place in (chosen if multiple else chosen[:1])]
    wire = convert(it, names if multiple else names[0].upper())
    held = stored(it.type, wire, multiple=multiple, workspace=workspace)
    assert same(it, wire, held)
    instead = convert(it, [people[other]] if multiple else people[other])
    assert same(it, instead, held) is ({people[other]} == set(names))
    assert same(it, instead, held, adds=True) is (people[other] in names)


def test_member_by_id_is_held_and_another_told_apart() -> None:
    workspace = Workspace("token")
    workspace.members["eve@sandbox.com"] = PERSON
    it = field("actor-reference")
    admin, eve = (convert(it, member) for member in workspace.members.values())
    held = stored(it.type, admin, workspace=workspace)
    assert (same(it, admin, held), same(it, eve, held)) == (True, False)


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
