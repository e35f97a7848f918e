"""What the JSON endpoints of activations take and return."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypedDict


class ScheduleFields(TypedDict, total=False):
    """The fields of a schedule, as its form has them."""

    purpose: str
    kind: str
    every: Any
    unit: str
    cron: str
    at: str
    timezone: str
    watch_column: str
    days: list[Any]
    after: Any
    starts_at: str
    ends_at: str


class ScheduleAnswer(TypedDict):
    words: str
    times: list[str]
    next: list[str]
    timezone: str
    note: str


class IssueAnswer(TypedDict):
    subject: str
    kind: str
    id: int | None
    label: str
    severity: str
    message: str


class IssuesAnswer(TypedDict):
    issues: list[IssueAnswer]


class StateAnswer(TypedDict):
    state: str
    label: str
    causes: list[str]
    next_run: datetime | None


class ActivationAnswer(StateAnswer):
    id: int
    name: str


class PauseAnswer(TypedDict):
    cause: str
    code: str
    message: str
    since: datetime
    checks: int
    next_check_at: datetime | None
    help: str


class SystemPauseAnswer(TypedDict):
    pause: PauseAnswer | None


class PausedStateAnswer(StateAnswer):
    pause: PauseAnswer | None


class RunRequest(TypedDict, total=False):
    full: bool
    dry_run: bool
    live: bool
    only_key: str


class ErrorAnswer(TypedDict):
    code: str
    message: str
    help: str


class DecisionAnswer(TypedDict):
    kind: str
    by: str
    at: datetime | None


class RunAnswer(TypedDict):
    id: int
    number: int
    activation: int
    state: str
    label: str
    live: bool
    kind: str
    reason: str
    trigger: str
    dry_run: bool
    compared: bool
    only_key: str
    counts: dict[str, int]
    hold: list[dict[str, Any]]
    decision: DecisionAnswer | None
    error: ErrorAnswer | None
    warnings: list[str]
    closed_warnings: list[str]


class RetryAnswer(TypedDict):
    records: int
    run: RunAnswer | None


class ComparisonSeconds(TypedDict):
    compare: float
    send: float


class ComparedFieldFacts(TypedDict, total=False):
    held: Any
    value: Any
    same: bool
    kept: bool


class ComparedField(ComparedFieldFacts):
    field: str


class ComparedRecord(TypedDict):
    id: int
    key: str
    name: str
    outcome: str
    code: str
    message: str
    remote_id: str
    web_url: str
    fields: list[ComparedField]


class ComparisonAnswer(TypedDict):
    would: dict[str, int]
    lookup_requests_at_most: int
    lookup_requests: int
    seconds: ComparisonSeconds
    records: list[ComparedRecord]
    next: int | None


class WarningActivation(TypedDict):
    id: int
    name: str


class Acknowledgement(TypedDict):
    by: str
    at: datetime


class WarningAnswer(TypedDict):
    id: int
    kind: str
    label: str
    subject: str
    message: str
    activation: WarningActivation
    run: int | None
    opened_at: datetime
    acknowledged: Acknowledgement | None
    closed_at: datetime | None


class WarningsAnswer(TypedDict):
    total: int
    warnings: list[WarningAnswer]


class DriftRequest(TypedDict, total=False):
    action: str
    field: str
    key: str


class DriftExampleValues(TypedDict, total=False):
    sent: Any
    held: Any


class DriftExample(DriftExampleValues):
    key: str
    writer: str
    writer_id: str
    written_at: str | None
    web_url: str


class DriftField(TypedDict):
    field: str
    policy: str
    open: int
    left: int
    restoring: int
    examples: list[DriftExample]


class DriftCheck(TypedDict):
    run: int
    state: str
    finished_at: str | None
    compared: int
    same: int
    records: int
    gone: int
    requests: int
    fields: list[DriftField]


class DriftAnswer(TypedDict):
    check: DriftCheck | None


class LeftAnswer(TypedDict):
    left: int
