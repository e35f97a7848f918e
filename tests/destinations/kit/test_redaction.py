"""No value of a request stays in a message, however the vendor spells it."""

from __future__ import annotations

import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from destinations.kit.redaction import redacted

TEXT = 'Zoë "Q" & Söhne <GmbH>'


@pytest.mark.parametrize(
    "spelled",
    [TEXT, TEXT.upper(), json.dumps(TEXT), json.dumps(TEXT, ensure_ascii=False), html.escape(TEXT), quote(TEXT),
     quote_plus(TEXT)],
)  # fmt: skip
def test_value_is_masked_in_every_spelling(spelled: str) -> None:
    shown = redacted(f"The value {spelled} is odd", {"name": [TEXT]})
    assert "Zo" not in shown
    assert "hne" not in shown.casefold()
    assert shown.startswith("The value ")


def test_longer_values_are_masked_as_a_whole() -> None:
    sent = {"name": "Acme Ltd", "short": "Acme", "size": 1234567, "value": "value"}
    assert redacted("Acme Ltd, acme: 1234567", sent) == "[value], [value]: [value]"


def test_keys_short_values_and_parts_of_words_stay_readable() -> None:
    sent = {"tier": "tier", "country": "FR", "name": "art"}
    assert redacted("tier of FR: article", sent) == "tier of FR: article"
    assert redacted("tier", sent, keep_keys=False) == "[value]"


@given(st.text(min_size=3, max_size=20).filter(lambda text: len(text.strip()) == len(text)))
def test_any_quoted_value_is_masked(text: str) -> None:
    assert redacted(f"<{text}>", {"key": text}, mask="") == "<>"
