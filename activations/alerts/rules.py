"""What about a finished run a person should look at: decided from facts, kept open until a later run finds it gone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from activations.models import Activation, Run, Warning

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

Kind = Warning.Kind


@dataclass(frozen=True)
class Thresholds:
    """Percentages above which a person wants to know. `enabled` is off where nobody asked for warnings."""

    enabled: bool
    rejected_percent: float
    invalid_percent: float
    size_change_percent: float


@dataclass(frozen=True)
class Facts:
    """What is known of a run: its counts, the rows of the run before, and the attributes it had to leave out."""

    rows: int
    rows_before: int | None
    accepted: int
    rejected: int
    invalid: int
    missing: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Finding:
    """One warning to be open now."""

    kind: str
    message: str
    facts: dict[str, Any]
    subject: str = ""


def find(facts: Facts, limits: Thresholds) -> Iterator[Finding]:
    """PURE. The warnings that these facts give. What became of attributes is told always: it concerns what is sent."""
    for problem in facts.missing:
        kind = Kind.CHANGED_ATTRIBUTE if problem["code"] == "attribute_changed" else Kind.MISSING_ATTRIBUTE
        yield Finding(kind, problem["message"], problem, problem["attribute"])
    if not limits.enabled:
        return
    sent = facts.accepted + facts.rejected
    if (share := _percent(facts.rejected, sent)) > limits.rejected_percent:
        yield _share(
            Kind.REJECTED_SHARE,
            "of the records that were sent were rejected",
            share,
            facts.rejected,
            sent,
            limits.rejected_percent,
        )
    if (share := _percent(facts.invalid, facts.rows)) > limits.invalid_percent:
        yield _share(
            Kind.INVALID_SHARE,
            "of the rows can't be sent as they are",
            share,
            facts.invalid,
            facts.rows,
            limits.invalid_percent,
        )
    if facts.rows == 0:
        yield Finding(
            Kind.EMPTY_SEGMENT,
            "The source gave no rows at all. If that is not meant, look at the segment and its source.",
            {"rows": 0},
        )
    elif facts.rows_before:
        yield from _size_change(facts.rows, facts.rows_before, limits.size_change_percent)


def update(run: Run, now: datetime) -> bool:
    """Opens, refreshes and closes the activation's warnings after a run; whether any is open."""
    findings = {(finding.kind, finding.subject): finding for finding in find(_facts(run), _thresholds(run.activation))}
    still_open = {(warning.kind, warning.subject): warning for warning in open_warnings(run.activation)}
    for identity, warning in still_open.items():
        if identity not in findings:
            warning.closed_at, warning.last_run = now, run
            warning.save(update_fields=["closed_at", "last_run"])
    for identity, finding in findings.items():
        _open(run, finding, still_open.get(identity), now)
    return bool(findings)


def open_warnings(activation: Activation) -> list[Warning]:
    """What is open about an activation now."""
    return list(Warning.objects.filter(activation=activation, closed_at=None))


def warnings_of(run: Run) -> list[Warning]:
    """What this run opened, or found to be so still."""
    return list(Warning.objects.filter(Q(run=run) | Q(last_run=run)))


def _open(run: Run, finding: Finding, warning: Warning | None, now: datetime) -> None:
    if warning is None:
        warning = Warning(activation=run.activation, run=run, kind=finding.kind, subject=finding.subject, opened_at=now)
    warning.last_run, warning.message, warning.facts = run, finding.message, finding.facts
    warning.save()


def _facts(run: Run) -> Facts:
    before = Run.objects.filter(
        activation=run.activation,
        pk__lt=run.pk,
        dry_run=False,
        state__in=[Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS],
    ).first()
    return Facts(
        rows=run.rows,
        rows_before=before.rows if before else None,
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
        f"{share:.1f} % {words} ({part} of {whole}); the limit is {limit} %.",
        {"share": share, "part": part, "whole": whole},
    )


def _size_change(rows: int, before: int, limit: float) -> Iterator[Finding]:
    change = 100 * (rows - before) / before
    if abs(change) > limit:
        message = f"The number of rows changed by {change:+.1f} % since the last run, from {before} to {rows}; the limit is {limit} %."
        yield Finding(Kind.SIZE_CHANGE, message, {"rows": rows, "rows_before": before, "change_percent": change})
