"""PURE. Messages for values that can't be converted: the attribute, what it accepts, and the shape of the value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.kit.values.shapes import shape

if TYPE_CHECKING:
    from destinations.contract import Field


def rejection(field: Field, accepted: str, value: Any, *, code: str = "") -> Rejected:
    """The error for a value that does not fit. Its message describes the value's shape, never its contents."""
    return Rejected(
        code or f"no_{field.type.replace('-', '_')}",
        f"The attribute “{field.name}” takes {accepted}; this value is {shape(value)}.",
        field=field.name,
    )


def shared_page(field: Field) -> Rejected:
    """The error for the address of a page on a host that many companies share, such as linkedin.com/company/acme."""
    return Rejected(
        "domain_shared",
        f"The attribute “{field.name}” takes a company's own domain. This value is the address of a page on a site "
        "that many companies share, such as a social network or a directory, so its domain is not the company's. "
        "Correct it in the source, or change the list of shared sites (see docs/values.md).",
        field=field.name,
    )
