"""What the JSON endpoints of the editor take and return."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict


class MappingBody(TypedDict, total=False):
    """`records` is such as `model:3` or `segment:4`."""

    records: str
    destination: Any
    activation: Any
    mode: str
    match_column: str
    match_field: str
    rows: list[dict[str, Any]]
    custom: list[str]
    page: str
    number: int


MappedExample = TypedDict("MappedExample", {"from": str, "to": str, "problem": str})


class MappedRow(TypedDict):
    id: int
    examples: list[MappedExample]
    problem: str
    empty: str
    fix: str


class ProposedMatch(TypedDict):
    column: str
    target: str
    reason: str


class MatchRow(MappedRow):
    proposed: ProposedMatch | None


class SharedAttribute(TypedDict):
    name: str
    url: str
    words: str
    conflict: bool


class CustomColumn(TypedDict):
    type: str
    exists: bool
    problem: str


class SuggestedRow(ProposedMatch):
    label: str


class Sampled(TypedDict, total=False):
    sampled: int


class MappingAnswer(Sampled):
    problem: str
    shared: dict[str, list[SharedAttribute]]
    match: MatchRow | None
    rows: list[MappedRow]
    custom: dict[str, CustomColumn]
    suggestions: list[SuggestedRow]


class MatchBody(TypedDict, total=False):
    records: str
    column: str
    page: str
    number: int


class MatchAnswer(TypedDict):
    text: str
    rows: int


class DraftBody(TypedDict, total=False):
    data: dict[str, list[str]]
    activation: Any
    draft: Any


class DraftAnswer(TypedDict):
    draft: int
    updated_at: datetime


class AttachBody(TypedDict, total=False):
    """The columns by which people are found have the names of the attributes of the service."""

    records: str
    destination: Any
    people: Any
    company_column: str
    page: str
    number: int


class AttachColumn(TypedDict):
    name: str
    type: str


class AttachAnswer(TypedDict):
    columns: list[AttachColumn]
    proposed: dict[str, str]
    problems: dict[str, str]
    key: str
    text: str
