"""Invented companies, so that a workspace can be filled with many."""

from __future__ import annotations

from typing import Any

_FIRST = ("North", "Blue", "Silver", "Green", "Stone", "River", "Cloud", "Amber", "Iron", "Maple")
_SECOND = ("Works", "Labs", "Foods", "Systems", "Studio", "Energy", "Logistics", "Health", "Bank", "Design")


def company(number: int) -> dict[str, Any]:
    """The values of the company of a number, as a request holds them."""
    name = f"{_FIRST[number % 10]} {_SECOND[number // 10 % 10]} {number}"
    return {"domains": [f"{name.replace(' ', '-').lower()}.com"], "name": [name], "description": ["An invented company."]}
