"""Whether a record holds what would be sent: for random values of every attribute, as the simulator stores them."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.contract import Field, Held, Option
from destinations.services.intercom.attributes import COMPANY, CONTACT, Model
from destinations.services.intercom.bodies import attribute_values, request_body
from destinations.services.intercom.companies import IntercomCompanies
from destinations.services.intercom.contacts import IntercomContacts
from destinations.services.intercom.sandbox.attributes import DataAttributes
from destinations.services.intercom.sandbox.companies import CREATABLE, Companies, company_json, validated_values
from destinations.services.intercom.sandbox.contacts import Contacts
from destinations.services.intercom.sandbox.lists import Memberships
from destinations.services.intercom.values.conversion import TYPES

SERVICES: dict[str, Any] = {"company": IntercomCompanies(), "contact": IntercomContacts()}
OPTIONS = ("Gold", "Silver")
NATURAL = st.one_of(
    st.text(max_size=300),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.emails(),
    st.sampled_from(["gold", "Silver", "user", "lead", "2024-01-01", "3", "yes", "12.50", " Pro ", "Ada@Acme.com"]),
)


def fields(model: Model) -> list[Field]:
    """Every standard attribute that a contact or company is written with, and a custom one of every type."""
    standard = [
        Field(name, label, kind, options=tuple(Option(value, value) for value in model.options.get(name, ())))
        for name, (kind, label) in model.standard.items()
        if name in model.writable and name not in SERVICES[model.name].links
    ]
    custom = [Field(f"own_{kind}", kind, kind, custom=True) for kind in sorted(TYPES)]
    chosen = Field("own_choice", "Choice", "string", custom=True, options=tuple(Option(each, each) for each in OPTIONS))
    return [*standard, *custom, chosen]


EVERY = st.sampled_from([(model, field) for model in (COMPANY, CONTACT) for field in fields(model)])


def held(model: Model, field: Field, wire: Any) -> Held:
    """The record that holds what was sent, as the simulator returns it."""
    attributes = DataAttributes({})
    if field.custom:
        options = [option.id for option in field.options] or None
        attributes.add({"name": field.name, "model": model.name, "data_type": field.type, "options": options}, 0)
    sent = json.loads(json.dumps(request_body({field.name: wire}, model)))
    companies = Companies({})
    if model is COMPANY:
        record = company_json(companies.save("c1", validated_values(sent, CREATABLE, attributes, {}), 0))
    else:
        contacts = Contacts({}, attributes, Memberships(companies))
        record = contacts.create({"external_id": "x1", **sent}, 0)
    return Held("1", attribute_values(record, model))


def converted(model: Model, field: Field, value: Any) -> Any:
    """The wire value. A value that can't be sent, or that only clears, is none."""
    try:
        wire = SERVICES[model.name].convert(field, value)
    except Rejected:
        wire = ""
    assume(str(wire).strip())
    return wire


@given(EVERY, NATURAL)
def test_what_was_sent_is_held(chosen: tuple[Model, Field], value: Any) -> None:
    model, field = chosen
    wire = converted(model, field, value)
    record = held(model, field, wire)
    assert SERVICES[model.name].same(field, wire, record)
    assert SERVICES[model.name].same(field, None, record) is (field.name == "monthly_spend" and wire == 0)


@given(EVERY, NATURAL, NATURAL)
def test_a_different_value_is_told_apart(chosen: tuple[Model, Field], value: Any, other: Any) -> None:
    model, field = chosen
    wire, instead = converted(model, field, value), converted(model, field, other)
    if field.name == "email":
        assume(wire.casefold() != instead.casefold())
    assume(str(wire).strip() != str(instead).strip())
    assert not SERVICES[model.name].same(field, instead, held(model, field, wire))


@given(EVERY, NATURAL)
def test_a_record_without_a_value_holds_none(chosen: tuple[Model, Field], value: Any) -> None:
    model, field = chosen
    wire = converted(model, field, value)
    assume(wire not in ("user", 0, False) or field.custom)
    empty = Held("1", {})
    assert not SERVICES[model.name].same(field, wire, empty)
    assert SERVICES[model.name].same(field, None, empty)


@pytest.mark.parametrize(
    ("name", "sent", "current", "answer"),
    [
        ("email", "Ada@Acme.com", "ada@acme.com", True),
        ("email", "ada@acme.com", "eve@acme.com", False),
        ("name", "Ada", "ada", False),
        ("name", " Ada", "Ada ", True),
        ("owner_id", 12, 12.0, True),
        ("owner_id", 1, True, False),
        ("unsubscribed_from_emails", False, 0, False),
        ("unsubscribed_from_emails", False, False, True),
    ],
)
def test_contacts_are_compared_in_the_form_of_intercom(name: str, sent: Any, current: Any, answer: bool) -> None:
    field = Field(name, name, CONTACT.standard[name][0])
    assert SERVICES["contact"].same(field, sent, Held("1", {name: current})) is answer
