"""What the JSON endpoints of destinations return."""

from __future__ import annotations

from datetime import datetime
from typing import TypedDict


class ConnectionAnswer(TypedDict):
    id: int
    name: str
    platform: str
    workspace: str
    state: str
    label: str
    message: str
    checked_at: datetime | None


class ServiceAnswer(TypedDict):
    service: str
    label: str
    platform: str
    accepts: list[str]
    modes: list[str]
    default_mode: str
    default_match: str
    match_advice: str
    creates_fields: bool
    notes: list[str]


class ServicesAnswer(TypedDict):
    services: list[ServiceAnswer]


class DestinationAnswer(ServiceAnswer):
    id: int
    name: str


class OptionAnswer(TypedDict):
    id: str
    title: str


class FieldAnswer(TypedDict):
    name: str
    label: str
    type: str
    type_word: str
    writable: bool
    read_only_reason: str
    required: bool
    unique: bool
    multiple: bool
    matchable: bool
    custom: bool
    enriched: bool
    part_of: str
    options: list[OptionAnswer]


class DiscoveredField(FieldAnswer):
    takes_country: bool
    links: bool


class DifferenceAnswer(TypedDict):
    kind: str
    name: str
    message: str


class DiscoveryAnswer(TypedDict):
    fields: list[DiscoveredField]
    found_at: datetime
    changes: list[str]
    differences: list[DifferenceAnswer]
