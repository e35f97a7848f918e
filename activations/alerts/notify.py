"""Decides whether a run that ended is worth an alert: once for each new warning or failure, to the alert recipients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from activations import warning_kinds as kinds
from activations.alerts import mail
from activations.alerts.rules import not_alerted
from activations.models import Run, Warning

if TYPE_CHECKING:
    from datetime import datetime


def notify(run: Run, now: datetime) -> None:
    """Sends an alert if the run failed for a new reason, or if a warning is open that no alert has mentioned yet."""
    activation = run.activation
    if run.is_live or run.dry_run or run.only_key or not activation.warnings_enabled or not activation.recipients:
        return
    # A failed run has an alert of its own, once for each new reason.
    unsent = Warning.objects.filter(activation=activation, closed_at=None, notified_at=None)
    warnings = list(unsent.exclude(kind=kinds.RUN_FAILED))
    failed = run.state == Run.State.FAILED and not _failed_before(run)
    if not warnings and not failed:
        return
    if reason := mail.send(run, warnings, failed):
        run.found_warnings = [*run.found_warnings, not_alerted(reason)]
        run.save(update_fields=["found_warnings"])
    else:
        Warning.objects.filter(pk__in=[warning.pk for warning in warnings]).update(notified_at=now)


def _failed_before(run: Run) -> bool:
    """Whether the previous run failed with the same code. A long outage is worth one alert, not one for each run."""
    before = Run.objects.filter(activation=run.activation, pk__lt=run.pk, dry_run=False, only_key="").first()
    return before is not None and before.state == Run.State.FAILED and before.error_code == run.error_code
