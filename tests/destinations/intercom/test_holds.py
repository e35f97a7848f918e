"""Whether an Intercom record holds what would be sent."""

from __future__ import annotations

from typing import Any

import pytest

from destinations.contract import Field
from destinations.services.intercom.bodies import attribute_values, holds, shown

COMPANY = {
    "name": "Acme ",
    "plan": {"type": "plan", "id": "1", "name": "pro"},
    "size": 12,
    "monthly_spend": 0,
    "website": None,
    "remote_created_at": 1706686200,
    "custom_attributes": {"seats": 3, "score": 2.5, "churned": False, "note": ""},
}


@pytest.mark.parametrize(
    ("name", "wire", "answer"),
    [
        ("name", "Acme", True), ("name", "acme", False), ("name", None, False), ("plan", "pro", True),
        ("plan", "free", False), ("size", 12, True), ("size", 13, False), ("size", "12", False),
        ("monthly_spend", None, True), ("monthly_spend", 0, True), ("monthly_spend", 5, False),
        ("website", None, True), ("website", "acme.com", False), ("remote_created_at", 1706686200, True),
        ("seats", 3, True), ("seats", 3.0, True), ("seats", True, False), ("score", 2.5, True),
        ("churned", False, True), ("churned", True, False), ("churned", 0, False), ("note", None, True),
        ("unknown", None, True), ("unknown", "x", False),
    ],
)  # fmt: skip
def test_values_are_compared_in_the_form_of_intercom(name: str, wire: Any, answer: bool) -> None:
    assert holds(name, wire, attribute_values(COMPANY)) is answer


@pytest.mark.parametrize(
    ("name", "type_name", "text"),
    [
        ("name", "string", "Acme "), ("plan", "string", "pro"), ("size", "integer", 12), ("website", "string", None),
        ("monthly_spend", "float", None), ("remote_created_at", "date", "2024-01-31T07:30:00Z"),
        ("seats", "integer", 3), ("churned", "boolean", False), ("note", "string", None), ("unknown", "string", None),
    ],
)  # fmt: skip
def test_values_are_shown_as_people_read_them(name: str, type_name: str, text: Any) -> None:
    assert shown(Field(name, name, type_name), attribute_values(COMPANY)) == text
