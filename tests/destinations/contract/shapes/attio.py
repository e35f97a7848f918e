"""Attio REST API v2: records, attributes, options, and the call that identifies the token."""

from __future__ import annotations

from typing import Any

from tests.destinations.contract.shapes import Shape, closed

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
OBJECT = "/v2/objects/[a-z_]+"
NUMBER = {"type": "string", "pattern": "^[0-9]+$"}
TEXT_OR_NULL = {"type": ["string", "null"]}
LOCATION_KEYS = (
    "line_1",
    "line_2",
    "line_3",
    "line_4",
    "locality",
    "region",
    "postcode",
    "country_code",
    "latitude",
    "longitude",
)
NAME_KEYS = ("first_name", "last_name", "full_name")
OBJECTS = [
    closed({"value": {"type": ["string", "number", "boolean"]}}, "value"),
    closed({"currency_value": {"type": "number"}}, "currency_value"),
    closed({"option": {"type": "string"}}, "option"),
    closed({"status": {"type": "string"}}, "status"),
    closed({"domain": {"type": "string"}}, "domain"),
    closed({"email_address": {"type": "string"}}, "email_address"),
    closed({"original_phone_number": {"type": "string"}, "country_code": TEXT_OR_NULL}, "original_phone_number"),
    closed(dict.fromkeys(LOCATION_KEYS, TEXT_OR_NULL), *LOCATION_KEYS),
    closed({key: {"type": "string"} for key in NAME_KEYS}, *NAME_KEYS),
    closed({"referenced_actor_type": {"const": "workspace-member"}, "referenced_actor_id": {"type": "string"}},
           "referenced_actor_type", "referenced_actor_id"),
    closed({"workspace_member_email_address": {"type": "string"}}, "workspace_member_email_address"),
    {"type": "object", "required": ["target_object"], "minProperties": 2, "maxProperties": 2,
     "properties": {"target_object": {"type": "string"}}},
]  # fmt: skip
SCALAR = {"type": ["string", "number", "boolean"]}
ITEM: dict[str, Any] = {"anyOf": [SCALAR, *OBJECTS]}
# No documented value is null, and an empty string is never sent: [] clears a field.
VALUE = {"anyOf": [{"type": "array", "items": ITEM}, ITEM], "not": {"const": ""}}
RECORD = closed(
    {"data": closed({"values": {"type": "object", "additionalProperties": VALUE, "minProperties": 1}}, "values")},
    "data",
)
FILTER: dict[str, Any] = {"type": "object", "minProperties": 1}
QUERY = closed(
    {
        "filter": FILTER,
        "sorts": {"type": "array"},
        "limit": {"type": "integer", "minimum": 1, "maximum": 500},
        "offset": {"type": "integer", "minimum": 0},
    }
)
PAGED = closed({"limit": NUMBER, "offset": NUMBER, "show_archived": {"enum": ["true", "false"]}})

SHAPES = [
    Shape("GET", "/v2/self"),
    Shape("GET", "/v2/objects"),
    Shape("GET", OBJECT),
    Shape("GET", OBJECT + "/attributes", query=PAGED),
    Shape("GET", OBJECT + "/attributes/[^/]+"),
    Shape("GET", OBJECT + "/attributes/[^/]+/(options|statuses)", query=PAGED),
    Shape("POST", OBJECT + "/records", RECORD),
    Shape(
        "PUT",
        OBJECT + "/records",
        RECORD,
        closed({"matching_attribute": {"type": "string", "minLength": 1}}, "matching_attribute"),
    ),
    Shape("POST", OBJECT + "/records/query", QUERY),
    Shape("GET", f"{OBJECT}/records/{UUID}"),
    Shape("PATCH", f"{OBJECT}/records/{UUID}", RECORD),
    Shape("PUT", f"{OBJECT}/records/{UUID}", RECORD),
]
