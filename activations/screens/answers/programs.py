"""What the JSON endpoints for programs and for the search take and return."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict

from activations.screens.answers.runs import ErrorAnswer


class TriggerRequest(TypedDict, total=False):
    full: bool


class BriefRun(TypedDict):
    run: int
    number: int
    state: str
    label: str
    status_url: str


class TriggerAnswer(BriefRun):
    joined: bool


class TriggeredRunAnswer(BriefRun):
    finished: bool
    counts: dict[str, int]
    error: ErrorAnswer | None
    warnings: list[str]
    started_at: datetime | None
    finished_at: datetime | None


class FoundItem(TypedDict):
    title: str
    note: str
    url: str
    icon: str


class FoundGroup(TypedDict):
    label: str
    items: list[FoundItem]


class SearchAnswer(TypedDict):
    groups: list[FoundGroup]
    may_search_sources: bool


class SourceSearchRequest(TypedDict, total=False):
    q: str
    page: str
    number: int


class SourceSearchAnswer(TypedDict):
    items: list[FoundItem]
    problems: list[str]


class RecordFound(TypedDict):
    key: str
    name: str
    match: str


class RecordsFound(TypedDict):
    records: list[RecordFound]


class KeyRequest(TypedDict):
    key: str


class PreviewAnswer(TypedDict):
    key: str
    name: str
    method: str
    url: str
    body: str
    step: str
    changed: list[str]
    outcome: str
    code: str
    reason: str
    field: str
    reads: int
    is_sent: bool


class OneRecordStarted(TypedDict):
    run: int
    state: str


class ExchangeAnswer(TypedDict):
    method: str
    url: str
    status: str
    request: str
    response: str
    sent_at: datetime


class OneRecordOutcome(TypedDict, total=False):
    outcome: str
    is_accepted: bool
    web_url: str
    exchange: ExchangeAnswer | None


class OneRecordAnswer(OneRecordOutcome):
    live: bool
    label: str
    page: str
    message: str


class NewRecordsAnswer(TypedDict):
    counts: list[list[Any]]
    note: str
