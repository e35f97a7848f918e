"""Control characters are never sent, whatever value they are in, and a value keeps the spelling of its source."""

from __future__ import annotations

import json
import unicodedata
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Rejected
from destinations.contract import Field, Option, Origin
from destinations.kit.values.text import clean, has_control, spelled
from destinations.registry import services

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXT = Field("notes", "Notes", "text")
ID = Field("code", "Code", "text", unique=True, matchable=True)
OPTIONS = (Option("1", "A"), Option("2", "B"))
ATTIO = (
    "text", "select", "domain", "email-address", "phone-number", "location", "personal-name",
    "record-reference", "actor-reference",
)  # fmt: skip
FIELDS = [
    *(("attio.companies", Field("it", "It", kind, options=OPTIONS if kind == "select" else ())) for kind in ATTIO),
    *(("attio.companies", Field("its", "Its", kind, multiple=True)) for kind in ("text", "domain", "email-address")),
    ("attio.companies", ID),
    ("intercom.companies", Field("it", "It", "string", custom=True)),
    ("intercom.companies", Field("company_id", "Company ID", "string", unique=True, matchable=True)),
    ("intercom.contacts", Field("email", "Email", "string", unique=True, matchable=True)),
    ("intercom.contacts", Field("phone", "Phone", "string")),
]
CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029) if chr(code) not in "\t\n\r"]
WORDS = st.sampled_from(["acme.com", "ada@acme.com", "Lovelace, Ada", "+33142685300", "A", "x", ""])
ODD = st.builds("".join, st.lists(st.sampled_from(CONTROLS) | WORDS | st.characters(codec="utf-8"), max_size=6))
VALUES = st.one_of(
    ODD,
    st.lists(ODD, max_size=3),
    st.dictionaries(st.sampled_from(["locality", "first_name", "domain", "a\x00"]), ODD, max_size=2),
    st.lists(ODD, max_size=2).map(json.dumps),
    st.dictionaries(st.sampled_from(["locality", "last_name"]), ODD, max_size=2).map(json.dumps),
)


def strings(wire: Any) -> Iterator[str]:
    if isinstance(wire, str):
        yield wire
    for part in wire if isinstance(wire, list) else [*wire.keys(), *wire.values()] if isinstance(wire, dict) else ():
        yield from strings(part)


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_clean_text_has_no_control_characters_but_tabs_and_line_breaks(text: str) -> None:
    cleaned = clean(text)
    assert not [
        character for character in cleaned if unicodedata.category(character) == "Cc" and character not in "\t\n\r"
    ]
    assert clean(cleaned) == cleaned
    if not has_control(text):
        assert cleaned == text


def test_other_line_breaks_become_line_feeds() -> None:
    assert clean("a\x0bb\x0cc\x85d\u2028e\u2029f\x00g\x7fh\x9fi") == "a\nb\nc\nd\ne\nfghi"
    assert clean("kept\tas\r\nit is") == "kept\tas\r\nit is"


@pytest.mark.parametrize(("slug", "field"), FIELDS, ids=lambda value: getattr(value, "name", value))
@given(value=VALUES)
def test_no_service_ever_sends_a_control_character(slug: str, field: Field, value: Any) -> None:
    try:
        wire = services[slug].convert(field, value)
    except Rejected:
        return
    assert not [text for text in strings(wire) if has_control(text)]


@pytest.mark.parametrize(
    ("slug", "field"),
    [("attio.companies", ID), *(pair for pair in FIELDS if pair[1].name in ("company_id", "email"))],
    ids=lambda value: getattr(value, "name", value),
)
@pytest.mark.parametrize("value", ["a\x00b@acme.com", "\x9fada@acme.com", "ada@acme.com\u2028"])
def test_match_value_with_a_control_character_is_invalid(slug: str, field: Field, value: str) -> None:
    """Without the character, it might be the match value of a different record."""
    with pytest.raises(Rejected) as caught:
        services[slug].convert(field, value)
    assert caught.value.code == "control_characters"
    assert "acme" not in caught.value.message


@pytest.mark.parametrize("slug", ["attio.companies", "intercom.companies"])
@pytest.mark.parametrize("value", ["\x00", " \x00 ", "\ufeff\ud800", ["\ud800"], {"a": "\udfff"}])
def test_value_without_a_sendable_character_is_invalid(slug: str, value: Any) -> None:
    field = Field("it", "It", "text" if slug.startswith("attio") else "string", custom=True)
    with pytest.raises(Rejected):
        services[slug].convert(field, value)


@pytest.mark.parametrize(
    ("value", "text", "expected"),
    [
        (1.1, "1.10", "1.10"),
        (120000.0, "12E4", "12E4"),
        (True, "TRUE", "TRUE"),
        (date(2024, 1, 2), "2024-01-02", "2024-01-02"),
        (1.1, "", 1.1),
        ("as it is", "something else", "as it is"),
        (["a"], '["a"]', ["a"]),
    ],
)
def test_values_that_a_source_spelled_keep_its_spelling(value: Any, text: str, expected: Any) -> None:
    assert spelled(TEXT, value, Origin(text=text)) == expected


def test_whole_number_with_a_point_is_its_digits_where_records_are_identified() -> None:
    assert spelled(ID, 7.0, Origin(text="7.0")) == "7"
    assert spelled(TEXT, 7.0, Origin(text="7.0")) == "7.0"
    assert spelled(ID, Decimal("7.10"), Origin(text="7.10")) == "7.10"
