"""PURE. The table of type conversions for the documentation, generated from the conversion code itself.

To regenerate it: `python -m destinations.services.intercom.values.type_table > docs/intercom-types.md`.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import Field, NewField, Option, Service
from destinations.services.intercom import custom_attributes
from destinations.services.intercom.attributes import COMPANY, CONTACT, Model, to_fields
from destinations.services.intercom.companies import IntercomCompanies
from destinations.services.intercom.contacts import IntercomContacts
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
"""One value of each source type except text."""
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
CONTACT_TEXTS = {
    "email": ("Ada@Acme.com", "ada at acme"),
    "external_id": ("A-17",),
    "role": ("Lead", "admin"),
    "company": ("A-17", " A-17 "),
}
"""Standard attributes that take other values than custom attributes of the same type."""


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Attribute, source type, source value, and either what is sent or why nothing is."""
    for name, texts in TEXTS.items():
        data_type, _, suffix = name.partition(",")
        field = Field("it", "It", data_type, custom=True, options=_OPTIONS if suffix else ())
        yield from _field_rows(f"custom: {name}", IntercomCompanies(), field, texts)
    yield from _standard_rows(IntercomCompanies(), COMPANY, COMPANY_TEXTS)
    yield from _standard_rows(IntercomContacts(), CONTACT, CONTACT_TEXTS)


def created_types() -> Iterator[tuple[str, str]]:
    """Column type, and the data type of the custom attribute that is created for it, or why none is."""
    for name in (*custom_attributes.DATA_TYPES, "list", "object"):
        obstacle = next(custom_attributes.obstacles((), [NewField("it", name)]), "")
        reason = "not supported: " + obstacle.removeprefix("The column “it” ")
        yield name, reason if obstacle else f"`{custom_attributes.DATA_TYPES[name]}`"


def markdown() -> str:
    """The whole page."""
    introduction = (
        "# Type conversions for Intercom\n\n"
        "Generated from the conversion code by `python -m destinations.services.intercom.values.type_table`.\n\n"
        "If a value is invalid, its whole row is invalid and is not sent. Nothing is ever shortened. An empty value is "
        "left out, or cleared with null if its mapping is set to clear. Companies and contacts accept the same values, "
        "except for the attributes named below. Text in custom attributes is limited to "
        f"{conversion.STRING_LENGTH} characters. No limit is documented for text in Intercom's standard attributes.\n\n"
    )
    conversions = _table(("attribute", "source type", "source value", "sent"), rows())
    created = _table(("column type", "data type in Intercom"), created_types())
    return f"{introduction}{conversions}\n## Custom attributes that are created\n\n{created}"


def _standard_rows(
    service: Service, model: Model, texts: dict[str, tuple[str, ...]]
) -> Iterator[tuple[str, str, str, str]]:
    for field in to_fields((), (), model):
        if field.name in texts:
            yield from _field_rows(f"{model.name}: {field.name}", service, field, texts[field.name])


def _field_rows(
    name: str, service: Service, field: Field, texts: tuple[str, ...]
) -> Iterator[tuple[str, str, str, str]]:
    for source, value in [*NATURAL, *(("text", text) for text in texts)]:
        yield name, source, _displayed(value), _sent(service, field, value)


def _sent(service: Service, field: Field, value: Any) -> str:
    try:
        return f"`{json.dumps(service.convert(field, value), ensure_ascii=False)}`"
    except Rejected as rejection:
        return "invalid: " + rejection.message.removeprefix(f"The attribute “{field.name}” ")


def _displayed(value: Any) -> str:
    if isinstance(value, str) and len(value) > conversion.STRING_LENGTH:
        return f"{len(value)} characters"
    return f"`{json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else value}`"


def _table(head: tuple[str, ...], lines: Iterator[tuple[str, ...]]) -> str:
    """A table in Markdown."""
    cells = [head, ("---",) * len(head), *lines]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in cells)


if __name__ == "__main__":
    print(markdown(), end="")
