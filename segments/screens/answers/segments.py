"""What the JSON endpoints of sources, models and segments take and return."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict


class FromPage(TypedDict, total=False):
    """The page that sends the request, and which of its requests it is: a newer one cancels older ones."""

    page: str
    number: int


class SourceAnswer(TypedDict):
    id: int
    name: str
    engine: str
    state: str
    label: str
    message: str
    checked_at: datetime | None


class TablesAnswer(TypedDict):
    tables: list[str]


class Rows(TypedDict):
    columns: list[str]
    rows: list[list[Any]]


class SampleAnswer(Rows):
    names: list[str]


class TableOrSQL(FromPage, total=False):
    table: str
    sql: str


class ColumnFacts(TypedDict, total=False):
    native: str
    computed: bool


class ColumnAnswer(ColumnFacts):
    name: str
    type: str


class ColumnsAnswer(TypedDict):
    columns: list[ColumnAnswer]


class ModelColumnsAnswer(TypedDict):
    model: int
    kind: str
    primary_key: str
    columns: list[ColumnAnswer]
    problem: str


class FileRequest(TypedDict):
    engine: str
    settings: dict[str, Any]


class FileBody(FileRequest, total=False):
    timezone: str


class FileAnswer(Rows):
    types: dict[str, str]
    misfits: list[str]
    skipped: int
    bad_lines: list[str]


class LinkAnswer(TypedDict):
    model: str
    through: str
    many: bool


class ScopeId(TypedDict, total=False):
    id: int


class ScopeAnswer(ScopeId):
    columns: list[ColumnAnswer]
    links: list[LinkAnswer]
    segments: list[str]


class BuilderAnswer(TypedDict):
    model: str
    models: dict[str, ScopeAnswer]
    problem: str


class SentenceAnswer(TypedDict):
    sentence: str
    sql: str


class ComputedBody(FromPage, total=False):
    name: str
    field: Any
    definition: dict[str, Any]


class ValuesBody(FromPage, total=False):
    column: str
    search: str


class ValueRows(TypedDict):
    value: Any
    rows: int


class ValuesAnswer(TypedDict):
    values: list[ValueRows]


class SegmentBody(FromPage, total=False):
    model: Any
    name: str
    where: dict[str, Any] | None
    limit: dict[str, Any] | None


class SegmentPreviewBody(SegmentBody, total=False):
    total: bool


class SegmentPreviewAnswer(Rows):
    count: int
    total: int | None
    left_out: list[str]
    sql: str


class BreakdownBody(TypedDict, total=False):
    column: str


class BreakdownAnswer(TypedDict):
    total: int
    groups: list[ValueRows]


class OverlapBody(TypedDict):
    other: int


class OverlapAnswer(TypedDict):
    both: int
    only: int
    other_only: int
    name: str
    other: str


class Nothing(TypedDict):
    """An empty object."""
