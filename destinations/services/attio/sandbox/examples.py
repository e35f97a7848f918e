"""Invented companies with which the sandbox can be filled."""

from __future__ import annotations

from typing import Any

from destinations.sandbox.examples import company_name, domain_of


def company(number: int) -> dict[str, Any]:
    """The values of one invented company as in a request. The same number always gives the same company."""
    name = company_name(number)
    return {"domains": [domain_of(name)], "name": [name], "description": ["An invented company."]}
