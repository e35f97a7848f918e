"""The documentation page of type conversions matches the code."""

from __future__ import annotations

from pathlib import Path

from destinations.services.attio.values import type_table
from destinations.services.attio.values.conversion import CONVERTERS

PAGE = Path(__file__).parents[3] / "docs" / "attio-types.md"


def test_page_matches_the_generated_table() -> None:
    assert PAGE.read_text() == type_table.markdown(), (
        f"Regenerate it: python -m {type_table.__name__} > docs/{PAGE.name}"
    )


def test_table_covers_every_type_and_source_with_a_valid_value() -> None:
    rows = list(type_table.rows())
    converted = {kind.partition(" ")[0] for kind, _, _, sent in rows if not sent.startswith("invalid")}
    assert converted == set(CONVERTERS)
    for name in CONVERTERS:
        assert {source for kind, source, _, _ in rows if kind == name} >= {
            "text",
            "integer",
            "number",
            "boolean",
            "date",
            "timestamp",
        }
