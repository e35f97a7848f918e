"""The rules of warnings: a run opens one if a person should look at it, and a later run without cause closes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations import warning_kinds as kinds
from activations.alerts import record
from activations.alerts.findings import MOST_RUNS, Finding, Summary, findings
from activations.models import Activation, Change, Run, Warning
from activations.runs.requests import BY_HAND

if TYPE_CHECKING:
    from datetime import datetime

DUPLICATES, EMPTIES = ("duplicate_key", "match_twin"), ("key_empty", "match_empty")
"""The codes of rows that no run can send, because of their key or match value."""


def update_warnings(run: Run, now: datetime) -> list[dict[str, str]]:
    """Opens, refreshes and closes the activation's warnings after a run.

    Returns:
        The open ones, as `Run.found_warnings` stores them.
    """
    activation = run.activation
    found = findings(_summary(run, now), kinds.effective(activation.thresholds), enabled=activation.warnings_enabled)
    current = {(finding.kind, finding.subject): finding for finding in found}
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


def _summary(run: Run, now: datetime) -> Summary:
    earlier = Run.objects.filter(
        activation=run.activation,
        pk__lt=run.pk,
        **Run.WHOLE,
        state__in=[Run.State.SUCCEEDED, Run.State.COMPLETED_WITH_WARNINGS],
    )
    sizes = list(earlier.values_list("rows", flat=True)[:MOST_RUNS])
    return Summary(
        rows=run.rows,
        sizes=sizes,
        accepted=run.accepted + run.matched,
        rejected=run.rejected,
        retried=run.retried,
        waiting=run.waiting,
        invalid=run.invalid,
        skipped=run.skipped,
        left=run.left,
        minutes=(now - run.started_at).total_seconds() / 60 if run.started_at else 0,
        full_reason=run.reason if sizes and run.kind == Run.Kind.FULL and run.reason != BY_HAND else "",
        missing=run.missing,
        lossy=run.lossy,
        **_invalid_matches(run),
    )


def _invalid_matches(run: Run) -> dict[str, int]:
    """How many rows share their key or match value, and how many have none. No query if no row is invalid."""
    codes = {"duplicates": DUPLICATES, "empties": EMPTIES} if run.invalid else {}
    invalid = run.changes.filter(outcome=Change.Outcome.INVALID)
    return {name: invalid.filter(code__in=wanted).count() for name, wanted in codes.items()}
