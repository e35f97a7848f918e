"""Text as searches compare it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.folding import folded


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Müller", "muller"),
        ("MÜNCHEN", "munchen"),
        ("Mu\u0308ller", "muller"),
        ("Straße", "strasse"),
        ("Ørsted", "orsted"),
        ("Łódź", "lodz"),
        ("Ægir", "aegir"),
        ("İstanbul", "istanbul"),
        ("ΕΛΛΆΔΑ", "ελλαδα"),
        ("ACME", "acme"),
    ],
)
def test_case_and_accents_are_ignored(text: str, plain: str) -> None:
    assert folded(text) == plain


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert folded(folded(text)) == folded(text)
