"""Invented companies."""

from __future__ import annotations

from typing import Any

from destinations.sandbox.examples import company_name, domain_of


def company(number: int) -> dict[str, Any]:
    """The values of the company of a number, as a request holds them."""
    name = company_name(number)
    return {"domains": [domain_of(name)], "name": [name], "description": ["An invented company."]}
