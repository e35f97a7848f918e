"""Names of fictional companies, to fill a simulator with sample records."""

from __future__ import annotations

_FIRST = ("North", "Blue", "Silver", "Green", "Stone", "River", "Cloud", "Amber", "Iron", "Maple")
_SECOND = ("Works", "Labs", "Foods", "Systems", "Studio", "Energy", "Logistics", "Health", "Bank", "Design")


def company_name(number: int) -> str:
    """A company name that is unique for each number."""
    return f"{_FIRST[number % 10]} {_SECOND[number // 10 % 10]} {number}"


def domain_of(name: str) -> str:
    return f"{name.replace(' ', '-').lower()}.com"
