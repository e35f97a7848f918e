"""PURE. The type table of the documentation: what becomes of a value, told by the code that converts it.

`python -m destinations.services.attio.values.type_table > docs/attio-types.md` writes it anew.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from core.errors import Rejected
from destinations.contract import Field, Option
from destinations.services.attio.values.conversion import CONVERTERS, convert

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPTIONS = (
    Option("0a000000-0000-4000-8000-000000000001", "SaaS"),
    Option("0a000000-0000-4000-8000-000000000002", "B2B"),
)
_PERSON = "0a000000-0000-4000-8000-000000000003"

NATURAL: tuple[tuple[str, Any], ...] = (
    ("integer", 4),
    ("number", Decimal("12.50")),
    ("boolean", True),
    ("date", date(2024, 2, 29)),
    ("timestamp", datetime(2024, 2, 29, 22, 30, tzinfo=UTC)),
)
"""A value of each source type but text, list and object."""
TEXTS: dict[str, tuple[str, ...]] = {
    "text": ("Acme", "42"),
    "number": ("12.50", "1,250"),
    "checkbox": ("yes", "0", "maybe"),
    "currency": ("99.99", "$99"),
    "date": ("2024-02-29", "2024", "2024-02-29T23:30:00-10:00", "29/02/2024"),
    "timestamp": ("2024-02-29 22:30:00+02", "2024-02", "yesterday"),
    "rating": ("3", "7"),
    "select": ("saas", _OPTIONS[1].id, "Retail"),
    "status": ("saas", "Retail"),
    "domain": ("https://www.Acme.com/about", "Müller.de", "acme"),
    "email-address": ("Ada@Acme.com", "ada at acme"),
    "phone-number": ("+33 1 42 68 53 00", "0033142685300", "01 42 68 53 00"),
    "location": ("1 Infinite Loop, Cupertino",),
    "personal-name": ("Lovelace, Ada", "Ada Lovelace"),
    "record-reference": ("ada@acme.com", "https://acme.com", _PERSON, "Acme"),
    "actor-reference": ("ada@acme.com", "Ada"),
}
STRUCTURED: dict[str, tuple[Any, ...]] = {
    "text": (["a", "b"], {"a": 1}),
    "currency": ({"currency_value": 99}, {"currency_value": 99, "currency_code": "EUR"}),
    "location": ({"locality": "Paris", "country_code": "fr"}, {"city": "Paris"}),
    "personal-name": ({"first_name": "Ada", "last_name": "Lovelace"},),
    "phone-number": ({"original_phone_number": "01 42 68 53 00", "country_code": "FR"},),
    "record-reference": (
        {"target_object": "people", "target_record_id": _PERSON},
        {"target_object": "companies", "domains": [{"domain": "acme.com"}]},
    ),
}
LISTS: dict[str, tuple[Any, ...]] = {
    "select": (["SaaS", "b2b"], '["SaaS", "B2B"]', "SaaS; B2B", ["SaaS", "Retail"]),
    "domain": ("acme.com, www.acme.io", ["acme.com", "ACME.com"]),
    "email-address": ("ada@acme.com ada@home.net",),
}
"""Values of attributes that hold a list."""


def rows() -> Iterator[tuple[str, str, str, str]]:
    """Type of the attribute, type of the source, value there, and what is sent or why nothing is."""
    for name in CONVERTERS:
        values = [
            *NATURAL,
            *(("text", text) for text in TEXTS[name]),
            *((_kind(value), value) for value in STRUCTURED.get(name, ())),
        ]
        for source, value in values:
            yield name, source, _told(value), _sent(name, value, multiple=False)
        for value in LISTS.get(name, ()):
            yield f"{name}, several", _kind(value), _told(value), _sent(name, value, multiple=True)


def markdown() -> str:
    """The whole page."""
    head = (
        "# What is sent to Attio\n\n"
        "Made by the code that converts (`python -m destinations.services.attio.values.type_table`). A value that is refused makes its "
        "row invalid; nothing of that row is sent. An empty value is left out, or clears the attribute where its mapping says so. "
        "A part such as `primary_location.locality` or `name.last_name` takes one text, and shares the value of its attribute with "
        "the other parts. Companies and people take the same: of the types below, personal-name is found on people alone, domain on "
        "companies alone, and status on neither, but on deals.\n\n"
        "| attribute | source | value | sent |\n|---|---|---|---|\n"
    )
    return head + "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in rows())


def _sent(type_name: str, value: Any, *, multiple: bool) -> str:
    options = _OPTIONS if type_name in ("select", "status") else ()
    field = Field(
        "it",
        "It",
        type_name,
        multiple=multiple,
        options=options,
        config={"currency": "USD"} if type_name == "currency" else {},
    )
    try:
        return f"`{json.dumps(convert(field, value), ensure_ascii=False)}`"
    except Rejected as refusal:
        return "refused: " + refusal.message.removeprefix("The attribute 'it' ")


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else "object" if isinstance(value, dict) else "text"


def _told(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else value}`"


if __name__ == "__main__":
    print(markdown(), end="")
