"""Intercom REST API 2.16: companies, contacts, data attributes, and the call that identifies the token.

The published specification types custom attributes as strings, which the vendor's own examples contradict. These
schemas therefore accept any scalar.
"""

from __future__ import annotations

from typing import Any

from tests.destinations.contract.shapes import Shape, closed

ID = "[0-9a-f]{24}"
TEXT = {"type": ["string", "null"]}
INTEGER = {"type": ["integer", "null"]}
CUSTOM = {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}}
# Documented for PUT. Only older documentation and the vendor's own library have `remote_created_at`.
CHANGES: dict[str, Any] = {
    "name": TEXT, "plan": TEXT, "size": INTEGER, "website": TEXT, "industry": TEXT, "monthly_spend": INTEGER,
    "remote_created_at": INTEGER, "custom_attributes": CUSTOM,
}  # fmt: skip
COMPANY = closed(
    {**CHANGES, "company_id": {"type": "string", "minLength": 1}, "update_last_request_at": {"type": "boolean"}},
    "company_id",
)
CONTACT = {
    **closed(
        {
            **dict.fromkeys(("external_id", "email", "name", "phone", "avatar"), TEXT),
            **dict.fromkeys(("signed_up_at", "last_seen_at", "owner_id"), INTEGER),
            "role": {"enum": ["user", "lead"]},
            "unsubscribed_from_emails": {"type": ["boolean", "null"]},
            "custom_attributes": CUSTOM,
        }
    ),
    "minProperties": 1,
}
QUERY = closed(
    {"field": {"type": "string"}, "operator": {"enum": ["=", "IN"]}, "value": {"type": ["string", "array"]}},
    "field",
    "operator",
)
SEARCH = closed(
    {"query": QUERY, "pagination": closed({"per_page": {"type": "integer", "minimum": 1, "maximum": 150}})}, "query"
)
DATA_TYPES = ["string", "integer", "float", "boolean", "date", "datetime", "options"]
ATTRIBUTE = closed(
    {
        "name": {"type": "string", "minLength": 1},
        "model": {"enum": ["company", "contact"]},
        "data_type": {"enum": DATA_TYPES},
        "description": {"type": "string"},
        "messenger_writable": {"type": "boolean"},
        "options": {"type": "array", "minItems": 2},
    },
    "name",
    "model",
    "data_type",
)
LISTED = closed({"model": {"enum": ["company", "contact"]}, "include_archived": {"enum": ["true", "false"]}})

SHAPES = [
    Shape("GET", "/me"),
    Shape("POST", "/companies", COMPANY),
    Shape("GET", "/companies", query=closed({"company_id": {"type": "string", "minLength": 1}}, "company_id")),
    Shape("GET", f"/companies/{ID}"),
    Shape("PUT", f"/companies/{ID}", {**closed(CHANGES), "minProperties": 1}),
    Shape("POST", "/contacts", CONTACT),
    Shape("POST", "/contacts/search", SEARCH),
    Shape("GET", "/contacts/[0-9a-f]+"),
    Shape("PUT", "/contacts/[0-9a-f]+", CONTACT),
    # The page is not in the specification of this list, but in that of others, and in the addresses of further pages.
    Shape("GET", "/contacts/[0-9a-f]+/companies", query=closed({"page": {"type": "string"}})),
    Shape("POST", "/contacts/[0-9a-f]+/companies", closed({"id": {"type": "string", "pattern": f"^{ID}$"}}, "id")),
    Shape("DELETE", f"/contacts/[0-9a-f]+/companies/{ID}"),
    Shape("GET", "/data_attributes", query=LISTED),
    Shape("POST", "/data_attributes", ATTRIBUTE),
    Shape("PUT", "/data_attributes/[0-9]+", {**closed({"archived": {"type": "boolean"}}), "minProperties": 1}),
]
