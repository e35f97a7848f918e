"""The page of the documentation says what the code does."""

from __future__ import annotations

from pathlib import Path

from destinations.services.attio.values import type_table
from destinations.services.attio.values.conversion import CONVERTERS

PAGE = Path(__file__).parents[3] / "docs" / "attio-types.md"


def test_the_page_is_what_the_code_makes_of_its_samples() -> None:
    assert PAGE.read_text() == type_table.markdown(), (
        f"Regenerate it: python -m {type_table.__name__} > docs/{PAGE.name}"
    )


def test_every_type_is_there_with_something_that_fits_and_from_every_source() -> None:
    rows = list(type_table.rows())
    fitting = {kind.partition(" ")[0] for kind, _, _, sent in rows if not sent.startswith("invalid")}
    assert fitting == set(CONVERTERS)
    for name in CONVERTERS:
        assert {source for kind, source, _, _ in rows if kind == name} >= {
            "text",
            "integer",
            "number",
            "boolean",
            "date",
            "timestamp",
        }
