"""PURE. The type table of the documentation: what becomes of a value, told by the code that converts it.

`python -m destinations.services.intercom.values.type_table > docs/intercom-types.md` writes it anew.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import Field, NewField, Option, Service
from destinations.services.intercom import custom_attributes, fields
from destinations.services.intercom.companies import IntercomCompanies
from destinations.services.intercom.contacts import IntercomContacts
from destinations.services.intercom.fields import CONTACT, Model
from destinations.services.intercom.values import conversion

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTIONS = (Option("Basic", "Basic"), Option("Pro", "Pro"))

NATURAL: tuple[tuple[str, Any], ...] = (
    ("integer", 4),
    ("number", Decimal("12.50")),
    ("boolean", True),
    ("date", date(2024, 2, 29)),
    ("timestamp", datetime(2024, 2, 29, 22, 30, tzinfo=UTC)),
    ("list", ["a", "b"]),
    ("object", {"a": 1}),
)
"""A value of each source type but text."""
TEXTS: dict[str, tuple[str, ...]] = {
    "string": ("Acme", "x" * (conversion.STRING_LENGTH + 1)),
    "string, with options": ("pro", "Gold"),
    "integer": ("42", "42.5", str(conversion.INTEGER_AT_MOST + 1), "1,250"),
    "float": ("12.50", "1e3", "12,50"),
    "boolean": ("yes", "0", "maybe"),
    "date": ("2024-02-29", "2024-02-29T22:30:00+02:00", "1709245800", "1709245800000", "29/02/2024"),
}
COMPANY_TEXTS = {
    "company_id": ("A-17", " A-17 "),
    "monthly_spend": ("155", "155.98", str(conversion.INTEGER_AT_MOST + 1)),
}
CONTACT_TEXTS = {"email": ("Ada@Acme.com", "ada at acme"), "external_id": ("A-17",), "role": ("Lead", "admin")}
"""Attributes of Intercom's own that take something else than others of their type."""


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Attribute, type of the source, value there, and what is sent or why nothing is."""
    for name, texts in TEXTS.items():
        kind, _, several = name.partition(",")
        field = Field("it", "It", kind, custom=True, options=_OPTIONS if several else ())
        yield from _rows(f"custom: {name}", IntercomCompanies(), field, texts)
    yield from _own(IntercomCompanies(), fields.COMPANY, COMPANY_TEXTS)
    yield from _own(IntercomContacts(), CONTACT, CONTACT_TEXTS)


def created() -> Iterator[tuple[str, str]]:
    """Type of a column, and the data type of the custom attribute that is made for it, or why none is."""
    for name in (*custom_attributes.DATA_TYPES, "list", "object"):
        refused = next(custom_attributes.refusals((), [NewField("it", name)]), "")
        yield (
            name,
            "refused: " + refused.removeprefix("The column 'it' ")
            if refused
            else f"`{custom_attributes.DATA_TYPES[name]}`",
        )


def markdown() -> str:
    """The whole page."""
    head = (
        "# What is sent to Intercom\n\n"
        "Made by the code that converts (`python -m destinations.services.intercom.values.type_table`). A value that is refused makes its "
        "row invalid; nothing of that row is sent, and nothing is ever shortened. An empty value is left out, or cleared with null where "
        "its mapping says so. Companies and contacts take the same, but for the attributes that are named below. Text of Intercom's own "
        "attributes has no documented limit; that of custom ones is "
        f"{conversion.STRING_LENGTH} characters.\n\n"
    )
    made = "## Custom attributes that are created\n\n" + _table(
        ("type of the column", "data type in Intercom"), created()
    )
    return head + _table(("attribute", "source", "value", "sent"), rows()) + "\n" + made


def _own(service: Service, model: Model, texts: dict[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str, str]]:
    for field in fields.fields((), (), model):
        if field.name in texts:
            yield from _rows(f"{model.name}: {field.name}", service, field, texts[field.name])


def _rows(name: str, service: Service, field: Field, texts: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    for source, value in [*NATURAL, *(("text", text) for text in texts)]:
        yield name, source, _told(value), _sent(service, field, value)


def _sent(service: Service, field: Field, value: Any) -> str:
    try:
        return f"`{json.dumps(service.convert(field, value), ensure_ascii=False)}`"
    except Rejected as refusal:
        return "refused: " + refusal.message.removeprefix(f"The attribute {field.name!r} ")


def _told(value: Any) -> str:
    if isinstance(value, str) and len(value) > conversion.STRING_LENGTH:
        return f"{len(value)} characters"
    return f"`{json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else value}`"


def _table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    cells = [head, ("---",) * len(head), *lines]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in cells)


if __name__ == "__main__":
    print(markdown(), end="")
