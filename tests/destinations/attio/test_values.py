"""Conversion of natural values and text for every type of attribute, and whether Attio accepts the result."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.contract import Field, Option
from destinations.services.attio.sandbox.schema import Attribute, Choice
from destinations.services.attio.sandbox.validation import parse
from destinations.services.attio.sandbox.workspace import Workspace
from destinations.services.attio.values.conversion import CONVERTERS, convert, identity

OPTIONS = (
    Option("11111111-1111-4111-8111-111111111111", "SAAS"),
    Option("22222222-2222-4222-8222-222222222222", "Arts, Crafts"),
)
CET = timezone(timedelta(hours=1))
PERSON = "33333333-3333-4333-8333-333333333333"
PERSON_REFERENCE = {"target_object": "people", "target_record_id": PERSON}


def field(type_: str, *, multiple: bool = False, target: str = "") -> Field:
    options = OPTIONS if type_ in ("select", "status") else ()
    return Field(
        "thing", "Thing", type_, multiple=multiple, options=options, config={"target_object": target} if target else {}
    )


@pytest.mark.parametrize(
    ("type_", "value", "wire"),
    [
        ("text", "Zażółć 🚀", "Zażółć 🚀"),
        ("text", "  kept unchanged ", "  kept unchanged "),
        ("text", 42, "42"),
        ("text", Decimal("12.50"), "12.5"),
        ("text", Decimal("123456789012345678901234567890.5"), "123456789012345678901234567890.5"),
        ("text", 1e21, "1000000000000000000000"),
        ("text", True, "true"),
        ("text", date(2024, 2, 29), "2024-02-29"),
        ("text", datetime(2024, 2, 29, 1, tzinfo=CET), "2024-02-29T00:00:00Z"),
        ("text", ["a", 2, True], "a, 2, true"),
        ("text", {"b": 1, "a": "é"}, '{"a": "é", "b": 1}'),
        ("number", 42, 42),
        ("number", 42.0, 42),
        ("number", Decimal("1.50"), 1.5),
        ("number", 0.1 + 0.2, 0.3),
        ("number", "-1.25e2", -125),
        ("number", -0.00001, 0),
        ("number", " 7 ", 7),
        ("currency", "99.99", 99.99),
        ("currency", {"currency_value": 5}, 5),
        ("checkbox", True, True),
        ("checkbox", 0, False),
        ("checkbox", "Yes", True),
        ("checkbox", "f", False),
        ("date", date(2019, 1, 1), "2019-01-01"),
        ("date", datetime(2019, 1, 1, 0, 30, tzinfo=CET), "2018-12-31"),
        ("date", "2019", "2019-01-01"),
        ("date", 2019, "2019-01-01"),
        ("date", "2019-05", "2019-05-01"),
        ("date", "2019-05-06T23:00:00-10:00", "2019-05-07"),
        ("date", "2019-05-06 10:00:00", "2019-05-06"),
        ("timestamp", datetime(2024, 1, 1, 12, 0, 0, 123456, CET), "2024-01-01T11:00:00.123456Z"),
        ("timestamp", date(2024, 1, 1), "2024-01-01T00:00:00Z"),
        ("timestamp", "2024-01-01 12:00:00+02", "2024-01-01T10:00:00Z"),
        ("timestamp", "2024-01-01 12:00:00 UTC", "2024-01-01T12:00:00Z"),
        ("timestamp", "2024-01-01T12:00:00", "2024-01-01T12:00:00Z"),
        ("rating", 5, 5),
        ("rating", "3.0", 3),
        ("select", "saas", "SAAS"),
        ("select", " SaaS ", "SAAS"),
        ("select", OPTIONS[1].id, "Arts, Crafts"),
        ("select", ["SAAS"], "SAAS"),
        ("status", "saas", "SAAS"),
        ("domain", "https://www.Acme.com/x", "acme.com"),
        ("email-address", " Ada@Example.com ", "ada@example.com"),
        ("email-address", "mailto:ada@example.com", "ada@example.com"),
        ("email-address", "ada@www.müller.de.", "ada@www.xn--mller-kva.de"),
        ("phone-number", "+33 1 42 68 53 00", "+33142685300"),
        ("phone-number", "0033142685300", "+33142685300"),
        ("phone-number", {"original_phone_number": "01 42 68 53 00", "country_code": "fr"}, "+33142685300"),
        ("location", " 1 Infinite Loop, Cupertino ", "1 Infinite Loop, Cupertino"),
        ("personal-name", "Lovelace, Ada", {"first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace"}),
        (
            "personal-name",
            "Ada King Lovelace",
            {"first_name": "Ada King", "last_name": "Lovelace", "full_name": "Ada King Lovelace"},
        ),
        ("personal-name", {"full_name": "Ada"}, {"first_name": "Ada", "last_name": "", "full_name": "Ada"}),
        ("record-reference", "Ada@Example.com", "ada@example.com"),
        ("record-reference", "https://acme.com", "acme.com"),
        ("record-reference", PERSON, PERSON),
        ("record-reference", PERSON_REFERENCE, PERSON_REFERENCE),
        (
            "record-reference",
            {"target_object": "companies", "domains": [{"domain": "WWW.acme.com"}]},
            {"target_object": "companies", "domains": [{"domain": "acme.com"}]},
        ),
        (
            "record-reference",
            '{"target_object": "people", "email_addresses": "Ada@acme.com"}',
            {"target_object": "people", "email_addresses": [{"email_address": "ada@acme.com"}]},
        ),
        ("actor-reference", "Ada@Example.com", "ada@example.com"),
        ("actor-reference", PERSON, {"referenced_actor_type": "workspace-member", "referenced_actor_id": PERSON}),
    ],
)
def test_value_conversion(type_: str, value: Any, wire: Any) -> None:
    assert convert(field(type_), value) == wire


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("text", "\ud800"),
        ("text", "x" * (10 * 1024 * 1024 + 1)),
        ("number", "1,234"),
        ("number", "twelve"),
        ("number", "NaN"),
        ("number", float("inf")),
        ("number", Decimal("sNaN")),
        ("number", 2**53 + 1),
        ("number", 10**4000),
        ("number", True),
        ("number", "1e999"),
        ("number", [1, 2]),
        ("currency", {"amount": 5}),
        ("text", float("nan")),
        ("checkbox", 2),
        ("checkbox", Decimal("sNaN")),
        ("checkbox", "maybe"),
        ("date", "31/12/2024"),
        ("date", 20241231),
        ("date", "0000"),
        ("date", True),
        ("timestamp", "0001-01-01T00:00:00+14:00"),
        ("timestamp", 1700000000),
        ("rating", 6),
        ("rating", 2.5),
        ("select", "Unheard of"),
        ("domain", "nobody@acme.com"),
        ("domain", 5),
        ("email-address", "ada at example.com"),
        ("email-address", "ada@localhost"),
        ("email-address", "ada@https://example.com/"),
        ("email-address", "ada@example.c"),
        ("phone-number", "01 42 68 53 00"),
        ("phone-number", "+1 555 555 5555"),
        ("phone-number", 33142685300),
        ("location", {"city": "Paris"}),
        ("location", {"locality": ["Paris"]}),
        ("location", {"country_code": "Atlantis"}),
        ("location", {"country_code": "XX"}),
        ("location", {"latitude": 91}),
        ("location", '{"locality": '),
        ("location", {}),
        ("personal-name", {"nick": "Ada"}),
        ("personal-name", 5),
        ("record-reference", "Acme"),
        ("record-reference", {"target_object": "people"}),
        ("actor-reference", "somebody"),
        ("interaction", "x"),
    ],
)
def test_invalid_value_is_rejected_without_revealing_it(type_: str, value: Any) -> None:
    with pytest.raises(Rejected) as rejection:
        convert(field(type_), value)
    assert rejection.value.field == "thing"
    assert "“thing”" in rejection.value.message
    for secret in (
        "Unheard",
        "twelve",
        "maybe",
        "nobody",
        "somebody",
        "ada at",
        "City",
        "Acme",
        "31/12",
        "Atlantis",
        "XX",
    ):
        assert secret not in rejection.value.message


def test_unknown_option_has_its_own_code() -> None:
    with pytest.raises(Rejected) as rejection:
        convert(field("select"), "Unheard of")
    assert rejection.value.code == "unknown_option"


@pytest.mark.parametrize("type_", sorted(set(CONVERTERS) - {"text"}))
def test_blank_text_is_never_a_value(type_: str) -> None:
    for multiple in (False, True):
        with pytest.raises(Rejected):
            convert(field(type_, multiple=multiple), "  ")


@pytest.mark.parametrize(
    ("type_", "value", "wire"),
    [
        ("select", ["saas", "SAAS", None, "", "Arts, Crafts"], ["SAAS", "Arts, Crafts"]),
        ("select", '["SaaS"]', ["SAAS"]),
        ("select", "Arts, Crafts", ["Arts, Crafts"]),
        ("select", "Arts, Crafts; SAAS", ["Arts, Crafts", "SAAS"]),
        ("select", "SAAS, saas", ["SAAS"]),
        ("select", "SAAS", ["SAAS"]),
        ("domain", "acme.com, www.beta.com  gamma.com", ["acme.com", "beta.com", "gamma.com"]),
        ("domain", ["ACME.com", "https://acme.com/"], ["acme.com"]),
        ("domain", "https://acme.com/a,b", ["acme.com"]),
        ("email-address", "a@acme.com;b@acme.com", ["a@acme.com", "b@acme.com"]),
        ("phone-number", "+33 1 42 68 53 00, +44 20 7946 0958", ["+33142685300", "+442079460958"]),
        ("record-reference", "ada@example.com bob@example.com", ["ada@example.com", "bob@example.com"]),
        ("record-reference", json.dumps(PERSON_REFERENCE), [PERSON_REFERENCE]),
    ],
)
def test_lists_can_be_arrays_json_or_separated_text(type_: str, value: Any, wire: Any) -> None:
    assert convert(field(type_, multiple=True), value) == wire


@pytest.mark.parametrize("value", ["[]", " , ;", "[null]", [None, ""], '["saas"', ["SAAS", "Unheard of"], '{"a": 1}'])
def test_list_without_values_or_with_an_invalid_one_is_rejected(value: Any) -> None:
    with pytest.raises(Rejected):
        convert(field("select", multiple=True), value)


def test_location_always_has_all_ten_keys() -> None:
    parts = {"locality": "Paris", "country_code": "fr", "latitude": 48.85, "longitude": Decimal("2.35")}
    wire = convert(field("location"), parts)
    assert wire == convert(field("location"), json.dumps(parts, default=float))
    assert len(wire) == 10
    assert (wire["locality"], wire["country_code"], wire["latitude"], wire["line_1"]) == ("Paris", "FR", "48.85", None)


@pytest.mark.parametrize(
    ("target", "valid", "invalid"),
    [("people", "a@acme.com", "acme.com"), ("companies", "acme.com", "a@acme.com"), ("deals", PERSON, "acme.com")],
)
def test_reference_takes_the_unique_value_of_its_target(target: str, valid: str, invalid: str) -> None:
    assert convert(field("record-reference", target=target), valid) == valid
    with pytest.raises(Rejected):
        convert(field("record-reference", target=target), invalid)


@pytest.mark.parametrize(
    "value",
    [
        {"target_object": "companies", "domains": ["acme.com"]},
        {"target_object": "people", "domains": ["acme.com"]},
        {"target_object": "people", "email_addresses": ["a@acme.com", "b@acme.com"]},
        {"target_object": "people", "target_record_id": "7"},
        {"target_object": "people", "target_record_id": PERSON, "email_addresses": "a@acme.com"},
        {"target_object": "people"},
        {"target_record_id": PERSON},
    ],
)
def test_reference_object_must_name_one_record_of_an_allowed_object(value: Any) -> None:
    with pytest.raises(Rejected):
        convert(field("record-reference", target="people"), value)


def test_amount_in_a_different_currency_is_rejected() -> None:
    money = Field("arr", "ARR", "currency", config={"currency": "USD"})
    assert convert(money, {"currency_value": 5, "currency_code": "USD"}) == 5
    with pytest.raises(Rejected, match="USD"):
        convert(money, {"currency_value": 5, "currency_code": "EUR"})


def test_identities_ignore_case_in_domains_and_email_addresses() -> None:
    assert identity(field("domain", multiple=True), ["acme.com", "beta.com"]) == "acme.com"
    assert identity(field("domain"), "ACME.com") == "acme.com"
    assert identity(field("email-address"), "A@b.com") == "a@b.com"
    assert identity(field("text"), "CaSe") == "CaSe"
    assert identity(field("number"), 42) == "42"
    assert identity(field("domain", multiple=True), []) == ""


NATURAL = st.one_of(
    st.text(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.booleans(),
    st.dates(),
    st.datetimes(timezones=st.just(UTC)),
    st.lists(st.one_of(st.text(), st.integers()), min_size=1, max_size=3),
    st.dictionaries(
        st.sampled_from(["locality", "latitude", "first_name", "value"]),
        st.one_of(st.text(), st.integers()),
        min_size=1,
    ),
    st.sampled_from(
        ["SAAS", "acme.com", "a@acme.com", "+33142685300", "2024-01-01", "3", "yes", "Paris", "Lovelace, Ada"]
    ),
)


@given(st.sampled_from(sorted(set(CONVERTERS) - {"record-reference", "actor-reference"})), st.booleans(), NATURAL)
def test_converted_values_are_json_that_attio_accepts(type_: str, multiple: bool, value: Any) -> None:
    try:
        wire = convert(field(type_, multiple=multiple), value)
    except Rejected as rejection:
        assert rejection.field == "thing"
        return
    attribute = Attribute(
        "thing", "Thing", type_, "w", "o", multiselect=multiple, currency={"default_currency_code": "USD"}
    )
    attribute.choices = [Choice(option.id, option.title) for option in OPTIONS]
    assert parse(Workspace("token"), attribute, json.loads(json.dumps(wire, allow_nan=False)))


@given(st.one_of(st.integers(-(2**53), 2**53), st.decimals(-(10**9), 10**9, places=4), st.floats(-1e9, 1e9)))
def test_number_and_its_text_convert_to_the_same_number(value: Any) -> None:
    assert convert(field("number"), value) == convert(field("number"), format(Decimal(str(value)), "f"))


@given(st.datetimes(timezones=st.timezones()))
def test_time_and_its_text_convert_to_the_same_time(value: datetime) -> None:
    assert convert(field("timestamp"), value) == convert(field("timestamp"), value.isoformat())


def test_very_long_integers_are_handled() -> None:
    with pytest.raises(Rejected, match="2\\^53"):
        convert(field("number"), 10**5000)
    assert len(convert(field("text"), 10**5000)) == 5001
