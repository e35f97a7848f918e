"""The rules of warnings: a run opens one if a person should look at it, and a later run without cause closes it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from activations import warning_kinds as kinds
from activations.alerts import record
from activations.models import Activation, Run, Warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@dataclass(frozen=True)
class Thresholds:
    """Percentages above which a warning opens. `enabled`: whether the activation wants warnings about its counts."""

    enabled: bool
    rejected_percent: float
    invalid_percent: float
    size_change_percent: float


@dataclass(frozen=True)
class Summary:
    """A run in numbers: its counts, the rows of the previous run, and the attributes that it had to leave out."""

    rows: int
    previous_rows: int | None
    accepted: int
    rejected: int
    invalid: int
    missing: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """A reason for a warning to be open. `subject`: the attribute that it is about, if it is about one."""

    kind: str
    message: str
    details: dict[str, Any]
    subject: str = ""

    @property
    def label(self) -> str:
        """The kind in words."""
        return kinds.label(self.kind)


def findings(run: Summary, limits: Thresholds) -> Iterator[Finding]:
    """PURE. The warnings that should be open after a run.

    Attributes with a problem always get one, whatever the settings: otherwise nobody would notice that their values
    no longer arrive.
    """
    for problem in run.missing:
        kind = kinds.OF_ATTRIBUTES.get(problem["code"], kinds.MISSING_ATTRIBUTE)
        yield Finding(kind, problem["message"], problem, problem["attribute"])
    if not limits.enabled:
        return
    sent = run.accepted + run.rejected
    if (share := _percent(run.rejected, sent)) > limits.rejected_percent:
        yield _share(
            kinds.REJECTED,
            "of the records sent were rejected",
            share,
            run.rejected,
            sent,
            limits.rejected_percent,
        )
    if (share := _percent(run.invalid, run.rows)) > limits.invalid_percent:
        yield _share(
            kinds.INVALID,
            "of the rows can't be sent as they are",
            share,
            run.invalid,
            run.rows,
            limits.invalid_percent,
        )
    if run.rows == 0:
        yield Finding(
            kinds.EMPTY_SEGMENT,
            "The source returned no rows. If you expected some, check the segment and its source.",
            {"rows": 0},
        )
    elif run.previous_rows:
        yield from _size_change(run.rows, run.previous_rows, limits.size_change_percent)


def update_warnings(run: Run, now: datetime) -> list[dict[str, str]]:
    """Opens, refreshes and closes the activation's warnings after a run.

    Returns:
        The open ones, as `Run.found_warnings` stores them.
    """
    limits = _thresholds(run.activation)
    current = {(finding.kind, finding.subject): finding for finding in findings(_summary(run), limits)}
    still_open = {(warning.kind, warning.subject): warning for warning in open_warnings(run.activation)}
    for identity, warning in still_open.items():
        if identity not in current and warning.kind not in kinds.OPENED_ELSEWHERE:
            record.close(warning, now, run=run)
    for finding in current.values():
        _open(run, finding, now)
    return [_stored(finding) for finding in current.values()]


def warn_of_failure(run: Run, code: str, message: str, now: datetime) -> list[dict[str, str]]:
    """Opens or refreshes the warning of an activation whose run failed. The next run that completes closes it.

    Returns:
        As `update_warnings`; nothing for a dry run, which changes no warnings.
    """
    if run.dry_run:
        return []
    finding = Finding(kinds.RUN_FAILED, message, {"code": code})
    _open(run, finding, now)
    return [_stored(finding)]


def open_warnings(activation: Activation) -> list[Warning]:
    """The open warnings of an activation."""
    return list(Warning.objects.filter(activation=activation, closed_at=None))


def warnings_of(run: Run) -> list[Finding]:
    """What this run found to warn about. What a later run finds changes nothing about it."""
    return [Finding(entry["kind"], entry["message"], {}, entry["subject"]) for entry in run.found_warnings]


def closed_by(run: Run) -> list[Warning]:
    """The warnings of earlier runs that this run closed."""
    return list(Warning.objects.filter(last_run=run, closed_at__isnull=False))


def _stored(finding: Finding) -> dict[str, str]:
    return {"kind": str(finding.kind), "subject": finding.subject, "message": finding.message}


def _open(run: Run, finding: Finding, now: datetime) -> None:
    record.open_warning(
        run.activation, finding.kind, finding.message, finding.details, now, subject=finding.subject, run=run
    )


def _summary(run: Run) -> Summary:
    previous = Run.objects.filter(
        activation=run.activation,
        pk__lt=run.pk,
        dry_run=False,
        only_key="",
        state__in=[Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS],
    ).first()
    return Summary(
        rows=run.rows,
        previous_rows=previous.rows if previous else None,
        accepted=run.accepted,
        rejected=run.rejected,
        invalid=run.invalid,
        missing=run.missing,
    )


def _thresholds(activation: Activation) -> Thresholds:
    return Thresholds(
        enabled=activation.warnings_enabled,
        rejected_percent=activation.rejected_percent,
        invalid_percent=activation.invalid_percent,
        size_change_percent=activation.size_change_percent,
    )


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _share(kind: str, words: str, share: float, part: int, whole: int, limit: float) -> Finding:
    return Finding(
        kind,
        f"{share:.1f}% {words} ({part} of {whole}). The limit is {limit}%.",
        {"share": share, "part": part, "whole": whole},
    )


def _size_change(rows: int, previous: int, limit: float) -> Iterator[Finding]:
    change = 100 * (rows - previous) / previous
    if abs(change) > limit:
        message = (
            f"The number of rows {'shrank' if change < 0 else 'grew'} by {abs(change):.3g}% since the last run, "
            f"from {previous:,} to {rows:,}. "
            f"The limit is {limit}%."
        )
        yield Finding(kinds.SIZE_CHANGE, message, {"rows": rows, "rows_before": previous, "change_percent": change})
